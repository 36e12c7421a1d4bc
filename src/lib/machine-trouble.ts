import { codeOf } from './errors.ts';

const disk =
  'The disk of the server is full. Nothing was changed. Free some space: the server goes on by itself.';
const descriptors =
  'The server has no file descriptor left. Nothing was changed. Try again, or raise its limit (ulimit -n).';
const database =
  'The database of the server does not answer now. Try again in a few seconds; `windsock status` tells more.';

/** SQLSTATE codes (PostgreSQL, appendix A) and those of the system, with what a person can do about them. */
const texts: Readonly<Record<string, string>> = {
  ENOSPC: disk,
  EDQUOT: disk,
  '53100': disk,
  EMFILE: descriptors,
  ENFILE: descriptors,
  '53000': database,
  '53200': database,
  '53300': database,
  '57P01': database,
  '57P02': database,
  '57P03': database,
  '08006': database,
  ECONNREFUSED: database,
  ECONNRESET: database,
  EPIPE: database,
};

/** What pg says without a code when its connection ends or takes too long (pg-pool, pg). */
const connectionTexts =
  /Connection terminated|timeout exceeded when trying to connect|Query read timeout|not queryable|connect ENOENT .*PGSQL/i;

/** What is wrong with the machine, and what to do, where an error comes from that; else undefined. Safe for callers. */
export const machineTrouble = (error: unknown): string | undefined => {
  const known = texts[codeOf(error) ?? ''];
  if (known !== undefined || !(error instanceof Error)) return known;
  // a backend that cannot begin on a full disk has no code for it
  if (/No space left on device|could not write init file/.test(error.message)) return disk;
  return connectionTexts.test(error.message) ? database : machineTrouble(error.cause);
};
