// The server is ended as by kill -9 at every named point of what changes objects, or PostgreSQL is, and then: each object
// is old or new and whole, what was acknowledged is there, the folder shows the latest versions, and nothing is left over.
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BucketClient } from '../harness/bucket-client.ts';
import { untilNothingWrong } from '../harness/invariants.ts';
import { KnownObjects, storeProblems } from '../harness/known-objects.ts';
import { Random } from '../harness/random.ts';
import { Rig } from '../harness/rig.ts';
import { processesAt, serverLog } from '../harness/server.ts';
import { until } from '../harness/until.ts';

const random = new Random();
const sampleSize = 6;
const say = (text: string) => void process.stdout.write(`${text}\n`);

let rig: Rig;
let client: BucketClient;
let kept: KnownObjects;
let single: KnownObjects;
let count = 0;

const makeBucket = async (name: string, versioning: 'Enabled' | 'Suspended'): Promise<KnownObjects> => {
  await client.must('PUT', `/${name}`);
  const body = `<VersioningConfiguration><Status>${versioning}</Status></VersioningConfiguration>`;
  await client.must('PUT', `/${name}?versioning`, { body });
  return new KnownObjects(rig.place, client, name);
};

beforeAll(async () => {
  rig = await Rig.make();
  client = new BucketClient(rig.place);
  kept = await makeBucket('keeps-versions', 'Enabled');
  single = await makeBucket('keeps-none', 'Suspended');
}, 120_000);
afterAll(() => rig?.remove(), 120_000);

const small = (): Buffer => Buffer.from(`${count} `.repeat(random.between(1, 2_000)));
/** More than what people get a copy of. */
const large = (): Buffer => Buffer.alloc(8 * 1024 ** 2 + 1, `${count} large `);
const versionOf = (headers: Readonly<Record<string, unknown>>): string =>
  String(headers['x-amz-version-id'] ?? 'null');

const put = async (known: KnownObjects, key: string, bytes: Buffer): Promise<string> => {
  known.ask({ key, bytes });
  const { headers } = await client.must('PUT', `/${known.bucket}/${key}`, { body: bytes });
  known.answered(versionOf(headers));
  return versionOf(headers);
};

const upload = async (known: KnownObjects, key: string, bytes: Buffer): Promise<void> => {
  const path = `/${known.bucket}/${key}`;
  const uploadId = await client.beginUpload(known.bucket, key);
  const cut = 5 * 1024 ** 2;
  await client.putPart(path, uploadId, 1, bytes.subarray(0, cut).reverse());
  const etags = [
    await client.putPart(path, uploadId, 1, bytes.subarray(0, cut).reverse()),
    await client.putPart(path, uploadId, 2, bytes.subarray(cut)),
  ];
  known.ask({ key, bytes });
  const { headers } = await client.complete(path, uploadId, etags);
  known.answered(versionOf(headers));
};

const visible = ({ bucket }: KnownObjects, key: string): string =>
  join(rig.place.data, 'buckets', bucket, key);

/** As editors do it: written aside, then renamed. */
const edit = async (known: KnownObjects, key: string, bytes: Buffer): Promise<void> => {
  const aside = join(rig.place.folder, 'edited');
  writeFileSync(aside, bytes);
  mkdirSync(dirname(visible(known, key)), { recursive: true });
  known.ask({ key, bytes, isCertain: true });
  renameSync(aside, visible(known, key));
  const { headers } = await client.must('GET', `/${known.bucket}/${key}`);
  known.answered(versionOf(headers));
};

const takeAway = async (known: KnownObjects, key: string): Promise<void> => {
  known.ask({ key, bytes: undefined, isCertain: true });
  rmSync(visible(known, key));
  await client.keys(known.bucket);
  const versions = await client.versions(known.bucket);
  known.answered(versions.find((version) => version.key === key && version.isLatest)?.versionId);
};

const remove = async (known: KnownObjects, key: string): Promise<void> => {
  known.ask({ key, bytes: undefined });
  const { headers } = await client.must('DELETE', `/${known.bucket}/${key}`);
  known.answered(versionOf(headers));
};

/** The end of a version under which there is another one, or nothing. */
const removeVersion = async (key: string, versionId: string, below: Buffer | undefined): Promise<void> => {
  kept.ask({ key, bytes: below, ends: versionId });
  await client.must('DELETE', `/${kept.bucket}/${key}?versionId=${versionId}`);
  kept.answered(versionId);
};

/** A change, with what has to be there first; it can be made again, whatever became of it. */
interface Phase {
  readonly before?: (key: string) => Promise<void>;
  readonly run: (key: string) => Promise<unknown>;
}

const seconds = 1_000;
let first: Buffer | undefined;
let last = '';

const phases: Readonly<Record<string, Phase>> = {
  put: { run: (key) => put(kept, `${key}/a`, small()) },
  'put-large': { run: (key) => put(kept, key, large()) },
  overwrite: {
    before: async (key) => void (await put(kept, key, small())),
    run: (key) => put(kept, key, small()),
  },
  'overwrite-large': {
    before: async (key) => void (await put(kept, key, large())),
    run: (key) => put(kept, key, large()),
  },
  'overwrite-null': {
    before: async (key) => void (await put(single, key, small())),
    run: (key) => put(single, key, small()),
  },
  parts: { run: (key) => upload(kept, key, large()) },
  abort: {
    run: async (key) => {
      const uploadId = await client.beginUpload(kept.bucket, key);
      await client.putPart(`/${kept.bucket}/${key}`, uploadId, 1, small());
      await client.must('DELETE', `/${kept.bucket}/${key}?uploadId=${uploadId}`);
    },
  },
  copy: {
    before: async (key) => {
      first = small();
      await put(kept, `${key}/source`, first);
    },
    run: async (key) => {
      kept.ask({ key: `${key}/copy`, bytes: first });
      const headers = { 'x-amz-copy-source': `/${kept.bucket}/${key}/source` };
      kept.answered(
        versionOf((await client.must('PUT', `/${kept.bucket}/${key}/copy`, { headers })).headers),
      );
    },
  },
  delete: { before: async (key) => void (await put(kept, key, small())), run: (key) => remove(kept, key) },
  'delete-null': {
    before: async (key) => void (await put(single, key, small())),
    run: (key) => remove(single, key),
  },
  'delete-only-version': {
    before: async (key) => {
      last = await put(kept, key, small());
    },
    run: (key) => removeVersion(key, last, undefined),
  },
  'delete-newer-version': {
    before: async (key) => {
      first = small();
      await put(kept, key, first);
      // what people see would be younger than what is to be seen again
      await delay(1.2 * seconds);
      last = await put(kept, key, Buffer.concat([small(), small()]));
    },
    run: (key) => removeVersion(key, last, first),
  },
  'delete-marker': {
    before: async (key) => {
      first = small();
      await put(kept, key, first);
      kept.ask({ key, bytes: undefined });
      last = versionOf((await client.must('DELETE', `/${kept.bucket}/${key}`)).headers);
      kept.answered(last);
    },
    run: (key) => removeVersion(key, last, first),
  },
  edit: { run: (key) => edit(kept, `${key}/a.py`, small()) },
  'edit-null': {
    before: async (key) => void (await put(single, key, small())),
    run: (key) => edit(single, key, small()),
  },
  'take-away': {
    before: async (key) => {
      await put(kept, key, small());
      // a file that is gone before it was written down that it was there, may have been lost in a power cut
      await delay(1.5 * seconds);
    },
    run: (key) => takeAway(kept, key),
  },
  'written-down': {
    run: async (key) => {
      await put(kept, key, large());
      await put(kept, `${key}-small`, small());
      await remove(kept, `${key}-small`);
      await delay(1.5 * seconds);
    },
  },
  bucket: {
    run: async (key) => {
      const name = `/${key}x`;
      const made = await client.call('PUT', name);
      if (made.status !== 409) expect(made.status, String(made.body)).toBe(200);
      await client.must('PUT', `${name}/a`, { body: 'x' });
      for (const { versionId } of await client.versions(name.slice(1)))
        await client.must('DELETE', `${name}/a?versionId=${versionId}`);
      await client.must('DELETE', name);
    },
  },
  restart: {
    before: async (key) => {
      await put(kept, key, large());
      await put(kept, `${key}-small`, small());
    },
    run: async () => {
      await rig.crash();
      await rig.start();
    },
  },
};

interface Point {
  readonly name: string;
  readonly phase: string;
}

const nextKey = (phase: string): string => {
  count += 1;
  return `${phase}-${count}-`;
};

/** What the round of visible files does, comes at any time: it is tried where it is waited for. */
const isOf = (phase: string, name: string): boolean => phase === 'written-down' || !name.startsWith('seen:');

const findPoints = async (): Promise<readonly Point[]> => {
  const points: Point[] = [];
  for (const [phase, { before, run }] of Object.entries(phases)) {
    const key = nextKey(phase);
    await before?.(key);
    rig.failpoints.recordAll();
    await run(key);
    rig.failpoints.disarm();
    const names = rig.failpoints.takeRecorded().filter((name) => isOf(phase, name));
    points.push(...names.map((name) => ({ name, phase })));
  }
  return points;
};

const problems = async (prefix = ''): Promise<readonly string[]> => [
  ...(await kept.problems(prefix)),
  ...(await single.problems(prefix)),
];

const checkAll = async (what: string, prefix?: string): Promise<void> => {
  const found = await problems(prefix);
  if (found.length > 0) throw new Error(`${what}: ${found.join(', ')}`);
};

const phaseOf = (name: string): Phase => {
  const phase = phases[name];
  if (phase === undefined) throw new Error(`there is no phase ${name}`);
  return phase;
};

/** What a client does whose request was not answered: the same once more, as far as it is not done. */
const again = async ({ phase }: Point, key: string): Promise<void> => {
  if (phase === 'restart' || phase === 'take-away') return;
  await phaseOf(phase).run(key);
};

const runInto = async ({ name, phase }: Point, key: string): Promise<void> => {
  rig.failpoints.killAt(name);
  const outcome = await phaseOf(phase)
    .run(key)
    .then(
      () => 'done',
      (error: unknown) => String(error),
    );
  const { server } = rig;
  await until(`the end at ${name}; the phase: ${outcome}`, 5, () => server.hasEnded, 20);
  expect(await server.exited, server.output).toBe(137);
  rig.failpoints.disarm();
};

const survive = async (point: Point): Promise<void> => {
  const key = nextKey(point.phase);
  await phaseOf(point.phase).before?.(key);
  await runInto(point, key);
  await rig.start();
  const left = await storeProblems(rig.place);
  await checkAll('after the start', key);
  expect(left, 'left in the store').toEqual([]);
  await again(point, key);
  await checkAll('after the same once more', key);
};

/** All of them, those that a pattern fits, or a sample. */
const chosen = (all: readonly Point[]): readonly Point[] => {
  const { WINDSOCK_TEST_FULL: full, WINDSOCK_KILL_POINTS: text } = process.env;
  if (text) {
    const wanted = new RegExp(text);
    return all.filter(({ name, phase }) => wanted.test(`${phase} ${name}`));
  }
  return full ? all : random.sample(all, sampleSize);
};

const each = async (all: readonly Point[], what: string, survives: (point: Point) => Promise<void>) => {
  const points = chosen(all);
  say(`${points.length} of ${all.length} points, ${what}; WINDSOCK_TEST_SEED=${random.seed}`);
  const faults: string[] = [];
  for (const point of points) {
    const start = performance.now();
    const where = `${point.phase} ${point.name}`;
    await survives(point).catch(async (cause: unknown) => {
      faults.push(`${where}: ${(cause as Error).message}`);
      say(`  ${faults.at(-1)}`);
      rig.failpoints.disarm();
      if (rig.server.hasEnded) await rig.start();
      await problems();
    });
    say(
      `  ${where} ${((performance.now() - start) / 1000).toFixed(1)} s${faults.at(-1)?.startsWith(where) ? ' FAILED' : ''}`,
    );
  }
  expect(faults).toEqual([]);
};

/** Of PostgreSQL, in the suite that tries every point of the server. */
const mostDatabaseDeaths = 20;

let points: readonly Point[] = [];

test('killed at any point, no object is lost, doubled or half', async () => {
  points = await findPoints();
  await checkAll('before');
  await each(points, 'the server killed', survive);
  await checkAll('at the end');
  await untilNothingWrong(rig.place, rig.server.pid, 30);
}, 2_400_000);

const postgres = () => processesAt(rig.place).filter((p) => /^postgres: |\/bin\/postgres /.test(p.command));

/** PostgreSQL ends as by kill -9 while the server stands at the point. */
const withoutDatabase = async ({ name, phase }: Point, key: string): Promise<void> => {
  rig.failpoints.sleepAt(name, 300);
  const running = phaseOf(phase)
    .run(key)
    .catch(() => undefined);
  await delay(phase === 'written-down' ? 1.3 * seconds : 150);
  for (const { pid } of postgres())
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // it has ended
    }
  await running;
  rig.failpoints.disarm();
  await until('the database again', 60, async () => (await client.call('GET', '/')).status < 500, 100);
  await until(
    'a list',
    60,
    async () => (await client.call('GET', `/${kept.bucket}?versions`)).status === 200,
    100,
  );
};

test('PostgreSQL killed at any of them: asked again, nothing is lost or doubled', async () => {
  const all = points.filter(({ phase }) => !/^(restart|bucket)$/.test(phase));
  // one that is killed again and again is started later each time: after half a minute in the end
  const some = random.sample(all, mostDatabaseDeaths);
  await each(some, 'PostgreSQL killed', async (point) => {
    const key = nextKey(point.phase);
    await phaseOf(point.phase).before?.(key);
    await withoutDatabase(point, key);
    await checkAll('after PostgreSQL was killed', key);
    await again(point, key);
    await checkAll('after the same once more', key);
  });
  await rig.crash();
  await rig.start();
  expect(await storeProblems(rig.place), serverLog(rig.place).slice(-1_000)).toEqual([]);
}, 2_400_000);
