import type { Recorder } from '../../bucket/objects.ts';
import { s3Error } from '../../contract/s3-errors.ts';
import type { BelievedHead } from '../../identity/sigv4/verify-s3.ts';
import type { ApiRequest } from '../api-request.ts';
import type { ApiDeps } from '../deps.ts';
import type { Call } from '../operation.ts';
import type { ApiResponse } from '../restjson.ts';
import type { Route } from '../route-types.ts';
import { type Asked, askedOf, wholeChecks } from './asked.ts';
import { checkPayloadIsCovered } from './caller.ts';
import type { S3Answer, S3Operation, Work } from './operation.ts';
import { header, readRequest, type S3Request } from './request.ts';
import { checkUnderstood, operationOf } from './which.ts';
import { idsOf } from './xml.ts';

const present = <T>(members: Readonly<Record<string, T | undefined>>): Readonly<Record<string, T>> =>
  Object.fromEntries(
    Object.entries(members).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])),
  );

/** What CloudTrail has of a request: what it is about, and its parameters. */
const parametersOf = (request: S3Request, { recorded = [] }: S3Operation) =>
  present({
    bucketName: request.bucket === '' ? undefined : request.bucket,
    key: request.key === '' ? undefined : request.key,
    ...Object.fromEntries([...request.query].filter(([name]) => !name.startsWith('response-'))),
    ...Object.fromEntries(recorded.map((name) => [name, header(request, name)])),
  });

const rendered = (answer: S3Answer, requestId: string): ApiResponse => {
  const { status = 200, headers = {}, xml, body, stream } = answer;
  return {
    status,
    headers: {
      ...idsOf(requestId),
      ...(xml === undefined ? {} : { 'content-type': 'application/xml' }),
      ...present(headers),
    },
    body: xml ?? body ?? '',
    ...(stream ? { stream } : {}),
  };
};

const workOf = (asked: Asked, call: Call, head: BelievedHead): Work => {
  const { audit } = asked.deps;
  const recordAs: Work['recordAs'] = (about, tx, { versionId }) => {
    const entry = call.auditEntry({
      ...(versionId === undefined ? {} : { responseElements: { 'x-amz-version-id': versionId } }),
    });
    return audit.write(
      { ...entry, requestParameters: present({ ...entry.requestParameters, ...about }) },
      tx,
    );
  };
  const record: Recorder = (tx, change) => recordAs({}, tx, change);
  return { ...asked, call, head, record, recordAs };
};

/** Who calls is told before the request is: nobody else learns what is served here. */
const refusedRoute = (request: ApiRequest, error: unknown): Route => {
  const refuse = () => {
    throw error;
  };
  return {
    operation: { name: 'UnknownOperation', checks: () => [], auditsSuccess: true },
    service: 's3',
    readOnly: true,
    authenticate: async (deps) => (await deps.verifyS3(request)).caller,
    input: async () => refuse(),
    recorded: (input) => input,
    answer: async () => refuse(),
  };
};

/** A call of S3 for the pipeline: what is asked is looked up once, and the body is read last. */
const servedRoute = (request: ApiRequest, asked: Asked, operation: S3Operation): Route => {
  const { request: given, deps } = asked;
  let head: BelievedHead | undefined;
  const believed = (): BelievedHead => {
    if (!head) throw new Error('an S3 call was decided before it was authenticated');
    return head;
  };
  return {
    operation: {
      name: operation.name,
      checks: async () => wholeChecks(asked, believed(), await operation.checks(asked)),
      // changes are recorded with what makes them, and who reads objects is not
      auditsSuccess: operation.isDataEvent || !operation.readOnly,
    },
    service: 's3',
    ...{ readOnly: operation.readOnly, isDataEvent: operation.isDataEvent },
    authenticate: async () => {
      head = await deps.verifyS3(request);
      return head.caller;
    },
    input: async () => {
      checkUnderstood(operation, given, deps.accountId);
      return parametersOf(given, operation);
    },
    recorded: (input) => input,
    answer: async (call) => {
      checkPayloadIsCovered(believed(), given);
      return rendered(await operation.execute(workOf(asked, call, believed())), given.requestId);
    },
  };
};

/** Where a request to S3 goes. */
export const s3Route = (request: ApiRequest, deps: ApiDeps): Route => {
  try {
    if (!deps.buckets) throw s3Error('NotImplemented', 'Buckets are not served here.');
    const given = readRequest(request);
    return servedRoute(request, askedOf(given, deps, deps.buckets), operationOf(given));
  } catch (error) {
    return refusedRoute(request, error);
  }
};
