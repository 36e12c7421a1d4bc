import type { Readable } from 'node:stream';
import type { S3Client } from '@aws-sdk/client-s3';
import { failOnSilence } from './fail-on-silence.ts';
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
  /** The account that must own the bucket. */
  readonly owner: string | undefined;
  /** Made at the first use. */
  readonly client: () => Promise<S3Client>;
}

type Sdk = typeof import('@aws-sdk/client-s3');

/** Milliseconds without a byte after which a body is given up. */
const silence = 30_000;

/** Milliseconds until an answer begins, with all tries. */
const answerWithin = 60_000;

/** A bucket of AWS or of another server of S3, to be read. */
export class RemoteBucket {
  readonly #o: RemoteBucketOptions;

  constructor(options: RemoteBucketOptions) {
    this.#o = options;
  }

  /**
   * The objects whose keys begin so, page by page.
   * @throws Error that says why they cannot be listed
   */
  async *pages(prefix: string, signal: AbortSignal): AsyncGenerator<readonly RemoteObject[]> {
    let token: string | undefined;
    do {
      const { objects, next } = await this.#page(prefix, token, signal);
      if (next !== undefined && next === token) throw new Error('its listing does not go on');
      yield objects;
      token = next;
    } while (token !== undefined);
  }

  async #page(prefix: string, token: string | undefined, signal: AbortSignal) {
    const answer = await this.#ask(signal, ({ ListObjectsV2Command }, client, abortSignal) =>
      client.send(
        new ListObjectsV2Command({
          ...{ ...this.#names, Prefix: prefix, ContinuationToken: token },
          // XML has no way to write some characters that keys may hold
          EncodingType: 'url',
        }),
        { abortSignal },
      ),
    );
    const { Contents = [], IsTruncated, NextContinuationToken } = answer;
    if (IsTruncated && NextContinuationToken === undefined) throw new Error('its listing does not go on');
    const plain = answer.EncodingType === 'url' ? decoded : (key: string) => key;
    const objects = Contents.flatMap(({ Key = '', Size, ETag }): RemoteObject[] =>
      ETag === undefined || Size === undefined ? [] : [{ key: plain(Key), size: Size, etag: ETag }],
    );
    if (objects.length !== Contents.length) throw new Error('its listing has objects without size or ETag');
    return { objects, next: IsTruncated ? NextContinuationToken : undefined };
  }

  /**
   * The bytes of an object with their number; undefined when it is not there any more, or is another one.
   * @throws Error that says why it cannot be read
   */
  async open(
    key: string,
    which: Which,
    signal: AbortSignal,
  ): Promise<{ readonly bytes: Readable; readonly size: number } | undefined> {
    const asked = 'etag' in which ? { IfMatch: which.etag } : { VersionId: which.versionId };
    const get = () =>
      this.#ask(signal, ({ GetObjectCommand }, client, abortSignal) =>
        client.send(new GetObjectCommand({ ...this.#names, Key: key, ...asked }), { abortSignal }),
      );
    const answer = await unless('etag' in which ? [404, 412] : [400, 404, 405], get);
    if (answer === undefined) return undefined;
    const { Body, ContentLength: size } = answer;
    if (Body === undefined || size === undefined) throw new Error('its answer has no body of a known length');
    return { bytes: failOnSilence(Body as Readable, silence), size };
  }

  /**
   * True when the object is there, or that version of it.
   * @throws Error that says why it is not known
   */
  async has(key: string, versionId: string | undefined, signal: AbortSignal): Promise<boolean> {
    const asked = { ...this.#names, Key: key, VersionId: versionId };
    const head = () =>
      this.#ask(signal, ({ HeadObjectCommand }, client, abortSignal) =>
        client.send(new HeadObjectCommand(asked), { abortSignal }),
      );
    // of a version: 400 when it can be none, 405 when it is a deletion marker
    return (await unless(versionId === undefined ? [404] : [400, 404, 405], head)) !== undefined;
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
class RemoteFault extends Error {
  /** Of the answer; undefined when there was none, or it is not about an object. */
  readonly status: number | undefined;

  constructor(cause: unknown) {
    super(faultText(cause), { cause });
    const answer = answerOf(cause);
    this.status = answer?.code === 'NoSuchBucket' ? undefined : answer?.status;
  }
}

/** Undefined where the answer has one of these statuses. */
const unless = async <T>(statuses: readonly number[], work: () => Promise<T>): Promise<T | undefined> => {
  try {
    return await work();
  } catch (error) {
    if (error instanceof RemoteFault && error.status !== undefined && statuses.includes(error.status))
      return undefined;
    throw error;
  }
};

/** A key of a listing, as forms encode it. */
const decoded = (key: string): string => {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '));
  } catch {
    throw new Error(`its listing has the key "${key.slice(0, 100)}", which is not encoded as it says`);
  }
};
