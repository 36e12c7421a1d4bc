import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rename, rm, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { VersionGone } from '../environments/errors.ts';
import type { ContentLocation } from '../environments/record.ts';
import { codeOf } from '../lib/errors.ts';
import { isPublishable, temporaryPrefix } from './location.ts';
import { type PublishState, readState, writeState } from './publish-state.ts';
import type { ContentSource } from './source.ts';
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
  readonly stateFile: string;
  readonly owner: TreeOwner;
  readonly signal: AbortSignal;
  /** Epoch milliseconds; the machine's clock unless told. */
  readonly now?: () => number;
}

export interface PublishResult {
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
  /** Files that changed while they were read: the older version stays; publish again soon. */
  readonly postponed: number;
  /** Paths that cannot be files below the target, or that are both a file and a folder. */
  readonly refused: readonly string[];
}

type Listing = Awaited<ReturnType<ContentSource['list']>>;

/** An empty listing counts only when it was seen again after this many milliseconds. */
const emptyFor = 10_000;

const foldersOf = (paths: Iterable<string>): Set<string> => {
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

/** Writes one file aside and renames it into place, so that nobody sees half a file. */
const writeOne = async (o: PublishOptions, path: string, version: string): Promise<string> => {
  const file = join(o.target, path);
  await makeFolders(o.target, path, o.owner);
  const bytes = await o.source.open(o.where, path, version);
  const temporary = join(dirname(file), `${temporaryPrefix}${randomBytes(6).toString('hex')}`);
  try {
    await pipeline(bytes, createWriteStream(temporary, { flags: 'wx', mode: 0o600 }), { signal: o.signal });
    await own(temporary, o.owner, o.owner.fileMode);
    const stamp = await stampOf(temporary);
    await clearForFile(file);
    await rename(temporary, file);
    return stamp;
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
};

/** Writes what differs; gives the number of files that are new, changed and put off. */
const writeAll = async (
  o: PublishOptions,
  wanted: Map<string, string>,
  tree: TargetTree,
  state: PublishState,
) => {
  const count = { added: 0, changed: 0, postponed: 0 };
  for (const [path, version] of wanted) {
    o.signal.throwIfAborted();
    const [before, there] = [state.files.get(path), tree.files.get(path)];
    if (before?.version === version && before.stamp === there) continue;
    try {
      state.files.set(path, { version, stamp: await writeOne(o, path, version) });
      count[there === undefined ? 'added' : 'changed'] += 1;
    } catch (error) {
      if (!(error instanceof VersionGone)) throw error;
      count.postponed += 1;
    }
  }
  return count;
};

const removeRest = async (
  o: PublishOptions,
  wanted: Map<string, string>,
  tree: TargetTree,
  state: PublishState,
) => {
  let removed = 0;
  for (const path of [...tree.files.keys(), ...tree.others]) {
    if (wanted.has(path)) continue;
    o.signal.throwIfAborted();
    await unlink(join(o.target, path)).catch((error: unknown) => {
      // its folder was replaced by a file, or it by a folder
      if (!['ENOENT', 'ENOTDIR', 'EISDIR', 'EPERM'].includes(codeOf(error) ?? '')) throw error;
    });
    state.files.delete(path);
    if (!basename(path).startsWith(temporaryPrefix)) removed += 1;
  }
  const kept = foldersOf(wanted.keys());
  for (const cache of tree.caches) {
    const parent = dirname(cache);
    if (parent !== '.' && !kept.has(parent))
      await rm(join(o.target, cache), { recursive: true, force: true });
  }
  await removeEmptyFolders(
    o.target,
    tree.folders.filter((folder) => !kept.has(folder)),
  );
  return removed;
};

/** True while an empty listing must not be believed yet. */
const waitsForEmpty = (state: PublishState, now: number): boolean =>
  state.emptySince === undefined || state.emptySince > now || now - state.emptySince < emptyFor;

/**
 * Makes the target equal to the source's listing: changed files by temporary file and rename, deletions last,
 * unchanged files untouched. An empty listing replaces a tree only when it was seen for 10 s. May be killed at any
 * line: what is left over is put right by the next run. Throws SourceUnavailable, file system errors, and the
 * reason of an abort; what was published until then stays.
 */
export const publish = async (o: PublishOptions): Promise<PublishResult> => {
  const { wanted, refused } = split(await o.source.list(o.where, o.signal));
  const before = readState(o.stateFile);
  const tree = await readTree(o.target);
  const now = (o.now ?? Date.now)();
  if (wanted.size === 0 && tree.files.size > 0 && waitsForEmpty(before, now)) {
    const believed = before.emptySince !== undefined && before.emptySince <= now ? before.emptySince : now;
    if (before.emptySince !== believed) writeState(o.stateFile, { ...before, emptySince: believed });
    return { added: 0, changed: 0, removed: 0, postponed: 0, refused };
  }
  const state: PublishState = { emptySince: undefined, files: before.files };
  for (const path of state.files.keys()) if (!wanted.has(path)) state.files.delete(path);
  await makeFolders(o.target, '', o.owner);
  let result: PublishResult | undefined;
  try {
    const written = await writeAll(o, wanted, tree, state);
    result = { ...written, removed: await removeRest(o, wanted, tree, state), refused };
    return result;
  } finally {
    const quiet =
      result && result.added + result.changed + result.removed === 0 && before.emptySince === undefined;
    if (!quiet) writeState(o.stateFile, state);
  }
};
