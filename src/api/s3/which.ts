import { s3Error } from '../../contract/s3-errors.ts';
import { invalidArgument, notImplemented } from './errors.ts';
import type { S3Operation } from './operation.ts';
import { checkVersionId, header, type S3Request } from './request.ts';
import { servedByS3 } from './served.ts';

/** Parameters that choose an operation among those of a method. */
const choosing = new Set(servedByS3.flatMap(({ binding: { by } }) => by ?? []));

/** Told by SDKs for their own logs (`x-id=PutObject`). */
const ignoredQuery = new Set(['x-id']);

/** `x-amz-` headers that every call may have. */
const commonHeaders = new Set([
  'x-amz-content-sha256',
  'x-amz-date',
  'x-amz-expected-bucket-owner',
  'x-amz-source-expected-bucket-owner',
  'x-amz-security-token',
  'x-amz-user-agent',
]);

/** The ListObjects of today and of before are told apart by the parameter's value. */
const checkListType = ({ query }: S3Request): void => {
  const type = query.get('list-type');
  if (type !== undefined && type !== '2')
    throw invalidArgument('Value for list-type must be 2.', 'list-type', type);
};

/**
 * The operation of a request. Throws NotImplemented for what S3 has and is not served here, MethodNotAllowed,
 * InvalidArgument.
 */
export const operationOf = (request: S3Request): S3Operation => {
  const { method, level, query } = request;
  const [by, second] = [...query.keys()].filter((name) => choosing.has(name));
  if (second !== undefined)
    throw invalidArgument(`Conflicting query string parameters: ${by}, ${second}`, 'ResourceType', second);
  const copies = request.headers.has('x-amz-copy-source');
  const ofMethod = servedByS3.filter(({ binding: b }) => b.method === method && b.level === level);
  const found = ofMethod.find(({ binding: b }) => b.by === by && (b.copies ?? false) === copies);
  if (found) return found;
  const [parameter] = query.keys();
  if (parameter !== undefined) throw notImplemented(`The parameter ${parameter.slice(0, 60)}`);
  throw s3Error('MethodNotAllowed', 'The specified method is not allowed against this resource.', {
    members: { Method: method.slice(0, 20), ResourceType: level.toUpperCase() },
  });
};

const takesHeader = ({ headers = [] }: S3Operation, name: string): boolean =>
  commonHeaders.has(name) ||
  headers.some((known) => (known.endsWith('-') ? name.startsWith(known) : known === name));

/** One account has all buckets. Throws AccessDenied where the request says that another one does. */
const checkOwner = (request: S3Request, accountId: string): void => {
  for (const name of ['x-amz-expected-bucket-owner', 'x-amz-source-expected-bucket-owner'])
    if ((header(request, name) ?? accountId) !== accountId)
      throw s3Error('AccessDenied', `The bucket is not owned by the account of ${name}.`);
};

/**
 * What a request says and nobody here acts on would be taken for done. Throws NotImplemented for every such parameter and
 * `x-amz-` header.
 */
export const checkUnderstood = (operation: S3Operation, request: S3Request, accountId: string): void => {
  const { binding, query = [] } = operation;
  const parameters = new Set([...query, ...ignoredQuery, binding.by]);
  for (const name of request.query.keys())
    if (!parameters.has(name)) throw notImplemented(`The parameter ${name.slice(0, 60)}`);
  for (const name of request.headers.keys())
    if (name.startsWith('x-amz-') && !takesHeader(operation, name))
      throw notImplemented(`The header ${name.slice(0, 60)}`);
  checkListType(request);
  checkVersionId(request.query.get('versionId'));
  checkOwner(request, accountId);
};
