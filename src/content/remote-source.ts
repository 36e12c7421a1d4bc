import type { Readable } from 'node:stream';
import { prefixOf } from '../contract/arn.ts';
import { FileUnavailable, SourceUnavailable, VersionGone } from '../environments/errors.ts';
import type { ContentLocation } from '../environments/record.ts';
import { textOf } from '../lib/errors.ts';
import { type ContentLimits, type ContentSource, type Listing, mostContent } from './source.ts';
import { cacheName } from './target-tree.ts';

/** A bucket of another server. What goes wrong is thrown with a text for people. */
export interface RemoteObjects {
  /** Objects whose keys begin so, page by page. */
  pages(
    prefix: string,
    signal: AbortSignal,
  ): AsyncIterable<readonly { readonly key: string; readonly size: number; readonly etag: string }[]>;
  /** Undefined when no object of this key has this ETag. `told` makes the error of bytes that break off. */
  open(
    key: string,
    which: { readonly etag: string },
    signal: AbortSignal,
    told: (error: unknown) => Error,
  ): Promise<{ readonly bytes: Readable } | undefined>;
}

/** The bucket that a location names, and where it is, for people. */
export interface RemoteLocation {
  readonly objects: RemoteObjects;
  readonly place: string;
}

/** Each look is a request that AWS charges for. */
const pace = { least: 5_000, most: 60_000, mostAfterFailures: 60_000, filesAtOnce: 8 } as const;

/** Milliseconds for a whole listing. */
const listWithin = 300_000;

/** A reason with the place it is about. */
export const unavailable = (where: ContentLocation, place: string, error: unknown): SourceUnavailable =>
  new SourceUnavailable(`Cannot read ${where.bucketArn} (${place}): ${textOf(error)}.`, error);

const asError = (reason: unknown): Error => (reason instanceof Error ? reason : new Error(String(reason)));

/** S3 answers 4xx for one object, such as one in an archive, or one that may not be read; others may be readable. */
const isAboutObject = (error: unknown): boolean => {
  const { answer } = error as { readonly answer?: { readonly status: number; readonly code: string } };
  return answer !== undefined && [400, 403, 404].includes(answer.status) && answer.code !== 'NoSuchBucket';
};

const fileFault = (where: ContentLocation, place: string, key: string, error: unknown): SourceUnavailable => {
  const text = `Cannot read ${shown(key)} in ${where.bucketArn} (${place}): ${textOf(error)}.`;
  return isAboutObject(error) ? new FileUnavailable(text, error) : new SourceUnavailable(text, error);
};

/** A key for a message: it may hold anything, and a thousand bytes of it. */
const shown = (key: string): string => `"${key.replace(/\p{Cc}/gu, ' ').slice(0, 200)}"`;

const isLeftOut = (path: string): boolean =>
  path === '' || path.endsWith('/') || path.split('/').includes(cacheName);

const listBelow = async (
  objects: RemoteObjects,
  prefix: string,
  limits: ContentLimits,
  signal: AbortSignal,
): Promise<Listing> => {
  const listing = new Map<string, { size: number; version: string }>();
  let [seen, bytes] = [0, 0];
  for await (const page of objects.pages(prefix, signal)) {
    seen += page.length;
    if (seen > limits.files) throw new Error(`it holds more than ${limits.files} objects below "${prefix}"`);
    for (const { key, size, etag } of page) {
      if (!key.startsWith(prefix)) throw new Error(`it lists the key ${shown(key)} below "${prefix}"`);
      const path = key.slice(prefix.length);
      if (isLeftOut(path)) continue;
      bytes += size;
      listing.set(path, { size, version: etag });
    }
    if (bytes > limits.bytes) throw new Error(`it holds more than ${limits.bytes} bytes below "${prefix}"`);
  }
  return listing;
};

/** Buckets of other servers. A version is the ETag, by which S3 gives those bytes or none. */
export const createRemoteSource = (o: {
  readonly find: (where: ContentLocation) => RemoteLocation;
  readonly limits?: ContentLimits;
}): ContentSource => ({
  list: async (where, signal) => {
    const { objects, place } = o.find(where);
    const late = AbortSignal.timeout(listWithin);
    try {
      const ended = AbortSignal.any([signal, late]);
      return await listBelow(objects, prefixOf(where.path), o.limits ?? mostContent, ended);
    } catch (error) {
      signal.throwIfAborted();
      const isLate = late.aborted;
      throw unavailable(where, place, isLate ? new Error('its listing takes more than 5 minutes') : error);
    }
  },
  open: async (where, path, version, signal) => {
    const { objects, place } = o.find(where);
    const key = prefixOf(where.path) + path;
    const failed = (error: unknown): Error =>
      signal.aborted ? asError(signal.reason) : fileFault(where, place, key, error);
    const opened = await objects.open(key, { etag: version }, signal, failed).catch((error: unknown) => {
      throw failed(error);
    });
    if (opened === undefined) throw new VersionGone(path);
    return opened.bytes;
  },
  watch: () => undefined,
  canWatch: () => false,
  paceOf: () => pace,
});
