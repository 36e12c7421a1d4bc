import type { ContentSource } from '../content/source.ts';
import { SourceUnavailable } from '../environments/errors.ts';
import type { ContentLocation } from '../environments/record.ts';

/** A bucket that cannot be listed, or lacks a file, is a fault of the request; what it holds may change later. */
export const checkBucket =
  (source: ContentSource) =>
  async (folder: ContentLocation, files: readonly string[]): Promise<void> => {
    const signal = AbortSignal.timeout(5_000);
    await source.list(folder, signal);
    for (const file of files) {
      const at = file.lastIndexOf('/');
      const listing = await source.list({ ...folder, path: file.slice(0, Math.max(0, at)) }, signal);
      if (!listing.has(file.slice(at + 1)))
        throw new SourceUnavailable(`There is no file ${file} in ${folder.bucketArn}. Put it there first.`);
    }
  };
