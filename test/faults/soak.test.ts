// Rounds of traffic by several clients, each ended by a kill -9 at a random moment: of the server, of PostgreSQL, of a
// component. After each everything settles, and no client was told what is not so. One client asks a real Airflow for
// DAG runs; the others make and delete environments of a trivial one.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { componentsAt } from '../harness/components.ts';
import { DagRunner, type Disturbance } from '../harness/dag-runs.ts';
import { untilNothingWrong } from '../harness/invariants.ts';
import { Random } from '../harness/random.ts';
import { Rig } from '../harness/rig.ts';
import { type AirflowVersion, Client } from '../harness/traffic.ts';

const rounds = Number(process.env['WINDSOCK_SOAK_ROUNDS'] ?? 20);
/** In ms: how long an Airflow that was started again may go on with what it was cut off from. */
const settled = 10_000;
/** In seconds; the rounds of one run share what is cached. */
const longestRound = 60;
const random = new Random();
const say = (text: string) => void process.stdout.write(`${text}\n`);

let rig: Rig;
let clients: readonly Client[];
let runner: DagRunner;
const disturbances: Disturbance[] = [];

beforeAll(async () => {
  const versions: readonly AirflowVersion[] = ['2.7.2', '3.3.1'];
  const real = random.pick(versions);
  say(`WINDSOCK_TEST_SEED=${random.seed}, DAG runs on Airflow ${real}`);
  rig = await Rig.make({ real: [real] });
  const trivial = versions.filter((version) => version !== real);
  clients = ['soak-1', 'soak-2', 'soak-3', 'soak-4'].map(
    (name, index) =>
      new Client({ rig, name, random: new Random(random.seed + index + 1), versions: trivial }),
  );
  runner = new DagRunner({ rig, random: new Random(random.seed + 5), version: real });
  await runner.prepare();
}, 600_000);

afterAll(async () => {
  await rig?.remove();
}, 120_000);

const postmaster = (): number =>
  Number(readFileSync(join(rig.place.data, 'postgres', 'data', 'postmaster.pid'), 'utf8').split('\n')[0]);

const kill = (pid: number): void => {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it has ended
  }
};

const ends = {
  server: () => kill(rig.server.pid),
  postgres: () => kill(postmaster()),
  both: () => {
    kill(postmaster());
    kill(rig.server.pid);
  },
  component: () => {
    const all = componentsAt(rig.place);
    if (all.length > 0) kill(random.pick(all).pid);
  },
} as const;
type End = keyof typeof ends;

const pickEnd = (): End => {
  const chance = random.next();
  if (chance < 0.65) return 'server';
  if (chance < 0.75) return 'postgres';
  return chance < 0.85 ? 'both' : 'component';
};

/** Lets the clients work and ends something in the middle of it. */
const traffic = async (end: End, after: number): Promise<void> => {
  let stopped = false;
  const working = [...clients, runner].map((client) => client.run(() => stopped));
  await delay(after);
  ends[end]();
  await delay(random.between(0, 300));
  stopped = true;
  await Promise.all(working);
};

const nothingWrong = () => untilNothingWrong(rig.place, rig.server.pid, longestRound);

const round = async (end: End, after: number): Promise<number> => {
  const from = Date.now();
  await traffic(end, after);
  if (end === 'server' || end === 'both') {
    await rig.server.end(10);
    await rig.start();
  } else await rig.wait('an answer', 30, () => rig.api.list());
  for (const client of [...clients, runner]) await client.compare();
  await nothingWrong();
  if (end !== 'server') disturbances.push({ from, to: Date.now() + settled });
  let tokens = 0;
  for (const client of clients) {
    await client.untilUsable();
    tokens += await client.reuseTokens();
  }
  expect(rig.server.hasEnded).toBe(false);
  return tokens;
};

test(
  `${rounds} rounds of kill -9 under traffic`,
  async () => {
    let tokens = 0;
    for (let number = 1; number <= rounds; number += 1) {
      const [end, after] = [pickEnd(), random.between(100, 2000)];
      const start = performance.now();
      tokens += await round(end, after).catch((cause: unknown) => {
        throw new Error(`Round ${number}, ${end} after ${after} ms: ${(cause as Error).message}`, { cause });
      });
      say(`  ${number} ${end} after ${after} ms: ${((performance.now() - start) / 1000).toFixed(1)} s`);
    }
    expect(tokens, 'tokens that were used again').toBeGreaterThan(0);
    await runner.finish(disturbances);
    // and once more for certain: a task that is worked on while the server is killed
    await delay(settled);
    await runner.untilOneIsWorkedOn();
    await round('server', 500);
    const { runs, undisturbed } = await runner.finish(disturbances);
    say(`  ${runs} DAG runs succeeded, ${undisturbed} met nothing but ends of the server`);
    expect(undisturbed, 'DAG runs through ends of the server alone').toBeGreaterThan(0);
  },
  rounds * longestRound * 1000 + 800_000,
);
