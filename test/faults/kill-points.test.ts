// The server is ended as by kill -9 at every named point of creating, using, restarting, updating and deleting an
// environment, and of a change in IAM.
// After a new start there is what was asked for and nothing else.
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ApiFault } from '../harness/api.ts';
import { outputOf, postCommand, postLogin } from '../harness/door.ts';
import { IamWrite } from '../harness/iam-write.ts';
import { untilNothingWrong } from '../harness/invariants.ts';
import type { WebToken } from '../harness/mwaa.ts';
import { ownQuery } from '../harness/own-database.ts';
import { Random } from '../harness/random.ts';
import { Rig } from '../harness/rig.ts';
import { makeBucket, putRequirements, s3Client } from '../harness/s3.ts';
import { failMigrations, schedulerStarts } from '../harness/trivial-airflow.ts';
import { until } from '../harness/until.ts';

const subject = { name: 'subject', version: '3.3.1' };
/** The subject goes from one to the other and back. */
const otherVersion = '3.2.1';
/** Lives through all of it, with the processes of its first start. */
const bystander = { name: 'bystander', version: '2.7.2' };
const sampleSize = 6;

const random = new Random();
const say = (text: string) => void process.stdout.write(`${text}\n`);

let rig: Rig;
let bystanderId: string | undefined;
let iam: IamWrite;

beforeAll(async () => {
  rig = await Rig.make();
  iam = new IamWrite(rig.place);
  await prepareRequirements();
  await rig.create(bystander.name, bystander.version);
  await rig.available(bystander.name);
  bystanderId = schedulerStarts(rig.place)[0]?.environmentId;
}, 120_000);

afterAll(async () => {
  await rig?.remove();
}, 120_000);

/** What a client knows: what it asked for, and what was answered. */
interface Known {
  asked: 'create' | 'delete' | 'update';
  /** Of Airflow, that an update asks for. */
  version?: string;
  answered: boolean;
  web?: WebToken;
  logins: number;
}
let known: Known = { asked: 'delete', answered: true, logins: 0 };

const phases = {
  create: async () => {
    known = { asked: 'create', answered: false, logins: 0 };
    await rig.create(subject.name, subject.version, requirements());
    known.answered = true;
    await rig.available(subject.name);
  },
  tokens: async () => {
    known = { ...known, logins: 0 };
    known.web = await rig.mint.webToken(subject.name);
    if ((await postLogin(rig.place, known.web, 3)).status === 200) known.logins += 1;
    const command = await postCommand(rig.place, await rig.mint.cliToken(subject.name), 'dags list');
    expect(outputOf(command).stdout).toContain('dags list');
  },
  restart: async () => {
    await rig.crash();
    await rig.start();
    await rig.available(subject.name);
    await rig.wait('Airflow behind the door', 30, isReachable);
  },
  update: async () => {
    known = { asked: 'update', answered: false, logins: 0 };
    options += 1;
    await rig.api.update(subject.name, {
      AirflowConfigurationOptions: { 'core.number': String(options) },
      ...requirements(),
    });
    known.answered = true;
    await rig.becomes(subject.name, 'AVAILABLE');
  },
  upgrade: async () => {
    await upgrade();
    await rig.becomes(subject.name, 'AVAILABLE');
  },
  'roll-back': async () => {
    failMigrations(rig.place, 'a table is in the way');
    await upgrade();
    await rig.becomes(subject.name, 'UPDATE_FAILED');
    failMigrations(rig.place);
  },
  iam: () => iam.write(),
  delete: async () => {
    known = { ...known, asked: 'delete', answered: false };
    await rig.api.delete(subject.name);
    known.answered = true;
    await rig.gone(subject.name);
  },
} as const;
type Phase = keyof typeof phases;

let options = 0;
const unusedRequirements: Awaited<ReturnType<typeof putRequirements>>[] = [];

/** Before anything is killed: how objects are put is another suite's. */
const prepareRequirements = async (): Promise<void> => {
  const s3 = s3Client(rig.place);
  await makeBucket(s3, subject.name);
  for (let n = 0; n < 400; n += 1)
    unusedRequirements.push(await putRequirements(s3, subject.name, `wanted==${n}\n`));
  s3.destroy();
};

/** Others than ever before. */
const requirements = () => {
  const found = unusedRequirements.pop();
  if (found === undefined) throw new Error('there are too few versions of requirements.txt');
  return found;
};

const upgrade = async () => {
  const version = otherThan((await rig.api.find(subject.name))?.AirflowVersion);
  known = { asked: 'update', answered: false, logins: 0, version };
  await rig.api.update(subject.name, { AirflowVersion: version, ...requirements() });
  known.answered = true;
};

const isReachable = async () => {
  const token = await rig.mint.webToken(subject.name);
  return (await postLogin(rig.place, token, 3)).status === 200;
};

const nothingWrong = () => untilNothingWrong(rig.place, rig.server.pid, 30);

/** The names hit in a phase. */
const record = async (phase: Phase): Promise<string[]> => {
  if (phase === 'iam') await iam.prepare();
  rig.failpoints.recordAll();
  await phases[phase]();
  await nothingWrong();
  rig.failpoints.disarm();
  return [...rig.failpoints.takeRecorded()];
};

interface Point {
  readonly name: string;
  readonly phase: Phase;
  /** Hit only while the version is not installed yet. */
  readonly onlyFirst: boolean;
}

/** Every name, with the first phase in which it is hit. */
const findPoints = async (): Promise<readonly Point[]> => {
  const points = new Map<string, Point>();
  const add = (phase: Phase, names: readonly string[]) => {
    for (const name of names) if (!points.has(name)) points.set(name, { name, phase, onlyFirst: false });
  };
  const phasesOnce = [
    'create',
    'tokens',
    'restart',
    'iam',
    'update',
    'upgrade',
    'roll-back',
    'delete',
  ] as const;
  for (const phase of phasesOnce) add(phase, await record(phase));
  const again = await record('create');
  // there and back: both versions are installed now
  again.push(...(await record('upgrade')), ...(await record('upgrade')));
  const installs = (phase: Phase) => phase === 'create' || phase === 'upgrade';
  return [...points.values()].map((point) => ({
    ...point,
    onlyFirst: installs(point.phase) && !again.includes(point.name),
  }));
};

/** As if that Airflow version had never been installed. */
const forgetVersion = async (version: string) => {
  await rig.crash();
  const bases = join(rig.place.data, 'bases');
  const ours = readdirSync(bases).filter((name) => name.includes(version));
  const hash = ours.map((name) => /-([0-9a-f]{16})$/.exec(name)?.[1]).find(Boolean);
  for (const name of ours) rmSync(join(bases, name), { recursive: true, force: true });
  // a version that was only updated to has no template
  const isThere = `select 1 as one from pg_database where datname = 'template_${hash}'`;
  if ((await ownQuery(rig.place, 'postgres', isThere)).length > 0) {
    await ownQuery(rig.place, 'postgres', `alter database template_${hash} is_template false`);
    await ownQuery(rig.place, 'postgres', `drop database template_${hash}`);
    await ownQuery(rig.place, 'postgres', `drop role template_owner_${hash}`);
  }
  await rig.start();
};

const otherThan = (version: string | undefined): string =>
  version === subject.version ? otherVersion : subject.version;

const prepare = async ({ phase, onlyFirst }: Point) => {
  if (phase === 'iam') return iam.prepare();
  const there = (await rig.api.find(subject.name)) !== undefined;
  if (phase === 'create' && there) await phases.delete();
  if (onlyFirst && phase === 'create') await forgetVersion(subject.version);
  if (phase !== 'create' && !there) await phases.create();
  if (onlyFirst && phase === 'upgrade')
    await forgetVersion(otherThan((await rig.api.find(subject.name))?.AirflowVersion));
};

/** Lets the server run into the point; its own end is what ends the phase. */
const runInto = async ({ name, phase }: Point) => {
  rig.failpoints.killAt(name);
  const before = rig.server;
  const done = phases[phase]().then(
    () => 'done' as const,
    (error: unknown) => error,
  );
  const outcome = await done;
  const { server } = rig;
  await until(`the end at ${name}; the phase: ${String(outcome)}`, 20, () => server.hasEnded, 20);
  expect(await server.exited, `${name}: ${server.output}`).toBe(137);
  expect(before.hasEnded).toBe(true);
  rig.failpoints.disarm();
};

/** What an update asked for is there, or what was there before; which one is known where it was answered. */
const checkUpdate = async () => {
  const ended = await rig.wait('the end of the update', 90, async () => {
    const now = await rig.api.find(subject.name);
    return /^(AVAILABLE|UPDATE_FAILED|UNAVAILABLE)$/.test(now?.Status ?? '') && now;
  });
  const said = JSON.stringify(ended);
  if (ended.Status === 'UPDATE_FAILED')
    expect(ended.LastUpdate.Error?.ErrorMessage, said).toMatch(/a table is in the way/);
  else expect(ended.Status, said).toBe('AVAILABLE');
  const succeeded = known.answered && ended.Status === 'AVAILABLE' && known.version !== undefined;
  if (succeeded) expect(ended.AirflowVersion, said).toBe(known.version);
  await rig.wait('Airflow behind the door', 30, isReachable);
  failMigrations(rig.place);
};

const checkEnvironment = async () => {
  if (known.asked === 'update') return checkUpdate();
  if (known.asked === 'create') {
    const found = await rig.api.find(subject.name);
    if (known.answered && !found) throw new Error('the environment whose creation was answered is lost');
    if (!found) return;
    const retry = await rig.api.create(subject.name, subject.version).catch((error: unknown) => error);
    expect(retry, 'a second creation of that name').toBeInstanceOf(ApiFault);
    expect(String(retry)).toContain('already exists');
    const ended = await rig.wait('the end of the creation', 60, async () => {
      const now = await rig.api.find(subject.name);
      return now?.Status !== 'CREATING' && now;
    });
    if (ended.Status !== 'AVAILABLE')
      expect(ended.LastUpdate.Error?.ErrorMessage, JSON.stringify(ended)).toMatch(/\w/);
  } else if (known.answered) await rig.gone(subject.name);
  else
    await rig.wait('deleted or as before', 60, async () => {
      const now = await rig.api.find(subject.name);
      return now === undefined || /^(AVAILABLE|UPDATE_FAILED)$/.test(now.Status);
    });
};

/** A token that was used up, or may have been, opens at most one session in all. */
const checkToken = async ({ name }: Point) => {
  const { web } = known;
  if (!web || !(await rig.api.find(subject.name))) return;
  await rig.wait('Airflow behind the door', 30, isReachable);
  for (let tries = 0; tries < 2; tries += 1) {
    if ((await postLogin(rig.place, web, 3)).status === 200) known.logins += 1;
  }
  expect(known.logins, 'logins with one token').toBe(name === 'redeem:after-commit' ? 0 : 1);
  delete known.web;
};

/** A change that was not committed is wholly absent, with its record, and the same call works; one that was is there. */
const checkIam = async ({ name }: Point) => {
  const isDone = name === 'iam:after-commit';
  expect(await iam.found()).toEqual(iam.expected(isDone));
  if (!isDone) await iam.write();
  expect(await iam.found()).toEqual(iam.expected(true));
};

const survive = async (point: Point) => {
  await prepare(point);
  await runInto(point);
  await rig.start();
  if (point.phase === 'iam') await checkIam(point);
  else await checkEnvironment();
  if (point.phase === 'tokens') await checkToken(point);
  await nothingWrong();
  expect((await rig.api.find(bystander.name))?.Status).toBe('AVAILABLE');
  expect(schedulerStarts(rig.place).filter((s) => s.environmentId === bystanderId)).toHaveLength(1);
};

/** All of them, those with a text in their name, or those of IAM and a sample of the others. */
const chosen = (all: readonly Point[]): readonly Point[] => {
  const { WINDSOCK_TEST_FULL: full, WINDSOCK_KILL_POINTS: text } = process.env;
  if (text) return all.filter(({ name }) => name.includes(text));
  if (full) return all;
  const others = all.filter(({ phase }) => phase !== 'iam');
  return [...all.filter(({ phase }) => phase === 'iam'), ...random.sample(others, sampleSize)];
};

test('killed at any point, it finds back', async () => {
  const all = await findPoints();
  const points = chosen(all);
  say(`${points.length} of ${all.length} kill points; WINDSOCK_TEST_SEED=${random.seed}`);
  for (const point of points) {
    const start = performance.now();
    await survive(point).catch((cause: unknown) => {
      throw new Error(`Killed at ${point.name} (${point.phase}): ${(cause as Error).message}`, { cause });
    });
    say(`  ${point.name} ${((performance.now() - start) / 1000).toFixed(1)} s`);
  }
}, 2_400_000);
