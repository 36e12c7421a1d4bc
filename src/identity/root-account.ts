import { randomInt } from 'node:crypto';
import { chmodSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { writeFileAtomic } from '../lib/atomic-file.ts';
import { codeOf, WindsockError } from '../lib/errors.ts';
import { longTermKeyId, randomText } from './random-keys.ts';

const rootAccount = z.strictObject({
  accountId: z.string().regex(/^\d{12}$/),
  accessKeyId: z.string().regex(/^AKIA[A-Z2-7]{16}$/),
  secretAccessKey: z.string().regex(/^[A-Za-z0-9+/]{40}$/),
});

/** The one account there is, with the access key of its root user. */
export type RootAccount = Readonly<z.infer<typeof rootAccount>>;

/** Twelve digits, the first of them not 0. */
const accountNumber = (): string =>
  Array.from({ length: 12 }, (_, i) => randomInt(i === 0 ? 1 : 0, 10)).join('');

const newRootAccount = (): RootAccount => ({
  accountId: accountNumber(),
  accessKeyId: longTermKeyId(),
  secretAccessKey: randomText('base64', 40),
});

const readText = (file: string): string | undefined => {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
};

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/**
 * Reads the account from its file, which it makes on the first start (mode 0600, whole or not at all).
 * Throws RootAccountUnreadable when the file holds something else: making a new account instead would lock
 * every environment away.
 */
export const loadOrCreateRootAccount = (file: string): RootAccount => {
  const text = readText(file);
  if (text === undefined) {
    const account = newRootAccount();
    writeFileAtomic(file, `${JSON.stringify(account, null, 2)}\n`, { mode: 0o600 });
    return account;
  }
  const parsed = rootAccount.safeParse(parseJson(text));
  if (!parsed.success) {
    throw new WindsockError(
      'RootAccountUnreadable',
      `${file} does not hold a root account. Restore it from a backup; without it no existing environment can be reached.`,
    );
  }
  chmodSync(file, 0o600);
  return parsed.data;
};
