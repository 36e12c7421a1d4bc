// How fast objects are written and read over S3, as a ratio to a bare loop of files that are put onto the disk, in one run.
// node bench/bucket.ts [FOLDER]; beside it versitygw and moto_server, where they are on PATH, and `aws s3 sync`.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { copyFile, open, readFile, rename, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { tools } from '../test/harness/tools.ts';
import { BucketLoad } from './bucket-load.ts';
import { ended, freePort, Running } from './harness.ts';

const below = process.argv[2] ?? tmpdir();
const roundsOf = ({ bytes }: Job): number => (bytes < 100_000_000 ? 3 : 1);
const key = {
  accessKeyId: 'AKIDBENCHBENCHBENCH0',
  secretAccessKey: 'bench-secret-of-forty-characters-0000000',
};

interface Job {
  readonly name: string;
  readonly bytes: number;
  readonly count: number;
  readonly atOnce: number;
}

const jobs: readonly Job[] = [
  { name: '1 kB', bytes: 1_000, count: 150, atOnce: 1 },
  { name: '1 kB, 8 at once', bytes: 1_000, count: 400, atOnce: 8 },
  { name: '1 MB', bytes: 1_000_000, count: 20, atOnce: 1 },
  { name: '1 MB, 8 at once', bytes: 1_000_000, count: 40, atOnce: 8 },
  { name: '256 MB', bytes: 256_000_000, count: 2, atOnce: 1 },
  { name: '256 MB, 8 at once', bytes: 256_000_000, count: 8, atOnce: 8 },
];

/** Runs work so many times, so many of them at once; gives how many are done in a second. */
const perSecond = async ({ count, atOnce }: Job, work: (n: number) => Promise<void>): Promise<number> => {
  let next = 0;
  const worker = async () => {
    while (next < count) {
      next += 1;
      await work(next - 1);
    }
  };
  const began = performance.now();
  await Promise.all(Array.from({ length: atOnce }, worker));
  return (count * 1000) / (performance.now() - began);
};

const synced = async (path: string): Promise<void> => {
  const handle = await open(path, 'r');
  await handle.sync().finally(() => handle.close());
};

/** What is measured: how to put and how to get one. */
interface Subject {
  readonly name: string;
  readonly prepare: (job: Job, round: number) => Promise<void>;
  readonly put: (n: number) => Promise<void>;
  readonly get: (n: number) => Promise<void>;
  readonly clear: (job: Job) => Promise<void>;
}

/** Small files are written, synced and renamed, and their folder synced; a large one is copied and synced. */
const bare = (folder: string): Subject => {
  mkdirSync(folder);
  let bytes = Buffer.alloc(0);
  const path = (n: number) => join(folder, `bare-${n}`);
  const source = join(folder, 'source');
  return {
    name: 'bare loop',
    prepare: async (job) => {
      bytes = Buffer.alloc(job.bytes, 'x');
      writeFileSync(source, bytes);
    },
    put: async (n) => {
      if (bytes.length > 100_000_000) await copyFile(source, `${path(n)}.tmp`);
      const handle = await open(`${path(n)}.tmp`, bytes.length > 100_000_000 ? 'r+' : 'w');
      if (bytes.length <= 100_000_000) await handle.write(bytes);
      await handle.sync();
      await handle.close();
      await rename(`${path(n)}.tmp`, path(n));
      await synced(folder);
    },
    get: async (n) => void (await readFile(path(n))),
    clear: async ({ count }) => {
      for (let n = 0; n < count; n += 1) await unlink(path(n));
    },
  };
};

const overS3 = (name: string, load: BucketLoad): Subject => ({
  name,
  prepare: async (job, round) => load.prepare(`${job.name.replaceAll(/\W/g, '-')}-${round}`, job),
  put: (n) => load.put(n),
  get: (n) => load.get(n),
  clear: () => load.clear(),
});

interface Started {
  readonly subject: Subject;
  readonly load: BucketLoad;
  readonly stop: () => Promise<void>;
}

const windsock = async (folder: string): Promise<Started> => {
  const ports = [await freePort(), await freePort()] as const;
  const server = new Running(folder, ports, '--no-demo', '--requests-per-second', '100000');
  await server.ready();
  const own = JSON.parse(readFileSync(join(folder, 'secrets', 'root-access-key.json'), 'utf8'));
  const load = new BucketLoad(ports[0], own);
  await load.makeBucket();
  return { subject: overS3('Windsock', load), load, stop: () => ended(server.child) };
};

/** Undefined where it cannot be started. */
const other = async (name: string, program: string, args: (port: number) => readonly string[]) => {
  const port = await freePort();
  const env = { ...process.env, ROOT_ACCESS_KEY: key.accessKeyId, ROOT_SECRET_KEY: key.secretAccessKey };
  const child = spawn(program, args(port), { env, stdio: 'ignore' });
  const failed = once(child, 'error').then(() => true);
  const load = new BucketLoad(port, key);
  for (let tries = 0; tries < 60; tries += 1) {
    if (child.exitCode !== null || (await Promise.race([failed, delay(500, false)]))) break;
    const isThere = await load.makeBucket().then(
      () => true,
      () => false,
    );
    if (isThere) return { subject: overS3(name, load), load, stop: () => ended(child) };
  }
  console.log(`${name} was not measured: it cannot be started`);
  return undefined;
};

const middle = (all: readonly number[]): number =>
  [...all].sort((a, b) => a - b)[Math.floor(all.length / 2)] ?? 0;

const shown = ({ bytes }: Job, rate: number): string =>
  bytes < 1_000_000 ? `${rate.toFixed(0)}/s` : `${((rate * bytes) / 1e6).toFixed(0)} MB/s`;

const measure = async (job: Job, subjects: readonly Subject[]): Promise<void> => {
  const rates = new Map<string, { readonly put: number[]; readonly get: number[] }>();
  for (let round = 0; round < roundsOf(job); round += 1)
    for (const subject of subjects) {
      await subject.prepare(job, round);
      const { put, get } = rates.get(subject.name) ?? { put: [], get: [] };
      put.push(await perSecond(job, subject.put));
      get.push(await perSecond(job, subject.get));
      rates.set(subject.name, { put, get });
      await subject.clear(job);
    }
  console.log(job.name);
  const base = rates.get('bare loop');
  for (const [name, { put, get }] of rates) {
    const cells = [shown(job, middle(put)), (middle(put) / middle(base?.put ?? put)).toFixed(2)];
    cells.push(shown(job, middle(get)), (middle(get) / middle(base?.get ?? get)).toFixed(2));
    console.log(
      `  ${name.padEnd(12)} put ${cells[0]?.padStart(9)} ${cells[1]}   get ${cells[2]?.padStart(9)} ${cells[3]}`,
    );
  }
};

/** Seconds of `aws s3 sync` of 1,000 files of 1 kB, up. */
const sync = async ({ subject, load }: Started, folder: string): Promise<void> => {
  const aws = join(tools().clients, 'bin', 'aws');
  const args = [
    's3',
    'sync',
    folder,
    's3://bench/sync/',
    '--only-show-errors',
    '--endpoint-url',
    load.origin,
  ];
  const env = {
    ...{ PATH: '/usr/bin:/bin', HOME: folder, AWS_DEFAULT_REGION: 'us-east-1' },
    ...{ AWS_ACCESS_KEY_ID: load.key.accessKeyId, AWS_SECRET_ACCESS_KEY: load.key.secretAccessKey },
  };
  const began = performance.now();
  const [code] = await once(spawn(aws, args, { env, stdio: ['ignore', 'inherit', 'inherit'] }), 'exit');
  const seconds = (performance.now() - began) / 1000;
  console.log(
    `  ${subject.name.padEnd(12)} ${seconds.toFixed(1)} s${code === 0 ? '' : ` (exit code ${code})`}`,
  );
};

const only = process.env['BENCH_ONLY']?.split(';');
const isWanted = (name: string): boolean => only === undefined || only.includes(name);
const base = mkdtempSync(join(below, 'windsock-bench-'));
chmodSync(base, 0o755);
const servers: Started[] = [];
try {
  servers.push(await windsock(join(base, 'data')));
  mkdirSync(join(base, 'versitygw'));
  const versity = await other('versitygw', 'versitygw', (port) => [
    ...['--port', `127.0.0.1:${port}`, '--quiet', 'posix', join(base, 'versitygw')],
  ]);
  const moto = await other('moto_server', 'moto_server', (port) => ['-H', '127.0.0.1', '-p', `${port}`]);
  servers.push(...[versity, moto].flatMap((one) => (one ? [one] : [])));
  const subjects = [bare(join(base, 'bare')), ...servers.map(({ subject }) => subject)];
  // moto keeps all in memory
  const light = (job: Job) => subjects.filter(({ name }) => job.bytes < 2e6 || name !== 'moto_server');
  for (const job of jobs) if (isWanted(job.name)) await measure(job, light(job));
  if (isWanted('sync')) {
    const folder = join(base, 'thousand');
    mkdirSync(folder);
    for (let n = 0; n < 1_000; n += 1) writeFileSync(join(folder, `file-${n}`), Buffer.alloc(1_000, `${n} `));
    console.log('aws s3 sync of 1,000 files of 1 kB');
    for (const server of servers) await sync(server, folder);
  }
} finally {
  for (const { stop } of servers) await stop();
  rmSync(base, { recursive: true, force: true });
}
