import { constants } from 'node:fs';
import { type FileHandle, lstat, open, readdir, readlink, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { SourceUnavailable, VersionGone } from '../environments/errors.ts';
import type { ContentLocation } from '../environments/record.ts';
import { deployRules, ignoreFile, type StaysBehind } from '../lib/deploy-rules.ts';
import { codeOf, textOf } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import type { FollowedFolders } from './followed.ts';
import { bucketPath } from './location.ts';
import { type ContentLimits, type ContentSource, type Listing, mostContent } from './source.ts';
import { cacheName } from './target-tree.ts';
import { watchEvents } from './watch.ts';

/** A look is cheap, and a folder that is back is to be seen at once. */
const pace = { least: 1_000, most: 4_000, mostAfterFailures: 1_000, filesAtOnce: 1 } as const;

interface FileFacts {
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly ino: bigint;
}

const versionOf = (s: FileFacts): string => `${s.size}-${s.mtimeNs}-${s.ino}`;

/** The folder that is followed in the place of a bucket's, by its real path. */
const openFollowed = async (folder: string): Promise<string> => {
  const root = await realpath(folder).catch((error: unknown) => {
    throw new SourceUnavailable(
      `Cannot read ${folder}, which is followed (--dags): ${textOf(error)}. Put it back, or name another one.`,
      error,
    );
  });
  if ((await lstat(root)).isDirectory()) return root;
  throw new SourceUnavailable(`${folder}, which is followed (--dags), is no folder. Make it a folder.`);
};

const rulesOf = (root: string): Promise<StaysBehind> =>
  deployRules(root).catch((error: unknown) => {
    throw new SourceUnavailable(`Cannot read ${join(root, ignoreFile)}: ${textOf(error)}`, error);
  });

/** Walks from the bucket to the location without following a symbolic link. */
const openInBucket = async (buckets: string, where: ContentLocation): Promise<string> => {
  const { bucketFolder, segments } = bucketPath(buckets, where);
  let folder = bucketFolder;
  for (const next of [undefined, ...segments]) {
    if (next !== undefined) folder = join(folder, next);
    const facts = await lstat(folder).catch((error: unknown) => {
      if (codeOf(error) !== 'ENOENT')
        throw new SourceUnavailable(`Cannot read ${folder}: ${textOf(error)}`, error);
      throw new SourceUnavailable(
        `There is no folder ${folder}. Make it: mkdir -p ${join(bucketFolder, ...segments)}`,
      );
    });
    if (!facts.isDirectory())
      throw new SourceUnavailable(
        `${folder} is no folder (symbolic links are not followed). Make it a folder.`,
      );
  }
  return folder;
};

interface Walk {
  readonly root: string;
  readonly limits: ContentLimits;
  readonly signal: AbortSignal;
  readonly skipped: (path: string, why: string) => void;
  /** Of a folder that people work in. */
  readonly staysBehind: StaysBehind;
  readonly listing: Map<string, { size: number; version: string }>;
  bytes: number;
}

const addFile = async (walk: Walk, path: string): Promise<void> => {
  const facts = await lstat(join(walk.root, path), { bigint: true }).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return undefined; // gone since its folder was read: rightly absent
    throw error;
  });
  if (!facts?.isFile()) return;
  walk.bytes += Number(facts.size);
  walk.listing.set(path, { size: Number(facts.size), version: versionOf(facts) });
  if (walk.listing.size > walk.limits.files)
    throw new SourceUnavailable(`${walk.root} holds more than ${walk.limits.files} files. Take some away.`);
  if (walk.bytes > walk.limits.bytes)
    throw new SourceUnavailable(`${walk.root} holds more than ${walk.limits.bytes} bytes. Take some away.`);
};

const walkFolder = async (walk: Walk, below: string): Promise<void> => {
  walk.signal.throwIfAborted();
  const entries = await readdir(join(walk.root, below), { withFileTypes: true }).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT' && below !== '') return [];
    throw error;
  });
  for (const entry of entries) {
    const path = below === '' ? entry.name : `${below}/${entry.name}`;
    if (walk.staysBehind(entry.isDirectory() ? `${path}/` : path)) continue;
    if (entry.name.includes('\uFFFD')) walk.skipped(path, 'its name is not UTF-8');
    else if (entry.isDirectory() && entry.name === cacheName) continue;
    else if (entry.isDirectory()) await walkFolder(walk, path);
    else if (entry.isFile()) await addFile(walk, path);
    else
      walk.skipped(
        path,
        entry.isSymbolicLink() ? 'symbolic links are not followed' : 'it is no regular file',
      );
  }
};

/** Tells a folder from another one that takes its path: one that was moved away reads as if its files were deleted. */
const identityOf = async (folder: string): Promise<string> => {
  const { dev, ino } = await lstat(folder, { bigint: true });
  return `${dev}-${ino}`;
};

const list = async (root: string, o: Omit<Walk, 'root' | 'listing' | 'bytes'>): Promise<Listing> => {
  const walk: Walk = { ...o, root, listing: new Map(), bytes: 0 };
  try {
    const before = await identityOf(root);
    await walkFolder(walk, '');
    if ((await identityOf(root)) !== before)
      throw new SourceUnavailable(`${root} became another folder while it was read.`);
  } catch (error) {
    if (error instanceof SourceUnavailable || o.signal.aborted) throw error;
    throw new SourceUnavailable(
      `Cannot read ${root}: ${textOf(error)}. Make it readable for Windsock.`,
      error,
    );
  }
  return walk.listing;
};

/** The file must be the one that was listed, and really lie below its folder: a folder may have been swapped for a link. */
const isListed = async (file: FileHandle, root: string, path: string, version: string): Promise<boolean> => {
  const facts = await file.stat({ bigint: true });
  if (!facts.isFile() || versionOf(facts) !== version) return false;
  return (await readlink(`/proc/self/fd/${file.fd}`)) === join(await realpath(root), path);
};

async function* bytesOf(file: FileHandle, path: string, version: string): AsyncGenerator<Buffer> {
  for await (const chunk of file.createReadStream({ autoClose: false })) yield chunk;
  if (versionOf(await file.stat({ bigint: true })) !== version) throw new VersionGone(path);
}

/** Closes the file also when nobody ever reads. */
const streamOf = (file: FileHandle, path: string, version: string): Readable => {
  const stream = Readable.from(bytesOf(file, path, version), { objectMode: false });
  stream.once('close', () => void file.close().catch(() => undefined));
  return stream;
};

const openVersion = async (root: string, path: string, version: string): Promise<Readable> => {
  // O_NONBLOCK: a named pipe put in the file's place must not hold us
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(join(root, path), flags).catch((error: unknown) => {
    if (['ENOENT', 'ELOOP', 'ENOTDIR', 'ENXIO'].includes(codeOf(error) ?? '')) throw new VersionGone(path);
    throw new SourceUnavailable(
      `Cannot read ${path}: ${textOf(error)}. Make it readable for Windsock.`,
      error,
    );
  });
  const listed = await isListed(file, root, path, version).catch(() => false);
  if (listed) return streamOf(file, path, version);
  await file.close();
  throw new VersionGone(path);
};

/**
 * Buckets that are folders: `arn:aws:s3:::NAME` is the folder NAME in `buckets`. A version is size, time of change
 * and inode. What is no regular file is left out, with one warning for each path.
 */
export const createFolderSource = (o: {
  readonly buckets: string;
  /** Folders that are followed in the place of a bucket's. */
  readonly followed?: Pick<FollowedFolders, 'folderFor'>;
  readonly log: Log;
  readonly limits?: ContentLimits;
}): ContentSource => {
  const limits = o.limits ?? mostContent;
  const told = new Set<string>();
  const skipped = (path: string, why: string) => {
    if (told.has(path) || told.size > 10_000) return;
    told.add(path);
    o.log.warn('content left out', { path, reason: why });
  };
  const followedFor = (where: ContentLocation): string | undefined => o.followed?.folderFor(where);
  const openLocation = (where: ContentLocation): Promise<string> => {
    const folder = followedFor(where);
    return folder === undefined ? openInBucket(o.buckets, where) : openFollowed(folder);
  };
  return {
    list: async (where, signal) => {
      const root = await openLocation(where);
      const staysBehind = followedFor(where) === undefined ? () => false : await rulesOf(root);
      return list(root, { limits, signal, skipped, staysBehind });
    },
    open: async (where, path, version) => openVersion(await openLocation(where), path, version),
    watch(where, folders, hint) {
      const { bucketFolder, segments } = bucketPath(o.buckets, where);
      const root = followedFor(where) ?? join(bucketFolder, ...segments);
      return watchEvents([root, ...folders.map((folder) => join(root, folder))], hint);
    },
    canWatch: () => true,
    paceOf: () => pace,
  };
};
