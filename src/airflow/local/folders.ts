import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fchownSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { StepFailed } from '../../environments/errors.ts';
import { writeFileAtomic } from '../../lib/atomic-file.ts';
import { textOf } from '../../lib/errors.ts';
import { failpoint } from '../../lib/failpoint.ts';
import { randomSecret } from '../../lib/ids.ts';
import type { Account } from '../../lib/process.ts';
import type { EnvironmentSecrets } from '../settings.ts';
import type { Places } from './places.ts';

/**
 * Group of the environment's account where it has one: it may read, only its own folders may it write. Whoever owns the
 * folder above may put a link here at any moment, whose target is not ours to give away or to close: what is changed
 * is the folder that was opened.
 */
export const makeFolder = (
  folder: string,
  mode: number,
  owner: { uid: number; gid: number } | undefined,
): void => {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants;
  const fd = openSync(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  try {
    if (owner) fchownSync(fd, owner.uid, owner.gid);
    fchmodSync(fd, mode);
  } finally {
    closeSync(fd);
  }
};

const newSecrets = (): EnvironmentSecrets => ({
  databasePassword: randomSecret(),
  fernetKey: randomBytes(32).toString('base64url').padEnd(44, '='),
  secretKey: randomSecret(),
  jwtSecret: randomSecret(),
});

/** What the environment's account may read and not change. */
const readableOf = (p: Places): readonly string[] => [
  ...[p.config, p.dags, p.plugins, p.requirements, p.startup, p.packages],
];

/** Makes the folders of an environment and its secrets; what is there stays. */
export const makeFolders = (places: Places, account: Account | undefined): void => {
  const readable = account ? { uid: 0, gid: account.gid } : undefined;
  for (const folder of [places.root, ...readableOf(places)]) makeFolder(folder, 0o750, readable);
  for (const folder of [places.home, places.taskLogs, places.temporary]) makeFolder(folder, 0o700, account);
  makeFolder(places.componentLogs, 0o700, undefined);
  failpoint('folders:made');
  if (!existsSync(places.secrets))
    writeFileAtomic(places.secrets, JSON.stringify(newSecrets()), { mode: 0o600 });
};

/** True when `makeFolders` has nothing to do. */
export const foldersAreMade = (p: Places): boolean =>
  [...readableOf(p), p.home, p.taskLogs, p.temporary, p.componentLogs, p.secrets].every((place) =>
    existsSync(place),
  );

/** @throws StepFailed when the file is damaged: without the Fernet key in it Airflow's connections are lost */
export const readSecrets = (places: Places): EnvironmentSecrets => {
  try {
    return JSON.parse(readFileSync(places.secrets, 'utf8')) as EnvironmentSecrets;
  } catch (cause) {
    throw new StepFailed(
      `${places.secrets} cannot be read (${textOf(cause)}). It holds the keys of this environment: restore it from a backup`,
      { retry: true, cause },
    );
  }
};

/** Where the folders of a deleted environment are until they are removed. */
export const trashOf = (trash: string, places: Places): string => join(trash, basename(places.root));

/** Moves the folders out of sight at once, then removes them. */
export const removeFolders = (places: Places, trash: string): void => {
  mkdirSync(trash, { recursive: true, mode: 0o700 });
  const out = trashOf(trash, places);
  if (existsSync(places.root)) {
    rmSync(out, { recursive: true, force: true });
    renameSync(places.root, out);
    failpoint('remove-folders:moved');
  }
  rmSync(out, { recursive: true, force: true, maxRetries: 3 });
};
