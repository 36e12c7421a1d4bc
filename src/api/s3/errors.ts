import type { AwsError } from '../../contract/errors.ts';
import { s3Error } from '../../contract/s3-errors.ts';

const headersOfErrors = new WeakMap<AwsError, Readonly<Record<string, string>>>();

/** The error, answered with these headers as well. */
export const withHeaders = (error: AwsError, headers: Readonly<Record<string, string>>): AwsError => {
  headersOfErrors.set(error, headers);
  return error;
};

/** What `withHeaders` was given. */
export const headersOfError = (error: AwsError): Readonly<Record<string, string>> =>
  headersOfErrors.get(error) ?? {};

/** S3 has it, and here it is not served: whoever asks for it must not believe that it was done. */
export const notImplemented = (what: string): AwsError =>
  s3Error('NotImplemented', `${what} implies functionality that is not implemented.`);

export const invalidArgument = (message: string, name: string, value: string): AwsError =>
  s3Error('InvalidArgument', message, {
    members: { ArgumentName: name, ArgumentValue: value.slice(0, 1_024) },
  });

export const invalidRequest = (message: string): AwsError => s3Error('InvalidRequest', message);
