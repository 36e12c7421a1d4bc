import { createHash, type Hash } from 'node:crypto';
import { createReadStream, lchownSync, lstatSync, mkdirSync, rmSync, symlinkSync, utimesSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createGunzip } from 'node:zlib';
import { codeOf, textOf, WindsockError } from '../lib/errors.ts';
import type { Account } from '../lib/process.ts';
import { TarDamaged, type TarFound, unpack } from '../lib/untar.ts';
import {
  type BackupEnd,
  type BackupHead,
  backupFormat,
  endName,
  endSchema,
  headName,
  headSchema,
  platform,
} from './backup-format.ts';

export interface UnpackOptions {
  /** Absolute. */
  readonly file: string;
  /** An empty data folder that nobody else uses. */
  readonly to: string;
  /** Owner of the cluster. */
  readonly postgres: Account | undefined;
  readonly signal: AbortSignal;
}

const damaged = (file: string, why: string): WindsockError =>
  new WindsockError(
    'BackupDamaged',
    `${file} cannot be restored: ${why}. Nothing was changed. Use another backup.`,
  );

const textOfEntry = async (entry: TarFound): Promise<string> => {
  const parts: Buffer[] = [];
  for await (const part of entry.content) parts.push(part);
  return Buffer.concat(parts).toString('utf8');
};

/** Names that lead out of the folder, or that Windsock did not write, are not taken. */
const allowed = /^(postgres|secrets|environments|buckets|bucket-store|settings\.json|followed\.json)(\/|$)/;

const checkPath = (path: string): void => {
  const names = path.split('/');
  if (!allowed.test(path) || names.some((name) => name === '' || name === '.' || name === '..'))
    throw new TarDamaged(`it holds the name ${JSON.stringify(path)}`);
};

const isFolder = (path: string): boolean =>
  lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

/** Every folder above must be one that was made here, not a link that came with the archive. */
const checkAbove = (to: string, path: string): void => {
  const names = dirname(path).split('/');
  for (let depth = 1; depth <= names.length; depth += 1) {
    const above = join(to, ...names.slice(0, depth));
    if (!isFolder(above)) throw new TarDamaged(`the folder of ${JSON.stringify(path)} is missing`);
  }
};

const writeContent = async (entry: TarFound, file: string): Promise<void> => {
  rmSync(file, { force: true });
  const handle = await open(file, 'wx', entry.mode & 0o777);
  try {
    for await (const part of entry.content) await handle.writeFile(part);
    await handle.chmod(entry.mode & 0o777);
    await handle.utimes(entry.modified / 1000, entry.modified / 1000);
  } finally {
    await handle.close();
  }
};

const put = async (entry: TarFound, o: UnpackOptions): Promise<void> => {
  checkPath(entry.path);
  const place = join(o.to, entry.path);
  // The environment's secrets come before its folder.
  if (/^environments\/[a-z0-9]{12}\/secrets\.json$/.test(entry.path))
    mkdirSync(dirname(place), { recursive: true });
  if (dirname(entry.path) !== '.') checkAbove(o.to, entry.path);
  if (entry.kind === 'file') await writeContent(entry, place);
  else if (entry.kind === 'link') {
    rmSync(place, { force: true });
    symlinkSync(entry.target ?? '', place);
  } else {
    if (!isFolder(place)) mkdirSync(place, { mode: 0o700 });
    if (entry.path.split('/').length > 1) await setMode(place, entry);
  }
  if (o.postgres && entry.path.startsWith('postgres/')) lchownSync(place, o.postgres.uid, o.postgres.gid);
};

const setMode = async (folder: string, entry: TarFound): Promise<void> => {
  const handle = await open(folder);
  try {
    // Its owner must be able to go on writing into it.
    await handle.chmod((entry.mode & 0o777) | 0o700);
  } finally {
    await handle.close();
  }
  utimesSync(folder, entry.modified / 1000, entry.modified / 1000);
};

const checkHead = (head: BackupHead): void => {
  if (head.format !== backupFormat)
    throw new WindsockError(
      'BackupIsNewer',
      `This backup was made by Windsock ${head.windsock} in a form that this version does not know. Restore it with that version.`,
    );
  if (head.platform !== platform)
    throw new WindsockError(
      'OtherPlatform',
      `This backup was made on ${head.platform}; PostgreSQL's files do not fit ${platform}. Restore it on such a machine.`,
    );
};

const readHead = async (entry: TarFound): Promise<BackupHead> => {
  if (entry.path !== headName) throw new TarDamaged('it is no backup of Windsock');
  const head = headSchema.parse(JSON.parse(await textOfEntry(entry)));
  checkHead(head);
  return head;
};

const readEnd = async (entry: TarFound): Promise<BackupEnd> => {
  const sum = entry.hashBefore.digest('hex');
  const end = endSchema.parse(JSON.parse(await textOfEntry(entry)));
  if (end.sha256 !== sum) throw new TarDamaged('its checksum is another one');
  return end;
};

async function* chunksOf(file: string, signal: AbortSignal): AsyncGenerator<Buffer> {
  const source = createReadStream(file, { signal });
  const unzip = createGunzip();
  source.once('error', (error) => unzip.destroy(error));
  try {
    for await (const chunk of source.pipe(unzip)) yield chunk as Buffer;
  } finally {
    source.destroy();
    unzip.destroy();
  }
}

const read = async (
  o: UnpackOptions,
  hash: Hash,
  onHead: (head: BackupHead) => Promise<void>,
): Promise<{ head: BackupHead; end: BackupEnd }> => {
  let head: BackupHead | undefined;
  let end: BackupEnd | undefined;
  for await (const entry of unpack(chunksOf(o.file, o.signal), hash)) {
    if (end) throw new TarDamaged('something follows its end');
    if (!head) {
      head = await readHead(entry);
      await onHead(head);
    } else if (entry.path === endName) end = await readEnd(entry);
    else await put(entry, o);
  }
  if (!head || !end) throw new TarDamaged('it ends too early');
  return { head, end };
};

const isOfArchive = (error: unknown): boolean =>
  error instanceof TarDamaged ||
  error instanceof SyntaxError ||
  (error instanceof Error && error.name === 'ZodError') ||
  (codeOf(error) ?? '').startsWith('Z_');

/**
 * Unpacks a backup into an empty folder and checks that every byte of it is what was written.
 * @param onHead called before anything is unpacked; may throw
 * @throws WindsockError BackupDamaged, BackupIsNewer, OtherPlatform
 */
export const unpackBackup = async (
  o: UnpackOptions,
  onHead: (head: BackupHead) => Promise<void>,
): Promise<{ head: BackupHead; end: BackupEnd }> => {
  try {
    return await read(o, createHash('sha256'), onHead);
  } catch (error) {
    if (isOfArchive(error)) throw damaged(o.file, textOf(error));
    throw error;
  }
};
