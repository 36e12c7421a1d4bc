import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { request } from 'node:http';
import { dirname, join } from 'node:path';
import {
  CreateBucketCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import aws4 from 'aws4';
import { rootKey } from './mwaa.ts';
import type { Key } from './raw.ts';
import type { Place } from './server.ts';

/** The AWS SDK for JavaScript against one server, as the root user when no key is given. */
export const s3Client = (place: Place, key?: Key): S3Client => {
  const { accessKeyId, secretAccessKey, sessionToken }: Key = key ?? rootKey(place);
  return new S3Client({
    endpoint: `http://localhost:${place.ports.api}`,
    region: 'us-east-1',
    forcePathStyle: true,
    maxAttempts: 1,
    credentials: { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) },
  });
};

/** `ok`, or what S3 said instead: `404 NoSuchKey`. */
export const outcome = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'ok',
    (error: unknown) => {
      if (error instanceof S3ServiceException) return `${error.$metadata.httpStatusCode} ${error.name}`;
      throw error;
    },
  );

/** Makes a bucket that keeps versions. */
export const makeBucket = async (s3: S3Client, Bucket: string): Promise<string> => {
  await s3.send(new CreateBucketCommand({ Bucket }));
  const VersioningConfiguration = { Status: 'Enabled' } as const;
  await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration }));
  return Bucket;
};

/** Puts a text; gives what the answer said. */
export const putText = (s3: S3Client, Bucket: string, Key: string, Body: string) =>
  s3.send(new PutObjectCommand({ Bucket, Key, Body, ContentLength: Buffer.byteLength(Body) }));

/** Puts a requirements.txt; gives what names that version of it in the API. */
export const putRequirements = async (s3: S3Client, bucket: string, text: string) => {
  const { VersionId } = await putText(s3, bucket, 'requirements.txt', text);
  if (VersionId === undefined) throw new Error(`${bucket} keeps no versions`);
  return { RequirementsS3Path: 'requirements.txt', RequirementsS3ObjectVersion: VersionId };
};

/** Puts a plugins.zip; gives what names that version of it in the API. */
export const putPlugins = async (s3: S3Client, Bucket: string, Body: Uint8Array) => {
  const sent = new PutObjectCommand({ Bucket, Key: 'plugins.zip', Body, ContentLength: Body.length });
  const { VersionId } = await s3.send(sent);
  if (VersionId === undefined) throw new Error(`${Bucket} keeps no versions`);
  return { PluginsS3Path: 'plugins.zip', PluginsS3ObjectVersion: VersionId };
};

export interface S3Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly text: string;
  /** The code of an error. */
  readonly code: string | undefined;
}

export interface S3Request {
  readonly method?: string;
  /** As it is sent. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly key?: Key;
}

const sendTo = (place: Place, o: S3Request, headers: Record<string, string | number>): Promise<S3Answer> =>
  new Promise((resolve, reject) => {
    const target = { host: '127.0.0.1', port: place.ports.api, agent: false, timeout: 30_000 };
    const sent = request({ ...target, method: o.method ?? 'GET', path: o.path, headers }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      answer.on('end', () => {
        const code = /<Code>([^<]*)</.exec(text)?.[1];
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text, code });
      });
    });
    sent.on('timeout', () => sent.destroy(new Error('no answer')));
    sent.on('error', reject);
    sent.end(o.body);
  });

/** A request that another implementation of Signature Version 4 signs; `headers` are signed too. */
export const s3Call = (place: Place, o: S3Request): Promise<S3Answer> => {
  const { accessKeyId, secretAccessKey, sessionToken }: Key = o.key ?? rootKey(place);
  const { headers } = aws4.sign(
    {
      method: o.method ?? 'GET',
      ...{ host: `localhost:${place.ports.api}`, path: o.path, service: 's3', region: 'us-east-1' },
      headers: { ...o.headers },
      ...(o.body === undefined ? {} : { body: o.body }),
    },
    { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) },
  );
  return sendTo(place, o, headers);
};

/** A request that nobody signed: a presigned one, or none. */
export const plainCall = (place: Place, o: S3Request): Promise<S3Answer> =>
  sendTo(place, o, { host: `localhost:${place.ports.api}`, ...o.headers });

/** The file that people see in the folder of a bucket. */
export const fileOf = ({ data }: Place, bucket: string, key: string): string =>
  join(data, 'buckets', bucket, key);

/** Its text; undefined when there is none. */
export const seen = (place: Place, bucket: string, key: string): string | undefined => {
  const file = fileOf(place, bucket, key);
  return existsSync(file) && statSync(file).isFile() ? readFileSync(file, 'utf8') : undefined;
};

const filesBelow = (folder: string): readonly string[] =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) =>
        entry.isFile() ? [join(entry.parentPath, entry.name)] : [],
      )
    : [];

/** Everything that people see in the folder of a bucket, by key. */
export const seenKeys = (place: Place, bucket: string): readonly string[] => {
  const root = fileOf(place, bucket, '');
  return filesBelow(root)
    .map((file) => file.slice(root.length + 1))
    .sort();
};

/** How many files the server keeps of a bucket: bytes of versions and parts, also those that are being written. */
export const keptFiles = ({ data }: Place, bucket: string): number =>
  filesBelow(join(data, 'bucket-store', bucket)).length;

/** The folder of a key, for who works there by hand. */
export const folderOf = (place: Place, bucket: string, key: string): string =>
  dirname(fileOf(place, bucket, key));
