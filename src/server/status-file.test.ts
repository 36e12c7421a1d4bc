import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type StatusFile, statusFileSchema } from '../config/runtime-files.ts';
import type { ComponentStatus } from '../environments/ports.ts';
import type { EnvironmentRecord } from '../environments/record.ts';
import { type Log, silentLog } from '../lib/log.ts';
import { type KeptStatusFile, keepStatusFile, type StatusFileOptions } from './status-file.ts';

let folder: string;
let kept: KeptStatusFile | undefined;
let records: readonly EnvironmentRecord[];
let warned: string[];
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout'] });
  folder = mkdtempSync(join(tmpdir(), 'status-'));
  records = [record];
  warned = [];
});
afterEach(() => {
  kept?.stopped();
  vi.useRealTimers();
  rmSync(folder, { recursive: true, force: true });
});

const record: EnvironmentRecord = {
  accountId: '123456789012',
  region: 'us-east-1',
  name: 'demo',
  id: 'abcdefghijkl',
  arn: 'arn:aws:airflow:us-east-1:123456789012:environment/demo',
  status: 'CREATING',
  spec: {
    AirflowVersion: '3.3.1',
    DagS3Path: 'dags',
    SourceBucketArn: '',
    ExecutionRoleArn: '',
    EnvironmentClass: '',
  },
  update: undefined,
  suspended: false,
  generation: 1,
  tags: {},
  placement: { driver: 'local', host: 'local' },
  lastUpdate: { Status: 'PENDING', CreatedAt: 1000 },
  webserverHostname: undefined,
  tries: { failures: 0, spent: 0, drained: 0 },
  progress: undefined,
  createdAt: 1000,
};
const component: ComponentStatus = {
  name: 'scheduler',
  state: 'running',
  pid: process.pid,
  since: 2000,
  restarts: 1,
  adopted: true,
  lastError: undefined,
};
const file = () => join(folder, 'status.json');
const read = (): StatusFile => statusFileSchema.parse(JSON.parse(readFileSync(file(), 'utf8')));
const keep = async (more: Partial<StatusFileOptions> = {}): Promise<KeptStatusFile> => {
  const log: Log = { ...silentLog, warn: (event) => void warned.push(event) };
  kept = await keepStatusFile({
    file: file(),
    server: {
      pid: 1,
      startTime: 2,
      bootId: 'boot',
      version: '0',
      startedAt: 3,
      endpoint: 'http://localhost:1',
    },
    roleFault: () => undefined,
    postgres: () => ({
      state: 'running',
      pid: 7,
      since: 1,
      restarts: 0,
      adopted: false,
      lastError: undefined,
    }),
    environments: async () => records,
    components: () => [component],
    content: () => undefined,
    isOurs: () => true,
    log,
    now: () => 5000,
    ...more,
  });
  return kept;
};
const passing = (seconds: number) => vi.advanceTimersByTimeAsync(seconds * 1_000);

test('everything is in it, whole, for its account only', async () => {
  await keep();
  expect(read()).toMatchObject({ state: 'running', postgres: { state: 'running', pid: 7 }, writtenAt: 5000 });
  expect(read().environments).toMatchObject([
    {
      name: 'demo',
      status: 'CREATING',
      since: 1000,
      components: [{ name: 'scheduler', pid: process.pid, adopted: true }],
    },
  ]);
  expect(read().environments[0]?.components[0]?.startTime).toBeGreaterThan(0);
  expect(statSync(file()).mode & 0o777).toBe(0o600);
});

test('it is written again only when something changed', async () => {
  await keep();
  const first = statSync(file()).ino;
  await passing(3);
  expect(statSync(file()).ino).toBe(first);
  records = [{ ...record, status: 'AVAILABLE' }];
  await passing(1);
  expect(read().environments[0]?.status).toBe('AVAILABLE');
  expect(read().environments[0]?.since).toBe(5000);
});

test('since when an environment is as it is outlives the server', async () => {
  records = [{ ...record, status: 'AVAILABLE', lastUpdate: { Status: 'SUCCESS', CreatedAt: 1500 } }];
  const first = await keep();
  expect(read().environments[0]?.since).toBe(1500);
  first.stopped();
  await keep({ now: () => 9000 });
  expect(read().environments[0]?.since).toBe(1500);
});

test('a database that hangs or fails keeps nothing from being told', async () => {
  await keep();
  await keep({ environments: () => Promise.reject(new Error('down')) });
  expect(read().postgres.state).toBe('running');
  rmSync(file());
  const hanging = keep({ environments: () => new Promise(() => {}) });
  await passing(2);
  await hanging;
  expect(read().postgres.state).toBe('running');
});

test('a stop keeps the numbers of what ran, so that it can be looked for', async () => {
  let components: readonly ComponentStatus[] = [component];
  const keeper = await keep({ components: () => components });
  await keeper.stopping('keep');
  expect(read()).toMatchObject({ state: 'stopping', leaving: 'keep' });
  components = [];
  keeper.stopped();
  expect(read()).toMatchObject({ state: 'stopped', leaving: 'keep' });
  expect(read().environments[0]?.components[0]?.pid).toBe(process.pid);
});

test('a disk that is full is told once; the file comes when there is space', async () => {
  mkdirSync(file());
  await keep();
  await passing(3);
  expect(warned).toEqual(['status not written']);
  rmSync(file(), { recursive: true });
  await passing(1);
  expect(read().state).toBe('running');
});

test('the file of another server is left alone, and what a killed one left half written is removed', async () => {
  writeFileSync(`${file()}.999.tmp`, '{');
  writeFileSync(file(), 'of another');
  await keep({ isOurs: () => false });
  expect(readFileSync(file(), 'utf8')).toBe('of another');
  expect(readdirSync(folder)).toEqual(['status.json']);
});
