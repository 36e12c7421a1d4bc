import { textOf } from '../lib/errors.ts';

/** Found, and of no use: the text is ours. */
export class UnusableCredentials extends Error {}

const longest = 500;

const isAnswer = (error: object): boolean => '$metadata' in error;

/** A program of the AWS config file that failed: its command line and what it printed may hold secrets. */
const isProgram = (text: string): boolean => /command failed|spawn|stderr/i.test(text);

const isKnown = (error: object): boolean =>
  error instanceof UnusableCredentials ||
  isAnswer(error) ||
  ('name' in error && error.name === 'CredentialsProviderError');

/**
 * Why there are no credentials, for people, among them the authors of DAGs: what AWS answered, or what its SDK says of
 * where it looked; of everything else only that it failed.
 */
export const reasonFor = (error: unknown): string => {
  const text = textOf(error);
  const isTold = typeof error === 'object' && error !== null && isKnown(error) && !isProgram(text);
  return isTold
    ? text.slice(0, longest)
    : 'the credentials or the profile cannot be used. Try them with: aws sts get-caller-identity';
};

/** AWS, or what is configured of it, gives no credentials; says why. */
export class NoCredentials extends Error {
  readonly reason: string;

  constructor(cause: unknown) {
    const reason = reasonFor(cause);
    super(`AWS gives no credentials: ${reason}`, { cause });
    this.reason = reason;
  }
}
