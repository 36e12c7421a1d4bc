// How long a person waits for Airflow, as a ratio to what Airflow itself takes: `airflow db migrate` and a cold start
// of its components, in the same run, on the same installation. node bench/start.ts
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const deadline = 15 * 60_000;

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
};

interface Start {
  /** Seconds from the start of the process until the screen says ready. */
  readonly total: number;
  readonly steps: readonly (readonly [name: string, seconds: number])[];
}

/** Deletes the environment, because its account would outlive the folder. */
const removeDemo = async (data: string): Promise<void> => {
  const words = ['environment', 'delete', 'demo', '--wait', '--data', data];
  await once(
    spawn(process.execPath, [join(root, 'bin', 'windsock.mjs'), ...words], { stdio: 'ignore' }),
    'exit',
  );
};

/** Starts Windsock, waits until Airflow is ready to be shown, does what is left to do, stops it. */
const windsock = async (
  data: string,
  then: (data: string) => Promise<void> = async () => {},
): Promise<Start> => {
  const ports = ['--port', String(await freePort()), '--door-port', String(await freePort())];
  const begun = performance.now();
  const child = spawn(process.execPath, [join(root, 'src', 'main.ts'), '--data', data, ...ports], {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: deadline,
  });
  const steps: [string, number][] = [];
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const [, name, seconds] = /✓ (.+) \(([\d.]+) s\)/.exec(line) ?? [];
      if (name !== undefined) steps.push([name.replace('demo: ', ''), Number(seconds)]);
      if (!line.startsWith('Windsock is ready')) continue;
      const total = (performance.now() - begun) / 1000;
      await then(data);
      return { total, steps };
    }
    throw new Error('Windsock ended before it was ready');
  } finally {
    await ended(child);
  }
};

const ended = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'exit');
};

const components = (port: number): readonly (readonly string[])[] => [
  ['api-server', '--host', '127.0.0.1', '--port', String(port), '--workers', '1'],
  ['scheduler'],
  ['dag-processor'],
];

const isHealthy = async (port: number): Promise<boolean> => {
  const answer = await fetch(`http://127.0.0.1:${port}/api/v2/monitor/health`).catch(() => undefined);
  if (answer?.status !== 200) return false;
  const health = (await answer.json()) as Record<string, { status?: string } | undefined>;
  return ['metadatabase', 'scheduler', 'dag_processor'].every((part) => health[part]?.status === 'healthy');
};

/** Airflow by itself: an empty SQLite, migrated, then its components until they say that they are healthy. */
const airflow = async (data: string): Promise<Start> => {
  const bases = readdirSync(join(data, 'bases'), { withFileTypes: true });
  const base = bases.find((entry) => entry.isDirectory())?.name;
  if (base === undefined) throw new Error('no installation of Airflow was found');
  const python = join(data, 'bases', base, 'bin', 'python');
  const home = join(data, 'plain-airflow');
  mkdirSync(join(home, 'dags'), { recursive: true });
  const port = await freePort();
  const env = {
    PATH: '/usr/bin:/bin',
    HOME: home,
    AIRFLOW_HOME: home,
    AIRFLOW__CORE__LOAD_EXAMPLES: 'False',
    AIRFLOW__CORE__EXECUTION_API_SERVER_URL: `http://127.0.0.1:${port}/execution/`,
  };
  const run = (args: readonly string[]): ChildProcess =>
    spawn(python, ['-m', 'airflow', ...args], { env, cwd: home, stdio: 'ignore', timeout: deadline });
  const begun = performance.now();
  const [code] = await once(run(['db', 'migrate']), 'exit');
  if (code !== 0) throw new Error(`airflow db migrate ended with ${code}`);
  const migrated = (performance.now() - begun) / 1000;
  const running = components(port).map(run);
  try {
    while (!(await isHealthy(port))) {
      if (performance.now() - begun > deadline) throw new Error('Airflow did not become healthy');
      await delay(100);
    }
    const total = (performance.now() - begun) / 1000;
    return {
      total,
      steps: [
        ['airflow db migrate', migrated],
        ['start until healthy', total - migrated],
      ],
    };
  } finally {
    await Promise.all(running.map(ended));
  }
};

const print = (name: string, start: Start, base: Start): void => {
  console.log(
    `${name}: ${(start.total / base.total).toFixed(2)} of Airflow alone (${start.total.toFixed(1)} s)`,
  );
  const named = start.steps.reduce((sum, [, seconds]) => sum + seconds, 0);
  for (const [step, seconds] of [...start.steps, ['everything else', start.total - named] as const])
    console.log(`  ${step.padEnd(32)} ${((100 * seconds) / start.total).toFixed(0).padStart(3)} %`);
};

const data = mkdtempSync('/tmp/windsock-bench-');
// as root, other accounts work in it
chmodSync(data, 0o755);
try {
  const first = await windsock(join(data, 'data'));
  const second = await windsock(join(data, 'data'), removeDemo);
  const alone = await airflow(join(data, 'data'));
  print('Airflow alone', alone, alone);
  print('First start, from an empty folder', first, alone);
  print('Second start', second, alone);
} finally {
  rmSync(data, { recursive: true, force: true });
}
