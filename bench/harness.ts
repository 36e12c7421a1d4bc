// What the measurements of whole starts share: a server that is timed, and Airflow by itself to compare it with.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const deadline = 15 * 60_000;

export const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
};

export interface Start {
  /** Seconds from the start of the process until the screen says ready. */
  readonly total: number;
  readonly steps: readonly (readonly [name: string, seconds: number])[];
}

export const command = async (data: string, ...words: readonly string[]): Promise<void> => {
  const program = [join(root, 'bin', 'windsock.mjs'), ...words, '--data', data];
  const [code] = await once(spawn(process.execPath, program, { stdio: 'ignore' }), 'exit');
  if (code !== 0) throw new Error(`windsock ${words.join(' ')} ended with ${code}`);
};

/** A server that runs, with what it prints. */
export class Running {
  readonly child: ChildProcess;
  readonly #lines: string[] = [];
  readonly #begun = performance.now();

  constructor(data: string, ports: readonly [api: number, door: number], ...more: readonly string[]) {
    const places = ['--data', data, '--port', String(ports[0]), '--door-port', String(ports[1])];
    this.child = spawn(process.execPath, [join(root, 'src', 'main.ts'), ...places, ...more], {
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: deadline,
    });
    const { stdout } = this.child;
    if (stdout) createInterface({ input: stdout }).on('line', (line) => this.#lines.push(line));
  }

  /** Waits until the screen says that Airflow can be opened. */
  async ready(): Promise<Start> {
    while (!this.#lines.some((line) => line.startsWith('Windsock is ready'))) {
      if (this.child.exitCode !== null) throw new Error('Windsock ended before it was ready');
      await delay(20);
    }
    const total = (performance.now() - this.#begun) / 1000;
    // pages may be shown a moment before the last step has seen every part well
    await delay(3_000);
    return { total, steps: this.#steps('demo: ', true) };
  }

  /** Creates one more environment of the same version, whose every part is there already. */
  async another(data: string): Promise<Start> {
    const begun = performance.now();
    await command(data, 'environment', 'create', 'another', '--bucket', 'demo', '--wait');
    const total = (performance.now() - begun) / 1000;
    const steps = this.#steps('another: ', false);
    await command(data, 'environment', 'delete', 'another', '--wait');
    return { total, steps };
  }

  /** The steps of one environment until now. */
  stepsOf(environment: string): Start['steps'] {
    return this.#steps(`${environment}: `, false);
  }

  /** The steps of an environment, and with `withOwn` those of the server itself. */
  #steps(environment: string, withOwn: boolean): Start['steps'] {
    return this.#lines.flatMap((line) => {
      const [, name = '', seconds] = /✓ (.+) \(([\d.]+) s\)/.exec(line) ?? [];
      const counts = name.startsWith(environment) || (withOwn && !name.includes(': '));
      return seconds !== undefined && counts
        ? [[name.replace(environment, ''), Number(seconds)] as const]
        : [];
    });
  }
}

export const ended = async (child: ChildProcess): Promise<void> => {
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
export const airflow = async (data: string): Promise<Start> => {
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

export const print = (name: string, start: Start, base: Start): void => {
  console.log(
    `${name}: ${(start.total / base.total).toFixed(2)} of Airflow alone (${start.total.toFixed(1)} s)`,
  );
  const named = start.steps.reduce((sum, [, seconds]) => sum + seconds, 0);
  for (const [step, seconds] of [...start.steps, ['everything else', start.total - named] as const])
    console.log(`  ${step.padEnd(32)} ${((100 * seconds) / start.total).toFixed(0).padStart(3)} %`);
};
