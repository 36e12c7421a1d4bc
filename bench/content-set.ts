// What a requirement costs that is added to a running environment: by `windsock deploy`, with the share of each step, beside
// an installation into a plain copy of the same Airflow, and beside Airflow's own start. node bench/content-set.ts [VERSION]
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { airflow, command, ended, freePort, print, Running, type Start } from './harness.ts';

/** Small packages that no Airflow comes with. */
const packages = ['cowsay==6.1', 'pyjokes==0.8.3', 'emoji==2.14.1', 'roman==5.0'];
const version = process.argv[2] ?? '3.3.1';

const timed = async (work: () => Promise<void> | void): Promise<number> => {
  const begun = performance.now();
  await work();
  return (performance.now() - begun) / 1000;
};

const middle = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

const schedulerRuns = (data: string): boolean => {
  try {
    const { environments } = JSON.parse(readFileSync(join(data, 'status.json'), 'utf8')) as {
      environments: { components: { name: string; state: string }[] }[];
    };
    return environments[0]?.components.some((c) => c.name === 'scheduler' && c.state === 'running') ?? false;
  } catch {
    return true;
  }
};

/** Seconds without a scheduler while the work runs; looked at every 50 ms. */
const withoutScheduler = async (data: string, work: Promise<void>): Promise<number> => {
  let [isOver, seconds] = [false, 0];
  const over = work.finally(() => {
    isOver = true;
  });
  for (let last = performance.now(); !isOver; ) {
    await delay(50);
    const now = performance.now();
    if (!schedulerRuns(data)) seconds += (now - last) / 1000;
    last = now;
  }
  await over;
  return seconds;
};

/** A plain copy of the installation, and the package installed into it by the same uv. */
const plainInstall = (data: string): number => {
  const bases = join(data, 'bases');
  const base = readdirSync(bases, { withFileTypes: true }).find((entry) => entry.isDirectory())?.name ?? '';
  const copy = join(data, 'plain-copy');
  const uv = [join(data, 'programs', 'uv-0.13.8', 'uv'), '/usr/local/bin/uv', '/usr/bin/uv'].find((file) =>
    existsSync(file),
  );
  const begun = performance.now();
  execFileSync('cp', ['-a', join(bases, base), copy]);
  execFileSync('chmod', ['-R', 'u+w', copy]);
  execFileSync(uv ?? 'uv', ['pip', 'install', '--python', join(copy, 'bin', 'python'), packages[0] ?? ''], {
    stdio: 'ignore',
  });
  rmSync(copy, { recursive: true, force: true });
  return (performance.now() - begun) / 1000;
};

const start = (total: number, steps: Start['steps'] = []): Start => ({ total, steps });
const data = mkdtempSync('/tmp/windsock-bench-');
// as root, other accounts work in it
chmodSync(data, 0o755);
let running: Running | undefined;
try {
  const folder = join(data, 'data');
  running = new Running(folder, [await freePort(), await freePort()], '--airflow-version', version);
  await running.ready();
  const file = join(data, 'requirements.txt');
  const times: { total: number; without: number; steps: Start['steps'] }[] = [];
  for (const [n] of packages.entries()) {
    writeFileSync(file, `${packages.slice(0, n + 1).join('\n')}\n`);
    let without = 0;
    const before = running.stepsOf('demo').length;
    const total = await timed(async () => {
      const work = command(folder, 'deploy', 'demo', '--requirements', file);
      without = await withoutScheduler(folder, work);
    });
    times.push({ total, without, steps: running.stepsOf('demo').slice(before) });
  }
  await ended(running.child);
  const alone = await airflow(folder);
  const whole = times.toSorted((a, b) => a.total - b.total)[times.length >> 1];
  print('Airflow alone', alone, alone);
  print('A requirement added, until AVAILABLE', start(whole?.total ?? 0, whole?.steps), alone);
  print('  without a scheduler meanwhile', start(middle(times.map((t) => t.without))), alone);
  print('A plain copy, with the package installed', start(plainInstall(folder)), alone);
} finally {
  if (running) await ended(running.child);
  rmSync(data, { recursive: true, force: true });
}
