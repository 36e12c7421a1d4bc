import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DeleteObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { isListening } from './ports.ts';
import { makeBucket, putText, s3Client } from './s3.ts';
import { type Place, stopServer } from './server.ts';
import { plainEnvironment } from './tools.ts';
import { until } from './until.ts';
import type { UsedServer } from './use-server.ts';
import { buildVersitygw } from './versitygw.ts';

/** Where the DAGs of an environment come from. Paths are those below its DAGs folder. */
export interface ContentPlace {
  /** Of the environment, and of its bucket. */
  readonly name: string;
  put(path: string, text: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** From now on it cannot be read. */
  away(): Promise<void>;
  back(): Promise<void>;
  /** What people are told while it is away. */
  readonly awayText: RegExp;
}

const objectsOf = (s3: () => S3Client, bucket: string): Pick<ContentPlace, 'put' | 'remove'> => ({
  put: async (path, text) => {
    await putText(s3(), bucket, `dags/${path}`, text);
  },
  remove: async (path) => {
    await s3().send(new DeleteObjectCommand({ Bucket: bucket, Key: `dags/${path}` }));
  },
});

/** A folder of people, which is followed. */
export const followedFolder = (name: string, folder: string): ContentPlace => ({
  name,
  put: async (path, text) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  },
  remove: async (path) => rmSync(join(folder, path)),
  away: async () => renameSync(folder, `${folder}.away`),
  back: async () => renameSync(`${folder}.away`, folder),
  awayText: /Cannot read .*, which is followed/,
});

/** A bucket of the server itself. */
export const ownBucket = (name: string, place: () => Place): ContentPlace => {
  const folder = () => join(place().data, 'buckets', name);
  return {
    ...{ name, ...objectsOf(() => s3Client(place()), name) },
    away: async () => renameSync(folder(), `${place().data}/away`),
    back: async () => renameSync(`${place().data}/away`, folder()),
    awayText: /There is no folder .*/,
  };
};

/** A bucket of another Windsock. */
export const bucketOfOther = (name: string, other: UsedServer): ContentPlace => ({
  ...{ name, ...objectsOf(() => s3Client(other.place), name) },
  away: async () => {
    await stopServer(other.server);
  },
  back: async () => {
    await other.start();
  },
  awayText: /Cannot read arn:aws:s3:::\w+ \(http:.*\): it cannot be reached \(ECONNREFUSED\)/,
});

/** versitygw: the server of S3 that somebody else wrote. */
export class Gateway {
  readonly endpoint: string;
  readonly key = { accessKeyId: 'gateway-root', secretAccessKey: 'a secret of the gateway' };
  readonly #port: number;
  readonly #folder: string;
  #child: ChildProcess | undefined;

  constructor(port: number, folder: string) {
    this.#port = port;
    this.#folder = folder;
    this.endpoint = `http://127.0.0.1:${port}`;
  }

  async start(): Promise<void> {
    const [objects, versions] = ['objects', 'versions'].map((name) => join(this.#folder, name));
    for (const folder of [objects, versions]) mkdirSync(folder ?? '', { recursive: true });
    const words = ['--port', `127.0.0.1:${this.#port}`, '--quiet', 'posix'];
    this.#child = spawn(
      await buildVersitygw(),
      [...words, '--versioning-dir', versions ?? '', objects ?? ''],
      {
        stdio: 'ignore',
        env: {
          ...plainEnvironment(this.#folder),
          ROOT_ACCESS_KEY_ID: this.key.accessKeyId,
          ROOT_SECRET_ACCESS_KEY: this.key.secretAccessKey,
        },
      },
    );
    await until('versitygw listens', 30, () => isListening(this.#port));
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await until('versitygw ends', 10, () => child.signalCode !== null);
  }

  client(): S3Client {
    return new S3Client({
      ...{ endpoint: this.endpoint, region: 'us-east-1', forcePathStyle: true },
      ...{ credentials: this.key, maxAttempts: 1 },
    });
  }

  async place(name: string): Promise<ContentPlace> {
    await makeBucket(this.client(), name);
    return {
      ...{ name, ...objectsOf(() => this.client(), name) },
      away: () => this.stop(),
      back: () => this.start(),
      awayText: /it cannot be reached \(ECONNREFUSED\)/,
    };
  }
}
