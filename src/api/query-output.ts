import type { QueryOperation, QueryService } from '../contract/aws-model.ts';
import type { AwsError } from '../contract/errors.ts';
import type { Shape, StructureShape } from '../contract/shape.ts';
import { isoTime } from '../lib/iso-time.ts';
import { element } from '../lib/xml.ts';
import type { ApiResponse } from './restjson.ts';

const contentOf = (value: unknown, shape: Shape): string | { readonly xml: string } => {
  if (shape.kind === 'structure') return { xml: membersOf(value as Record<string, unknown>, shape) };
  if (shape.kind === 'list')
    return {
      xml: (value as readonly unknown[])
        .map((member) => element('member', contentOf(member, shape.member)))
        .join(''),
    };
  if (shape.kind === 'map')
    return {
      xml: Object.entries(value as Record<string, unknown>)
        .map(([key, v]) =>
          element('entry', { xml: element('key', key) + element('value', contentOf(v, shape.value)) }),
        )
        .join(''),
    };
  // Operations give moments as epoch milliseconds.
  if (shape.kind === 'timestamp') return isoTime(Number(value));
  return String(value);
};

const membersOf = (value: Readonly<Record<string, unknown>>, shape: StructureShape): string => {
  const unknown = Object.keys(value).find((name) => !Object.hasOwn(shape.members, name));
  if (unknown !== undefined)
    throw new Error(`the answer has a member that the model does not have: ${unknown}`);
  return Object.entries(shape.members)
    .filter(([name]) => value[name] !== undefined)
    .map(([name, member]) => element(name, contentOf(value[name], member)))
    .join('');
};

const headers = (requestId: string) => ({
  'content-type': 'text/xml',
  'x-amzn-requestid': requestId,
  'cache-control': 'no-store',
});

/** The answer of an operation as the query protocol writes it. Throws Error for a member that the model does not have. */
export const renderQueryOutput = (
  service: QueryService,
  operation: QueryOperation,
  output: Readonly<Record<string, unknown>>,
  requestId: string,
): ApiResponse => {
  const { name, resultWrapper } = operation;
  const result =
    resultWrapper === undefined ? '' : element(resultWrapper, { xml: membersOf(output, operation.output) });
  const metadata = element('ResponseMetadata', { xml: element('RequestId', requestId) });
  return {
    status: 200,
    headers: headers(requestId),
    body: element(`${name}Response`, { xml: result + metadata }, { xmlns: service.xmlNamespace }),
  };
};

/** What services of the query protocol call the errors that all services have. */
const codes: Readonly<Record<string, string>> = {
  ValidationException: 'ValidationError',
  SerializationException: 'MalformedInput',
  AccessDeniedException: 'AccessDenied',
  InvalidSignatureException: 'SignatureDoesNotMatch',
  IncompleteSignatureException: 'IncompleteSignature',
  UnrecognizedClientException: 'InvalidClientTokenId',
  MissingAuthenticationTokenException: 'MissingAuthenticationToken',
  ExpiredTokenException: 'ExpiredToken',
  InternalServerException: 'InternalFailure',
  UnknownOperationException: 'InvalidAction',
  ThrottlingException: 'Throttling',
};

/** The status is that of the error, but for one (IAM API reference, Common Errors). */
const statusOf = (code: string, error: AwsError): number =>
  code === 'InvalidAction' ? 400 : error.httpStatus;

/** An error as the query protocol writes it. */
export const renderQueryError = (xmlNamespace: string, error: AwsError, requestId: string): ApiResponse => {
  const code = codes[error.code] ?? error.code;
  const told = [
    element('Type', error.httpStatus < 500 ? 'Sender' : 'Receiver'),
    element('Code', code),
    element('Message', error.publicText),
  ].join('');
  return {
    status: statusOf(code, error),
    headers: { ...headers(requestId), 'x-amzn-errortype': code },
    body: element(
      'ErrorResponse',
      { xml: element('Error', { xml: told }) + element('RequestId', requestId) },
      { xmlns: xmlNamespace },
    ),
  };
};
