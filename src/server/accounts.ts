import { createHash } from 'node:crypto';
import { canBecome, ensureAccount } from '../lib/accounts.ts';
import { WindsockError } from '../lib/errors.ts';
import type { Account } from '../lib/process.ts';
import type { NumberRange } from '../store/account-numbers.ts';

/** Accounts of an installation that was started as root. */
export interface ServerAccounts {
  /** Runs PostgreSQL. */
  readonly postgres: Account;
  /** Builds virtual environments. */
  readonly installer: Account;
  /** Numbers for the accounts of environments. */
  readonly range: NumberRange;
}

const hashOf = (text: string): number => createHash('sha256').update(text).digest().readUInt32BE(0);

/**
 * A block of numbers for this installation: above what systemd gives containers (uids-gids), below 2^31. In a
 * container that has only 65536 numbers, a block between the ordinary accounts and the dynamic ones.
 */
const rangeFor = (installationId: string): NumberRange | undefined => {
  const hash = hashOf(installationId);
  const ranges = [
    { first: 1_900_000_000 + (hash % 20_000) * 10_000, count: 10_000 },
    { first: 20_000 + (hash % 80) * 500, count: 500 },
  ];
  return ranges.find((range) => canBecome(range.first));
};

/**
 * The accounts to run as, or undefined when not started as root.
 * @throws WindsockError NoOtherAccounts when root may not become anybody else (PostgreSQL refuses to run as root).
 */
export const serverAccounts = async (
  isRoot: boolean,
  installationId: string,
): Promise<ServerAccounts | undefined> => {
  if (!isRoot) return undefined;
  const range = rangeFor(installationId);
  if (!range) {
    throw new WindsockError(
      'NoOtherAccounts',
      'This is root without the right to become another account (a user namespace?), and PostgreSQL refuses to run as root. ' +
        'Start Windsock as an ordinary account, or in a container with more than one uid.',
    );
  }
  return {
    postgres: await ensureAccount('windsock-pg'),
    installer: await ensureAccount('windsock-install'),
    range,
  };
};
