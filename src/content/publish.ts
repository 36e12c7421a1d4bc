import { createHash, randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rename, rm, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { ContentChange } from '../environments/content.ts';
import { FileUnavailable, VersionGone } from '../environments/errors.ts';
import type { ContentLocation } from '../environments/record.ts';
import { temporaryPrefix } from '../lib/deploy-rules.ts';
import { codeOf } from '../lib/errors.ts';
import { inParallel } from '../lib/in-parallel.ts';
import { isPublishable } from './location.ts';
import { newState, type PublishedFile, type PublishStateFile } from './publish-state.ts';
import type { ContentSource, Listing } from './source.ts';
import {
  clearForFile,
  makeFolders,
  own,
  readTree,
  removeEmptyFolders,
  stampOf,
  type TargetTree,
  type TreeOwner,
} from './target-tree.ts';

export interface PublishOptions {
  readonly source: ContentSource;
  readonly where: ContentLocation;
  /** The folder that is made equal to the listing. Nothing else writes there. */
  readonly target: string;
  /** Outside the target: remembers what was published. */
  readonly state: PublishStateFile;
  readonly owner: TreeOwner;
  readonly signal: AbortSignal;
  /** Epoch milliseconds; the machine's clock unless told. */
  readonly now?: () => number;
  /** Milliseconds for which the listing was empty at every look; by default this is the first. */
  readonly emptyFor?: number;
  /**
   * Keeps a record of what was done, and of the version that the tree has now. Only then is it remembered as done: after
   * a kill in between, the next run records it once more. Must not throw.
   */
  readonly record?: (result: PublishResult, version: string) => Promise<void>;
  /** Told of what was done, also when something went wrong afterwards, which is then thrown. */
  readonly published?: (result: PublishResult) => void;
}

export interface PublishResult {
  /** In the order in which they were done. */
  readonly changes: readonly ContentChange[];
  /** The target is equal to the listing now: nothing was put off, and no empty listing is waited for. */
  readonly isWhole: boolean;
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
  /** Files that changed while they were read: the older version stays; publish again soon. */
  readonly postponed: readonly string[];
  /** Paths that cannot be files below the target, or that are both a file and a folder. */
  readonly refused: readonly string[];
}

/**
 * Milliseconds for which a listing must be empty before it counts: a folder may be emptied to be filled again, or its
 * disk may be away. The last file of all may be deleted like any other.
 */
const emptyUntil = { last: 1_000, several: 10_000 } as const;

/** Every folder that these paths are in, without the root. */
export const foldersOf = (paths: Iterable<string>): Set<string> => {
  const folders = new Set<string>();
  for (const path of paths)
    for (let at = path.indexOf('/'); at !== -1; at = path.indexOf('/', at + 1))
      folders.add(path.slice(0, at));
  return folders;
};

const split = (
  listing: Listing,
): { readonly wanted: Map<string, string>; readonly refused: readonly string[] } => {
  const plain = [...listing.keys()].filter(isPublishable);
  const folders = foldersOf(plain);
  const wanted = new Map(plain.filter((p) => !folders.has(p)).map((p) => [p, listing.get(p)?.version ?? '']));
  return { wanted, refused: [...listing.keys()].filter((p) => !wanted.has(p)) };
};

interface Before {
  readonly published: PublishedFile | undefined;
  /** The stamp of what is there now. */
  readonly there: string | undefined;
}

const nowOf = (o: PublishOptions): number => (o.now ?? Date.now)();

/**
 * Writes one file aside and renames it into place, so that nobody sees half a file. One that has the bytes it had before
 * stays: nobody has to read it again.
 */
const writeOne = async (
  o: PublishOptions,
  path: string,
  version: string,
  before: Before,
): Promise<PublishedFile> => {
  const file = join(o.target, path);
  await makeFolders(o.target, path, o.owner);
  const bytes = await o.source.open(o.where, path, version, o.signal);
  const temporary = join(dirname(file), `${temporaryPrefix}${randomBytes(6).toString('hex')}`);
  try {
    const hash = createHash('sha256');
    bytes.on('data', (chunk: Buffer) => hash.update(chunk));
    await pipeline(bytes, createWriteStream(temporary, { flags: 'wx', mode: 0o600 }), { signal: o.signal });
    const sha256 = hash.digest('hex');
    if (before.published?.sha256 === sha256 && before.published.stamp === before.there) {
      await rm(temporary);
      return { ...before.published, version };
    }
    await own(temporary, o.owner, o.owner.fileMode);
    const stamp = await stampOf(temporary);
    await clearForFile(file);
    await rename(temporary, file);
    return { version, stamp, sha256, at: nowOf(o) };
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
};

/** Files that cannot be read, while others can: beyond this no more are tried. */
const mostUnavailable = 20;

interface Written {
  /** Files that were read. */
  readonly read: number;
  /** Files that are put off. */
  readonly postponed: readonly string[];
  /** Why the first file that cannot be read cannot be. */
  readonly fault: FileUnavailable | undefined;
}

/** Writes what differs and notes it in `changes`. A file that cannot be read does not keep others back. */
const writeAll = async (
  o: PublishOptions,
  wanted: Map<string, string>,
  tree: TargetTree,
  files: Map<string, PublishedFile>,
  changes: ContentChange[],
): Promise<Written> => {
  let read = 0;
  const postponed: string[] = [];
  const unavailable: FileUnavailable[] = [];
  const isDone = ([path, version]: readonly [string, string]): boolean => {
    const [before, there] = [files.get(path), tree.files.get(path)];
    return before?.version === version && before.stamp === there;
  };
  const left = [...wanted].filter((one) => !isDone(one));
  await inParallel(left, o.source.paceOf(o.where).filesAtOnce, async ([path, version]) => {
    o.signal.throwIfAborted();
    const [before, there] = [files.get(path), tree.files.get(path)];
    try {
      const after = await writeOne(o, path, version, { published: before, there });
      files.set(path, after);
      read += 1;
      // a run that was killed may have put it there, without a record
      const kind = before === undefined || there === undefined ? 'added' : 'changed';
      if (after.stamp !== there) changes.push({ path, kind });
    } catch (error) {
      if (error instanceof VersionGone) postponed.push(path);
      else if (error instanceof FileUnavailable && unavailable.length < mostUnavailable)
        unavailable.push(error);
      else throw error;
    }
  });
  return { read, postponed, fault: unavailable[0] };
};

const removeRest = async (
  o: PublishOptions,
  wanted: Map<string, string>,
  tree: TargetTree,
  files: Map<string, PublishedFile>,
  changes: ContentChange[],
): Promise<void> => {
  for (const path of [...tree.files.keys(), ...tree.others]) {
    if (wanted.has(path)) continue;
    o.signal.throwIfAborted();
    await unlink(join(o.target, path)).catch((error: unknown) => {
      // its folder was replaced by a file, or it by a folder
      if (!['ENOENT', 'ENOTDIR', 'EISDIR', 'EPERM'].includes(codeOf(error) ?? '')) throw error;
    });
    files.delete(path);
    if (!basename(path).startsWith(temporaryPrefix)) changes.push({ path, kind: 'removed' });
  }
  const kept = foldersOf(wanted.keys());
  for (const cache of tree.caches) {
    const parent = dirname(cache);
    if (parent !== '.' && !kept.has(parent))
      await rm(join(o.target, cache), { recursive: true, force: true }).catch((error: unknown) => {
        // its folder is a file by now
        if (codeOf(error) !== 'ENOTDIR') throw error;
      });
  }
  await removeEmptyFolders(
    o.target,
    tree.folders.filter((folder) => !kept.has(folder)),
  );
};

/** Forgets what is not wanted any more; gives what a run that was killed had removed, without a record. */
const forgetRest = (
  wanted: Map<string, string>,
  tree: TargetTree,
  files: Map<string, PublishedFile>,
): ContentChange[] => {
  const rest = [...files.keys()].filter((path) => !wanted.has(path));
  for (const path of rest) files.delete(path);
  return rest.filter((path) => !tree.files.has(path)).map((path) => ({ path, kind: 'removed' }));
};

/** True while an empty listing must not be believed yet. */
const waitsForEmpty = (files: number, emptyFor: number): boolean =>
  files > 0 && emptyFor < (files === 1 ? emptyUntil.last : emptyUntil.several);

const resultOf = (
  changes: readonly ContentChange[],
  left: Pick<PublishResult, 'postponed' | 'refused' | 'isWhole'>,
): PublishResult => {
  const count = (kind: ContentChange['kind']): number =>
    changes.filter((change) => change.kind === kind).length;
  return {
    ...{ changes, added: count('added'), changed: count('changed'), removed: count('removed') },
    ...left,
  };
};

/**
 * Makes the target equal to a listing of the source: changed files by temporary file and rename, deletions last,
 * unchanged files untouched. An empty listing replaces several files only when it was seen for 10 s. May be killed at any
 * line: what is left over is put right by the next run. Throws SourceUnavailable, file system errors, and the
 * reason of an abort; what was published until then stays.
 */
export const publish = async (o: PublishOptions, listing: Listing): Promise<PublishResult> => {
  const { wanted, refused } = split(listing);
  const before = o.state.read();
  const tree = await readTree(o.target);
  if (wanted.size === 0 && waitsForEmpty(tree.files.size, o.emptyFor ?? 0))
    return resultOf([], { postponed: [], refused, isWhole: false });
  const files = new Map(before.files);
  const changes = forgetRest(wanted, tree, files);
  await makeFolders(o.target, '', o.owner);
  let isWhole = false;
  let written: Written = { read: 0, postponed: [], fault: undefined };
  const result = (): PublishResult => resultOf(changes, { postponed: written.postponed, refused, isWhole });
  try {
    written = await writeAll(o, wanted, tree, files, changes);
    await removeRest(o, wanted, tree, files, changes);
    isWhole = written.postponed.length === 0 && written.fault === undefined;
  } finally {
    const isChanged = changes.length > 0;
    const state = newState(isChanged ? nowOf(o) : before.since, files);
    if (isChanged) await o.record?.(result(), state.version);
    if (!isWhole || written.read > 0 || isChanged) await o.state.write(state);
    if (isChanged) o.published?.(result());
  }
  if (written.fault !== undefined) throw written.fault;
  return result();
};
