import { WindsockError } from '../lib/errors.ts';
import { machineTrouble } from '../lib/machine-trouble.ts';
import { type ExceptionName, exceptions } from './exceptions.ts';

/**
 * An exception as a client of an AWS service sees it: code, HTTP status and text.
 * Clients branch on `code`, which goes into the header `x-amzn-ErrorType` and the body's `__type`.
 */
export class AwsError extends WindsockError {
  readonly httpStatus: number;
  /** What its body holds besides `__type`: mostly the text alone. */
  readonly members: Readonly<Record<string, unknown>>;

  constructor(
    code: string,
    httpStatus: number,
    message: string,
    options: { members?: Readonly<Record<string, unknown>>; detail?: string; cause?: unknown } = {},
  ) {
    super(code, message, options);
    this.httpStatus = httpStatus;
    this.members = options.members ?? { message };
  }
}

/** An exception of the MWAA model. */
const modelled = (
  name: ExceptionName,
  message: string,
  options: ConstructorParameters<typeof AwsError>[3] = {},
): AwsError => new AwsError(name, exceptions[name].httpStatus, message, options);

export const validationException = (message: string): AwsError => modelled('ValidationException', message);

/** The value has another JSON type than the model says, or the body is not JSON. */
export const serializationException = (message: string): AwsError =>
  new AwsError('SerializationException', 400, message);

export const accessDeniedException = (message: string): AwsError =>
  modelled('AccessDeniedException', message, { members: { Message: message } });

export const resourceNotFoundException = (message: string): AwsError =>
  modelled('ResourceNotFoundException', message);

/** Clients try again on this one. */
export const serviceUnavailableException = (message: string): AwsError =>
  modelled('ServiceUnavailableException', message);

/**
 * Airflow did not do what InvokeRestApi asked for: its status and its answer are in the body. 4xx is the caller's, all
 * else the server's. `text` is for log and audit record; `message` is for the caller alone and may hold words of
 * Airflow. The model has no message here, but clients show only that: without one the aws cli prints nothing.
 */
export const restApiException = (
  name: 'RestApiClientException' | 'RestApiServerException',
  answer: { readonly RestApiStatusCode: number; readonly RestApiResponse: unknown },
  { text, message }: { readonly text: string; readonly message: string },
): AwsError => modelled(name, text, { members: { message, ...answer } });

/** Tells the caller nothing of the cause, which belongs to the log, unless it is the machine that is in trouble. */
export const internalServerException = (cause?: unknown): AwsError => {
  const text = machineTrouble(cause) ?? 'An internal error occurred. The log of the server has its cause.';
  return modelled('InternalServerException', text, { cause });
};

/** Clients wait and try again on this one. */
export const tooManyRequestsException = (): AwsError =>
  new AwsError('TooManyRequestsException', 429, 'Rate exceeded');

/** One caller called too often; every client of AWS tries again by itself on this code (AWS, "Common Errors"). */
export const throttlingException = (): AwsError => new AwsError('ThrottlingException', 400, 'Rate exceeded');

export const unknownOperationException = (message: string): AwsError =>
  new AwsError('UnknownOperationException', 404, message);

export const requestTooLargeException = (limit: number): AwsError =>
  new AwsError('RequestEntityTooLargeException', 413, `The request body is larger than ${limit} bytes.`);

export const malformedRequestException = (message: string): AwsError =>
  new AwsError('MalformedHttpRequestException', 400, message);

/** No signature at all. */
export const missingAuthenticationTokenException = (): AwsError =>
  new AwsError('MissingAuthenticationTokenException', 403, 'Missing Authentication Token');

/** The signature is there but cannot be read. */
export const incompleteSignatureException = (message: string): AwsError =>
  new AwsError('IncompleteSignatureException', 400, message);

/** The signature can be read and is wrong, too old, or for another service or region. */
export const invalidSignatureException = (message: string): AwsError =>
  new AwsError('InvalidSignatureException', 403, message);

/** The access key or its session token is not known here. */
export const unrecognizedClientException = (): AwsError =>
  new AwsError('UnrecognizedClientException', 403, 'The security token included in the request is invalid.');

/** Temporary credentials after their time. */
export const expiredTokenException = (): AwsError =>
  new AwsError('ExpiredTokenException', 403, 'The security token included in the request is expired');
