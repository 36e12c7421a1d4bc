import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { createHasher } from '../../bucket/checksums.ts';
import { measureBody } from '../../bucket/measured-body.ts';
import type {
  Bucket,
  Buckets,
  ListPage,
  ListRequest,
  ObjectVersion,
  Part,
  PutRequest,
  Upload,
  WriteConditions,
} from '../../bucket/objects.ts';
import { newVersionId } from '../../bucket/version-ids.ts';
import { noSuchBucket, noSuchKey, noSuchUpload, noSuchVersion, s3Error } from '../../contract/s3-errors.ts';
import type { Transaction } from '../../lib/transaction.ts';

/** For tests of this room only: buckets in memory, as simple as they can be. */

interface Kept {
  readonly version: ObjectVersion;
  readonly bytes: Buffer;
}

interface KeptUpload {
  readonly upload: Upload;
  readonly parts: Map<number, { readonly part: Part; readonly bytes: Buffer }>;
}

const compare = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

const tx = {} as Transaction;

/** A page of things with keys, in order; those with a common prefix are told as one. */
const pageOf = <T extends { readonly key: string }>(
  all: readonly T[],
  { prefix, delimiter, after, most }: ListRequest,
  isAfter: (one: T) => boolean,
): ListPage<T> => {
  const rows: { readonly name: string; readonly one?: T }[] = [];
  for (const one of all) {
    if (!one.key.startsWith(prefix)) continue;
    const at = delimiter === '' ? -1 : one.key.indexOf(delimiter, prefix.length);
    const common = at < 0 ? undefined : one.key.slice(0, at + delimiter.length);
    if (common === undefined ? !isAfter(one) : compare(common, after) <= 0) continue;
    if (common === undefined) rows.push({ name: one.key, one });
    else if (rows.at(-1)?.name !== common) rows.push({ name: common });
  }
  const page = rows.slice(0, most);
  return {
    found: page.flatMap(({ one }) => one ?? []),
    commonPrefixes: page.flatMap(({ name, one }) => (one ? [] : [name])),
    isTruncated: rows.length > most,
    last: page.at(-1)?.name,
  };
};

const measured = async (put: Pick<PutRequest, 'body' | 'expected'>) => {
  const chunks: Uint8Array[] = [];
  const found = await measureBody(put.body, put.expected, (chunk) => void chunks.push(chunk));
  return { ...found, bytes: Buffer.concat(chunks) };
};

export const testBuckets = () => {
  const buckets = new Map<string, Bucket>();
  const objects = new Map<string, Kept[]>();
  const uploads = new Map<string, KeptUpload>();
  let ids = 0;
  const place = (bucket: string, key: string): string => `${bucket}/${key}`;
  const known = (name: string): Bucket => {
    const bucket = buckets.get(name);
    if (!bucket) throw noSuchBucket(name);
    return bucket;
  };
  const ofKey = (bucket: string, key: string): Kept[] => objects.get(place(bucket, key)) ?? [];
  const latest = (bucket: string, key: string): Kept | undefined => ofKey(bucket, key)[0];
  const check = (kept: Kept | undefined, { ifMatch, ifNoneMatch }: WriteConditions): void => {
    const etag = kept?.version.isMarker ? undefined : kept?.version.etag;
    if (ifMatch !== undefined && ifMatch !== etag && !(ifMatch === '*' && etag !== undefined))
      throw s3Error('PreconditionFailed', 'no', { members: { Condition: 'If-Match' } });
    if (ifNoneMatch !== undefined && etag !== undefined)
      throw s3Error('PreconditionFailed', 'no', { members: { Condition: 'If-None-Match' } });
  };
  const keep = (
    version: Omit<ObjectVersion, 'versionId' | 'isLatest' | 'lastModified'>,
    bytes: Buffer,
  ): ObjectVersion => {
    const isKept = known(version.bucket).versioning === 'Enabled';
    ids += 1;
    const made = {
      ...{ ...version, isLatest: true, lastModified: Date.UTC(2026, 10, 27, 12, 0, 0, 500) },
      versionId: isKept ? newVersionId('Enabled') : 'null',
    };
    const before = ofKey(version.bucket, version.key)
      .filter((kept) => isKept || kept.version.versionId !== 'null')
      .map((kept) => ({ ...kept, version: { ...kept.version, isLatest: false } }));
    objects.set(place(version.bucket, version.key), [{ version: made, bytes }, ...before]);
    return made;
  };
  const change = async (name: string, to: Partial<Bucket>, record: PutRequest['record']): Promise<void> => {
    const bucket = known(name);
    await record(tx, { versionId: undefined });
    buckets.set(name, { ...bucket, ...to });
  };
  const allVersions = (bucket: string): readonly ObjectVersion[] =>
    [...objects.values()]
      .flat()
      .map(({ version }) => version)
      .filter((version) => version.bucket === bucket)
      .sort((a, b) => compare(a.key, b.key));
  const upload = (uploadId: string): KeptUpload => {
    const found = uploads.get(uploadId);
    if (!found) throw noSuchUpload(uploadId);
    return found;
  };
  const port: Buckets = {
    list: async () => [...buckets.values()].sort((a, b) => compare(a.name, b.name)),
    find: async (name) => buckets.get(name),
    create: async (name, record) => {
      if (buckets.has(name)) throw s3Error('BucketAlreadyOwnedByYou', 'there');
      await record(tx, { versionId: undefined });
      const bucket = {
        ...{ name, createdAt: 0, versioning: 'Unset' as const },
        ...{ policy: undefined, publicAccessBlock: undefined },
      };
      buckets.set(name, bucket);
      return bucket;
    },
    remove: async (name, record) => {
      known(name);
      if (allVersions(name).length > 0) throw s3Error('BucketNotEmpty', 'not empty');
      await record(tx, { versionId: undefined });
      buckets.delete(name);
    },
    setVersioning: (name, versioning, record) => change(name, { versioning }, record),
    setPolicy: (name, policy, record) => change(name, { policy }, record),
    setPublicAccessBlock: (name, publicAccessBlock, record) => change(name, { publicAccessBlock }, record),
    version: async (bucket, key, versionId) => {
      const all = ofKey(bucket, key);
      const found =
        versionId === undefined ? all[0] : all.find(({ version }) => version.versionId === versionId);
      if (found) return found.version;
      throw versionId === undefined ? noSuchKey(key) : noSuchVersion(key, versionId);
    },
    read: async ({ bucket, key, versionId }, range) => {
      const found = ofKey(bucket, key).find(({ version }) => version.versionId === versionId);
      if (!found) throw noSuchVersion(key, versionId);
      return Readable.from([range ? found.bytes.subarray(range.first, range.last + 1) : found.bytes]);
    },
    put: async (request) => {
      known(request.bucket);
      const { bytes, md5, checksum, size } = await measured(request);
      check(latest(request.bucket, request.key), request.conditions);
      const version = keep(
        {
          ...{ bucket: request.bucket, key: request.key, ...request.facts, size, etag: md5 },
          ...{ isMarker: false, checksum: { ...checksum, type: 'FULL_OBJECT' }, partSizes: undefined },
        },
        bytes,
      );
      await request.record(tx, { versionId: version.versionId });
      return version;
    },
    copy: async ({ from, bucket, key, facts, conditions, record }) => {
      const source = ofKey(from.bucket, from.key).find(({ version }) => version.versionId === from.versionId);
      if (!source) throw noSuchKey(from.key);
      check(latest(bucket, key), conditions);
      const version = keep({ ...from, ...facts, bucket, key }, source.bytes);
      await record(tx, { versionId: version.versionId });
      return version;
    },
    setTags: async (version, tags, record) => {
      await record(tx, { versionId: version.versionId });
      objects.set(
        place(version.bucket, version.key),
        ofKey(version.bucket, version.key).map((kept) =>
          kept.version.versionId === version.versionId
            ? { ...kept, version: { ...kept.version, tags } }
            : kept,
        ),
      );
    },
    delete: async ({ bucket, key, versionId, ifMatch, record }) => {
      check(latest(bucket, key), ifMatch === undefined ? {} : { ifMatch });
      if (versionId === undefined && known(bucket).versioning === 'Enabled') {
        const nothing = { headers: {}, metadata: {}, tags: [], size: 0, etag: '' };
        const marker = keep(
          { bucket, key, ...nothing, isMarker: true, checksum: undefined, partSizes: undefined },
          Buffer.alloc(0),
        );
        await record(tx, { versionId: marker.versionId });
        return { versionId: marker.versionId, isMarker: true };
      }
      const wanted = versionId ?? 'null';
      const all = ofKey(bucket, key);
      const gone = all.find(({ version }) => version.versionId === wanted);
      await record(tx, { versionId: gone?.version.versionId });
      objects.set(
        place(bucket, key),
        all.filter((kept) => kept !== gone),
      );
      return { versionId: gone?.version.versionId, isMarker: gone?.version.isMarker ?? false };
    },
    objects: async (request) =>
      pageOf(
        allVersions(request.bucket).filter(({ isLatest, isMarker }) => isLatest && !isMarker),
        request,
        ({ key }) => compare(key, request.after) > 0,
      ),
    versions: async (request) => {
      const all = allVersions(request.bucket);
      const at = all.findIndex(
        ({ key, versionId }) => key === request.after && versionId === request.afterVersion,
      );
      return pageOf(all, request, (one) =>
        at >= 0 ? all.indexOf(one) > at : compare(one.key, request.after) > 0,
      );
    },
    beginUpload: async ({ bucket, key, facts, checksum, record }) => {
      known(bucket);
      ids += 1;
      const begun = { bucket, key, facts, checksum, uploadId: `u${ids}`, initiatedAt: 0 };
      await record(tx, { versionId: undefined });
      uploads.set(begun.uploadId, { upload: begun, parts: new Map() });
      return begun;
    },
    upload: async (_bucket, _key, uploadId) => upload(uploadId).upload,
    putPart: async ({ upload: { uploadId }, number, body, expected }) => {
      const { bytes, md5, checksum, size } = await measured({ body, expected });
      const part = { number, size, etag: md5, checksum, lastModified: 0 };
      upload(uploadId).parts.set(number, { part, bytes });
      return part;
    },
    complete: async ({ upload: { bucket, key, uploadId, facts }, parts, conditions, record }) => {
      if (parts.some(({ number }, i) => number <= (parts[i - 1]?.number ?? 0)))
        throw s3Error('InvalidPartOrder', 'not in order');
      const kept = parts.map(({ number, etag }) => {
        const found = upload(uploadId).parts.get(number);
        if (found?.part.etag !== etag) throw s3Error('InvalidPart', 'not there');
        return found;
      });
      check(latest(bucket, key), conditions);
      const bytes = Buffer.concat(kept.map((one) => one.bytes));
      const etag = `${createHash('md5')
        .update(kept.map(({ part }) => part.etag).join())
        .digest('hex')}-${kept.length}`;
      const hasher = createHasher('CRC64NVME');
      hasher.update(bytes);
      const version = keep(
        {
          ...{
            bucket,
            key,
            ...facts,
            size: bytes.length,
            etag,
            isMarker: false,
            partSizes: kept.map(({ bytes }) => bytes.length),
          },
          checksum: { name: 'CRC64NVME', type: 'FULL_OBJECT', value: hasher.digest() },
        },
        bytes,
      );
      await record(tx, { versionId: version.versionId });
      uploads.delete(uploadId);
      return version;
    },
    abort: async ({ uploadId }, record) => {
      upload(uploadId);
      await record(tx, { versionId: undefined });
      uploads.delete(uploadId);
    },
    uploads: async (request) => {
      const all = [...uploads.values()]
        .map((kept) => kept.upload)
        .filter(({ bucket }) => bucket === request.bucket)
        .sort((a, b) => compare(a.key, b.key));
      return pageOf(all, request, ({ key }) => compare(key, request.after) > 0);
    },
    parts: async ({ uploadId }, { after, most }) => {
      const all = [...upload(uploadId).parts.values()]
        .map(({ part }) => part)
        .filter(({ number }) => number > after)
        .sort((a, b) => a.number - b.number);
      return { parts: all.slice(0, most), isTruncated: all.length > most };
    },
  };
  return port;
};
