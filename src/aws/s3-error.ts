import { codeOf } from '../lib/errors.ts';
import { NoCredentials, reasonFor } from './aws-error.ts';
import { BodyBroken } from './guarded-body.ts';

/** Codes of Node for certificates that it does not believe. */
const isOfCertificate = (code: string): boolean => /CERT|SELF_SIGNED|UNABLE_TO|ALTNAME/.test(code);

const longest = 400;

interface Answered {
  readonly name: string;
  readonly message: string;
  readonly status: number;
  /** The region that has the bucket, where S3 says so. */
  readonly region: string | undefined;
}

const answeredOf = (error: unknown): Answered | undefined => {
  if (!(error instanceof Error) || !('$metadata' in error)) return undefined;
  const { httpStatusCode } = error.$metadata as { readonly httpStatusCode?: number };
  // the SDK did not understand the body of a success
  if (httpStatusCode === undefined || httpStatusCode < 300) return undefined;
  const headers = (error as { $response?: { headers?: Record<string, string> } }).$response?.headers;
  const { name, message } = error;
  return { name, message, status: httpStatusCode, region: headers?.['x-amz-bucket-region'] };
};

/** Answers to HEAD have no body, so no code. */
const textOfStatus = (status: number): string | undefined => {
  if (status === 403) return 'access is denied (403)';
  if (status === 404) return 'it is not there (404)';
  return undefined;
};

const textOfAnswer = ({ name, message, status, region }: Answered): string => {
  const hasBody = message !== '' && !/^unknown/i.test(message);
  const text = hasBody ? `${name}: ${message}` : (textOfStatus(status) ?? `${name} (${status})`);
  const isElsewhere = region !== undefined && [301, 307, 400].includes(status);
  return isElsewhere ? `${text}; the bucket is in the region ${region}` : text;
};

/** The status and code of an answer of S3; undefined when there was no answer. */
export const answerOf = (error: unknown): { readonly status: number; readonly code: string } | undefined => {
  const answered = answeredOf(error);
  return answered && { status: answered.status, code: answered.name };
};

/** Without control characters: a server may send what a terminal would obey. */
const printable = (text: string): string => text.replace(/\p{Cc}/gu, ' ').slice(0, longest);

/** Why a bucket of another server cannot be used, for people; without what may be secret. */
export const faultText = (error: unknown): string => {
  const answered = answeredOf(error);
  if (answered !== undefined) return printable(textOfAnswer(answered));
  if (error instanceof NoCredentials) return `there are no credentials for it: ${error.reason}`;
  if (error instanceof Error && error.name === 'CredentialsProviderError')
    return `there are no credentials for it: ${reasonFor(error)}`;
  const code = codeOf(error);
  if (code !== undefined && isOfCertificate(code))
    return `its certificate is not trusted (${code}). Name its authority in NODE_EXTRA_CA_CERTS`;
  if (code === 'ECONNRESET' || code === 'EPIPE') return `the connection broke off (${code})`;
  if (code !== undefined) return `it cannot be reached (${code})`;
  if (error instanceof Error && ['TimeoutError', 'AbortError'].includes(error.name))
    return 'it does not answer in time';
  return error instanceof BodyBroken ? error.message : 'its answer cannot be understood';
};
