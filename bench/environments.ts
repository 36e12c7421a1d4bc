// What an environment costs: making one when everything is cached, changing an option, deleting it, as ratios to
// Airflow's own cold start in the same run; and what 1, 2 and 4 of them take at rest. node bench/environments.ts
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { airflow, command, ended, freePort, print, Running, type Start } from './harness.ts';

/** Of every command of one kind, to measure more than one. */
const rounds = 3;
/** Seconds that processes get to come to rest, and over which their CPU time is taken. */
const rest = 30;
const ticksPerSecond = 100;

const timed = async (work: () => Promise<void>): Promise<number> => {
  const begun = performance.now();
  await work();
  return (performance.now() - begun) / 1000;
};

const middle = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

interface Weight {
  readonly processes: number;
  /** MiB, shared pages counted in part (PSS). */
  readonly memory: number;
  /** Seconds of a core so far. */
  readonly cpu: number;
}

const isOf = (pid: string, mark: string): boolean => {
  try {
    const place = `${readlinkSync(`/proc/${pid}/exe`)}\n${readFileSync(`/proc/${pid}/cmdline`, 'utf8')}`;
    return place.includes(mark) || readFileSync(`/proc/${pid}/environ`, 'utf8').includes(mark);
  } catch {
    return false;
  }
};

/** All processes of a data folder: Airflow, and PostgreSQL's for it. */
const weigh = (data: string): Weight => {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && isOf(name, data));
  let [memory, cpu] = [0, 0];
  for (const pid of pids) {
    try {
      const pss = /^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1];
      memory += Number(pss ?? 0) / 1024;
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      cpu += (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
    } catch {
      // it has ended
    }
  }
  return { processes: pids.length, memory, cpu };
};

const atRest = async (data: string, count: number): Promise<void> => {
  await delay(rest * 1000);
  const before = weigh(data);
  await delay(rest * 1000);
  const { processes, memory, cpu } = weigh(data);
  const load = Math.max(0, (100 * (cpu - before.cpu)) / rest);
  console.log(
    `  ${count} at rest: ${processes} processes, ${memory.toFixed(0)} MiB, ${load.toFixed(1)} % of a core`,
  );
};

const start = (total: number): Start => ({ total, steps: [] });
const data = mkdtempSync('/tmp/windsock-bench-');
// as root, other accounts work in it
chmodSync(data, 0o755);
let running: Running | undefined;
try {
  const folder = join(data, 'data');
  running = new Running(folder, [await freePort(), await freePort()], '--no-demo');
  await running.ready();
  mkdirSync(join(folder, 'buckets', 'shared', 'dags'), { recursive: true });
  const create = (name: string) =>
    command(folder, 'environment', 'create', name, '--bucket', 'shared', '--wait');
  const remove = (name: string) => command(folder, 'environment', 'delete', name, '--wait');
  console.log('What environments take (with the server and PostgreSQL):');
  await atRest(folder, 0);
  await create('one');
  await atRest(folder, 1);
  const times: { create: number[]; update: number[]; remove: number[] } = {
    create: [],
    update: [],
    remove: [],
  };
  for (let round = 1; round <= rounds; round += 1) {
    times.create.push(await timed(() => create('two')));
    const change = ['environment', 'update', 'two', '--set', `core.default_task_retries=${round}`, '--wait'];
    times.update.push(await timed(() => command(folder, ...change)));
    times.remove.push(await timed(() => remove('two')));
  }
  for (const name of ['two', 'three', 'four']) {
    await create(name);
    if (name !== 'three') await atRest(folder, name === 'two' ? 2 : 4);
  }
  for (const name of ['one', 'two', 'three', 'four']) await remove(name);
  await ended(running.child);
  const alone = await airflow(folder);
  print('Airflow alone', alone, alone);
  print('Create, everything cached', start(middle(times.create)), alone);
  print('Update of an option', start(middle(times.update)), alone);
  print('Delete', start(middle(times.remove)), alone);
} finally {
  if (running) await ended(running.child);
  rmSync(data, { recursive: true, force: true });
}
