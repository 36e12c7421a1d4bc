import { textOf } from '../lib/errors.ts';
import type { BucketContext } from './context.ts';
import { isFolderKey } from './names.ts';
import type { Settled } from './seen-file.ts';
import { nothingToSee, type VersionRow } from './table.ts';

/** Of a file that people put while its key was changed: no file has it, so that the next look takes that one in. */
const anotherFile = 'another';

const hide = async (c: BucketContext, bucket: string, key: string, settled: Settled): Promise<string> => {
  const o = { settled, kept: await c.keptFolders(bucket) };
  return (await c.visible(bucket).hide(key, o)) ? nothingToSee : anotherFile;
};

/** Makes what people see under a key equal to its latest version; gives what tells the file then. */
const show = async (c: BucketContext, row: VersionRow, settled: Settled): Promise<string> => {
  const { bucket, key, file, lastModified: modified } = row;
  if (row.isMarker || file === undefined) return hide(c, bucket, key, settled);
  if (!isFolderKey(key)) {
    const stored = c.files.path(bucket, file);
    return (await c.visible(bucket).show(key, { stored, modified }, settled)) ?? anotherFile;
  }
  await c.visible(bucket).makeFolder(key);
  return nothingToSee;
};

/**
 * Shows the latest version of a key, whose lock the caller holds; `known` is that version, where the caller has it. A file that
 * people saved since the key was settled stays, and becomes a version at the next look. What cannot be shown now is
 * logged, and shown at the next look: the version is kept all the same. Gives false then.
 */
export const showLatest = async (
  c: BucketContext,
  bucket: string,
  key: string,
  { known, settled }: { readonly known?: VersionRow; readonly settled?: Settled } = {},
): Promise<boolean> => {
  try {
    const row = known ?? (await c.table.latest(bucket, key));
    if (row === undefined) await hide(c, bucket, key, settled);
    else c.seen.add({ ...row, seen: await show(c, row, settled) });
    return true;
  } catch (error) {
    c.log.error('object not shown in its folder', { bucket, path: key, reason: textOf(error) });
    return false;
  }
};
