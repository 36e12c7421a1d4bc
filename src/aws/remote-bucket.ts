import type { Readable } from 'node:stream';
import type { ListObjectsV2CommandOutput, S3Client } from '@aws-sdk/client-s3';
import { guardedBody } from './guarded-body.ts';
import { answerOf, faultText } from './s3-error.ts';

/** An object in a listing. */
export interface RemoteObject {
  readonly key: string;
  readonly size: number;
  /** As S3 gave it, with quotation marks. */
  readonly etag: string;
}

/** Exactly these bytes of a key: those with an ETag, or those of a version. */
export type Which = { readonly etag: string } | { readonly versionId: string };

export interface RemoteBucketOptions {
  readonly bucket: string;
  /** Where it is, for people. */
  readonly place: string;
  /** The account that must own the bucket. */
  readonly owner: string | undefined;
  /** Made at the first use. */
  readonly client: () => Promise<S3Client>;
}

type Sdk = typeof import('@aws-sdk/client-s3');

/** Bytes that a body must bring within so many milliseconds: what our own S3 asks of those who send. */
const pace = { within: 30_000, least: 16_384 } as const;

/** Objects of one page: a larger one would hold the server up while it is parsed. */
const pageSize = 250;

/** Milliseconds until an answer begins, with all tries. */
const answerWithin = 60_000;

/** A bucket of AWS or of another server of S3, to be read. */
export class RemoteBucket {
  readonly #o: RemoteBucketOptions;

  constructor(options: RemoteBucketOptions) {
    this.#o = options;
  }

  /** Where it is, for people. */
  get place(): string {
    return this.#o.place;
  }

  /**
   * The objects whose keys begin so, page by page.
   * @throws Error that says why they cannot be listed
   */
  async *pages(prefix: string, signal: AbortSignal): AsyncGenerator<readonly RemoteObject[]> {
    let token: string | undefined;
    do {
      const { objects, next } = await this.#page(prefix, token, signal);
      if (next !== undefined && next === token) throw new Error(`${endless}, but gives the same page again`);
      yield objects;
      token = next;
    } while (token !== undefined);
  }

  async #page(prefix: string, token: string | undefined, signal: AbortSignal) {
    const answer = await this.#ask(signal, ({ ListObjectsV2Command }, client, abortSignal) =>
      client.send(
        new ListObjectsV2Command({
          ...{ ...this.#names, Prefix: prefix, ContinuationToken: token, MaxKeys: pageSize },
          // XML has no way to write some characters that keys may hold
          EncodingType: 'url',
        }),
        { abortSignal },
      ),
    );
    return pageOf(answer);
  }

  /**
   * The bytes of an object with their number; undefined when it is not there any more, or is another one. `told` makes the
   * error of bytes that break off.
   * @throws RemoteFault that says why it cannot be read
   */
  async open(
    key: string,
    which: Which,
    signal: AbortSignal,
    told: (error: unknown) => Error,
  ): Promise<{ readonly bytes: Readable; readonly size: number } | undefined> {
    const asked = 'etag' in which ? { IfMatch: which.etag } : { VersionId: which.versionId };
    const get = () =>
      this.#ask(signal, ({ GetObjectCommand }, client, abortSignal) =>
        client.send(new GetObjectCommand({ ...this.#names, Key: key, ...asked }), { abortSignal }),
      );
    const answer = await unless('etag' in which ? isOtherByNow : isNoVersion, get);
    if (answer === undefined) return undefined;
    const { Body, ContentLength: size } = answer;
    const body = Body as Readable | undefined;
    if (body !== undefined && size !== undefined)
      return { bytes: guardedBody(body, { ...pace, told: (error) => told(new RemoteFault(error)) }), size };
    body?.destroy();
    throw new Error('its answer does not say how long the object is');
  }

  /**
   * True when the object is there, or that version of it. A version is asked for its first byte: the answer to HEAD does not
   * say whether it is the version that is wrong, or the credentials.
   * @throws Error that says why it is not known
   */
  async has(key: string, versionId: string | undefined, signal: AbortSignal): Promise<boolean> {
    if (versionId !== undefined) return this.#hasVersion(key, versionId, signal);
    const head = () =>
      this.#ask(signal, ({ HeadObjectCommand }, client, abortSignal) =>
        client.send(new HeadObjectCommand({ ...this.#names, Key: key }), { abortSignal }),
      );
    return (await unless(({ status }) => status === 404, head)) !== undefined;
  }

  async #hasVersion(key: string, versionId: string, signal: AbortSignal): Promise<boolean> {
    const asked = { ...this.#names, Key: key, VersionId: versionId, Range: 'bytes=0-0' };
    const get = () =>
      this.#ask(signal, async ({ GetObjectCommand }, client, abortSignal) => {
        const { Body } = await client.send(new GetObjectCommand(asked), { abortSignal });
        (Body as Readable | undefined)?.destroy();
        return true;
      });
    try {
      return (await unless(isNoVersion, get)) !== undefined;
    } catch (error) {
      // it is there, and empty
      if (error instanceof RemoteFault && error.answer?.status === 416) return true;
      throw error;
    }
  }

  get #names() {
    return { Bucket: this.#o.bucket, ExpectedBucketOwner: this.#o.owner };
  }

  async #ask<T>(
    signal: AbortSignal,
    send: (sdk: Sdk, client: S3Client, abortSignal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const [sdk, client] = [await import('@aws-sdk/client-s3'), await this.#o.client()];
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), answerWithin);
    try {
      return await send(sdk, client, AbortSignal.any([signal, late.signal]));
    } catch (error) {
      signal.throwIfAborted();
      throw new RemoteFault(error);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** What went wrong with a bucket of another server, with a text for people. */
export class RemoteFault extends Error {
  /** Undefined when there was none. */
  readonly answer: { readonly status: number; readonly code: string } | undefined;

  constructor(cause: unknown) {
    super(faultText(cause), { cause });
    this.answer = answerOf(cause);
  }
}

type FaultAnswer = NonNullable<RemoteFault['answer']>;

const isOtherByNow = ({ status, code }: FaultAnswer): boolean =>
  status === 412 || (status === 404 && code !== 'NoSuchBucket');

/** 405 is the answer for a deletion marker; 400 may have other reasons, such as credentials that have expired. */
const isNoVersion = ({ status, code }: FaultAnswer): boolean =>
  status === 405 ||
  (status === 404 && code !== 'NoSuchBucket') ||
  (status === 400 && ['InvalidArgument', 'NoSuchVersion'].includes(code));

/** Undefined where the answer is such a one. */
const unless = async <T>(
  isSuch: (answer: FaultAnswer) => boolean,
  work: () => Promise<T>,
): Promise<T | undefined> => {
  try {
    return await work();
  } catch (error) {
    if (error instanceof RemoteFault && error.answer !== undefined && isSuch(error.answer)) return undefined;
    throw error;
  }
};

const endless = 'the server says that its listing goes on';
const noListing = 'the server gave an answer that is no listing of a bucket';

/** A page that may be believed: an empty one makes every DAG go. @throws Error for whatever S3 would not answer */
const pageOf = (
  answer: ListObjectsV2CommandOutput,
): { readonly objects: readonly RemoteObject[]; readonly next: string | undefined } => {
  const {
    Name,
    Contents = [],
    IsTruncated,
    KeyCount = Contents.length,
    NextContinuationToken: next,
  } = answer;
  if (!Name || IsTruncated === undefined || KeyCount !== Contents.length) throw new Error(noListing);
  if (IsTruncated && next === undefined) throw new Error(`${endless}, but not where`);
  const plain = answer.EncodingType === 'url' ? decoded : (key: string) => key;
  const objects = Contents.map(({ Key, Size, ETag }): RemoteObject => {
    if (!Key || ETag === undefined || Size === undefined || !Number.isSafeInteger(Size) || Size < 0)
      throw new Error(noListing);
    return { key: plain(Key), size: Size, etag: ETag };
  });
  return { objects, next: IsTruncated ? next : undefined };
};

/** A key of a listing, as forms encode it. */
const decoded = (key: string): string => {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '));
  } catch {
    throw new Error('its listing has a key that is not encoded as it says');
  }
};
