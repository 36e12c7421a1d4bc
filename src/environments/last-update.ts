import type { EnvironmentRecord, LastUpdate } from './record.ts';
import type { LastUpdateStatus } from './status.ts';

/** Longest text of LastUpdate.Error.ErrorMessage (botocore mwaa/2020-07-01, ErrorMessage). */
const longestMessage = 1024;
/** AWS's code for a creation that failed by what it was given. */
const failedCode = 'INCORRECT_CONFIGURATION';

/** One line of at most the length that the contract allows, with its beginning and its end. */
export const shortened = (text: string): string => {
  const plain = text.replaceAll(/\s*\n\s*/g, ' | ').trim();
  return plain.length <= longestMessage ? plain : `${plain.slice(0, 500)} … ${plain.slice(-520)}`;
};

export const failureOf = (reason: string): NonNullable<LastUpdate['Error']> => ({
  ErrorCode: failedCode,
  ErrorMessage: shortened(reason) || 'unknown',
});

/** The last update as it is now; its first date and how it was asked for stay. */
export const lastUpdateOf = (
  { lastUpdate: { Error: _, ...kept } }: EnvironmentRecord,
  status: LastUpdateStatus,
  error?: LastUpdate['Error'],
): LastUpdate => ({ ...kept, Status: status, ...(error ? { Error: error } : {}) });
