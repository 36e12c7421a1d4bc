import { chownSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { writeFileAtomic } from '../../lib/atomic-file.ts';
import { codeOf, WindsockError } from '../../lib/errors.ts';
import { makeFolderOnce } from '../../lib/make-once.ts';
import { type Account, run } from '../../lib/process.ts';

/** Where one PostgreSQL cluster lives and who runs it. */
export interface ClusterPlace {
  /** Folder with bin/, lib/, share/. */
  readonly binaries: string;
  readonly folder: string;
  /** Undefined: the account of this process. */
  readonly account: Account | undefined;
  /** By which Windsock's own roles get in, once there is one. Left out: by the account of this process. */
  readonly password?: () => string | undefined;
}

/** PostgreSQL's superuser; only this process gets in as it, by the socket's peer or a password. */
export const bootRole = 'windsock_boot';
/** Owner of Windsock's own database; no superuser. */
export const ownRole = 'windsock';
export const ownDatabase = 'windsock';

const byPassword = `# Written by Windsock. Everybody gets in by password.
local all all scram-sha-256
`;
const byAccount = `# Written by Windsock. This process's account gets in as Windsock's own roles, everybody else by password.
local all ${bootRole},${ownRole} peer map=windsock
local all all scram-sha-256
`;

const identities = (osName: string): string =>
  [bootRole, ownRole].map((role) => `windsock "${osName}" ${role}\n`).join('');

const lastLines = (text: string): string => text.trim().split('\n').slice(-3).join(' ');

/** The major version that a cluster belongs to, `16`; undefined when there is no cluster. */
export const clusterMajor = (folder: string): string | undefined => {
  try {
    return readFileSync(join(folder, 'PG_VERSION'), 'utf8').trim();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
};

/** Says who gets in as Windsock's own roles. Written again where another account made or restored the cluster. */
export const writeAccess = (place: ClusterPlace, folder: string): void => {
  const access = place.password?.() === undefined ? byAccount : byPassword;
  const files = { 'pg_hba.conf': access, 'pg_ident.conf': identities(userInfo().username) };
  for (const [name, text] of Object.entries(files)) {
    const file = join(folder, name);
    if (existsSync(file) && readFileSync(file, 'utf8') === text) continue;
    writeFileAtomic(file, text, { mode: 0o600, owner: place.account });
  }
};

const initialize = async (
  place: ClusterPlace,
  temporary: string,
  env: Record<string, string>,
): Promise<void> => {
  mkdirSync(temporary, { mode: 0o700 });
  if (place.account) chownSync(temporary, place.account.uid, place.account.gid);
  const result = await run(
    join(place.binaries, 'bin', 'initdb'),
    ['-D', temporary, '-U', bootRole, '--no-locale', '--encoding=UTF8', '--data-checksums', '--auth=reject'],
    { env, cwd: '/', account: place.account, timeout: 120_000 },
  );
  if (result.exitCode !== 0)
    throw new WindsockError('ClusterNotMade', `PostgreSQL's initdb failed: ${lastLines(result.stderr)}`);
  writeAccess(place, temporary);
};

/**
 * Makes the cluster in a temporary folder and renames it: a folder of that name is always whole. Two servers that do
 * so at once go on with the same one.
 * @throws WindsockError ClusterNotMade
 */
export const ensureCluster = async (place: ClusterPlace, env: Record<string, string>): Promise<void> => {
  await makeFolderOnce(place.folder, (temporary) => initialize(place, temporary, env));
  writeAccess(place, place.folder);
};
