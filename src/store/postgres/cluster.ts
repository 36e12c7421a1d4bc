import { chownSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { WindsockError } from '../../lib/errors.ts';
import { type Account, run } from '../../lib/process.ts';

/** Where one PostgreSQL cluster lives and who runs it. */
export interface ClusterPlace {
  /** Folder with bin/, lib/, share/. */
  readonly binaries: string;
  readonly folder: string;
  /** Undefined: the account of this process. */
  readonly account: Account | undefined;
}

/** PostgreSQL's superuser; only this process's account gets in as it, by the socket's peer. */
export const bootRole = 'windsock_boot';
/** Owner of Windsock's own database; no superuser. */
export const ownRole = 'windsock';
export const ownDatabase = 'windsock';

const hostBased = `# Written by Windsock. This process's account gets in as Windsock's own roles, everybody else by password.
local all ${bootRole},${ownRole} peer map=windsock
local all all scram-sha-256
`;

const identities = (osName: string): string =>
  [bootRole, ownRole].map((role) => `windsock "${osName}" ${role}\n`).join('');

const lastLines = (text: string): string => text.trim().split('\n').slice(-3).join(' ');

/**
 * Makes the cluster in a temporary folder and renames it: a folder of that name is always whole.
 * @throws WindsockError ClusterNotMade
 */
export const ensureCluster = async (place: ClusterPlace, env: Record<string, string>): Promise<void> => {
  if (existsSync(place.folder)) return;
  const temporary = `${place.folder}.tmp`;
  rmSync(temporary, { recursive: true, force: true });
  mkdirSync(temporary, { mode: 0o700 });
  if (place.account) chownSync(temporary, place.account.uid, place.account.gid);
  const result = await run(
    join(place.binaries, 'bin', 'initdb'),
    ['-D', temporary, '-U', bootRole, '--no-locale', '--encoding=UTF8', '--data-checksums', '--auth=reject'],
    { env, cwd: '/', account: place.account, timeout: 120_000 },
  );
  if (result.exitCode !== 0) {
    throw new WindsockError('ClusterNotMade', `PostgreSQL's initdb failed: ${lastLines(result.stderr)}`);
  }
  writeOwned(place, join(temporary, 'pg_hba.conf'), hostBased);
  writeOwned(place, join(temporary, 'pg_ident.conf'), identities(userInfo().username));
  renameSync(temporary, place.folder);
};

const writeOwned = (place: ClusterPlace, file: string, text: string): void => {
  writeFileSync(file, text, { mode: 0o600 });
  if (place.account) chownSync(file, place.account.uid, place.account.gid);
};
