import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Account, accountOf, isRoot, removeEnvironmentAccount } from './accounts.ts';
import { claimPorts, isListening, type Ports } from './ports.ts';
import { type FoundProcess, processesOf } from './processes.ts';
import { compiled, plainEnvironment, windsockProgram } from './tools.ts';
import { until } from './until.ts';

export const readyLine = 'Windsock is ready after';

/** A folder that every account can enter, with the data folder of a server in it. */
export interface Place {
  readonly folder: string;
  readonly data: string;
  readonly ports: Ports;
}

export const makePlace = async (below = '/tmp'): Promise<Place> => {
  const folder = mkdtempSync(join(below, 'windsock-test-'));
  chmodSync(folder, 0o777);
  return { folder, data: join(folder, 'data'), ports: await claimPorts() };
};

/** A program that was started, with what it printed. */
export class Running {
  readonly child: ChildProcess;
  readonly exited: Promise<number>;
  #output = '';

  constructor(child: ChildProcess) {
    this.child = child;
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output += text;
      });
    this.exited = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => resolve(code ?? (signal === 'SIGKILL' ? 137 : 128)));
    });
  }

  get pid(): number {
    if (this.child.pid === undefined) throw new Error('it has no pid');
    return this.child.pid;
  }

  get output(): string {
    return this.#output;
  }

  get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** Waits for a text in the output; fails with the output when the program ends before. */
  async says(text: string, seconds: number): Promise<void> {
    await until(`"${text}" in the output:\n${this.output}`, seconds, () => {
      if (this.#output.includes(text)) return true;
      return this.hasEnded ? 'ended' : undefined;
    }).catch((error) => {
      throw new Error(`${(error as Error).message}\nOutput:\n${this.output}`);
    });
    if (!this.#output.includes(text)) throw new Error(`It ended without saying "${text}":\n${this.output}`);
  }

  /** Its exit code; fails when it still runs after that time. */
  async end(seconds: number): Promise<number> {
    await until(`the end of the program; output:\n${this.output}`, seconds, () => this.hasEnded, 50);
    return this.exited;
  }
}

export interface StartOptions {
  readonly place: Place;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly account?: Account;
  /** The checkout to run from. */
  readonly from?: string;
}

/** The arguments that name the place of a server. */
export const placeArguments = ({ data, ports }: Place): string[] => [
  ...['--data', data, '--port', String(ports.api), '--door-port', String(ports.door)],
];

/** Starts the server; does not wait. */
export const launch = (o: StartOptions): Running => {
  const program = o.from ? join(o.from, 'src/main.ts') : windsockProgram('main');
  const child = spawn(process.execPath, [program, ...placeArguments(o.place), ...(o.args ?? [])], {
    cwd: '/',
    env: {
      ...plainEnvironment(o.account?.home ?? process.env['HOME'] ?? '/'),
      ...(o.account || o.from ? {} : compiled()),
      ...o.env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    ...(o.account ? { uid: o.account.uid, gid: o.account.gid } : {}),
  });
  return new Running(child);
};

/** Starts the server and waits until it says that it is ready. */
export const startServer = async (o: StartOptions, seconds = 300): Promise<Running> => {
  const running = launch(o);
  try {
    await running.says(readyLine, seconds);
    return running;
  } catch (error) {
    running.child.kill('SIGKILL');
    throw error;
  }
};

/** Ids of the environments that the data folder holds. */
export const environmentIds = ({ data }: Place): readonly string[] => {
  const folder = join(data, 'environments');
  return existsSync(folder) ? readdirSync(folder).filter((name) => /^[a-z0-9]{12}$/.test(name)) : [];
};

/** Every process that belongs to the data folder or to an account of one of its environments. */
export const processesAt = (place: Place): readonly FoundProcess[] =>
  processesOf(
    place.folder,
    environmentIds(place).flatMap((id) => accountOf(`windsock-${id}`)?.uid ?? []),
  );

/** What is still there of a server that has stopped: processes and listening ports. */
export const leftOvers = async (place: Place): Promise<readonly string[]> => {
  const listening = await Promise.all(
    place.ports.all.map(async (port) => ((await isListening(port)) ? [`port ${port}`] : [])),
  );
  return [...processesAt(place).map((p) => `process ${p.pid}: ${p.command}`), ...listening.flat()];
};

/** TERM, then the end within a minute; gives the exit code. */
export const stopServer = async (running: Running): Promise<number> => {
  running.child.kill('SIGTERM');
  return running.end(60);
};

/** Ends all processes of a place and removes its accounts. */
export const endPlace = (place: Place): void => {
  for (const p of processesAt(place)) {
    try {
      process.kill(p.pid, 'SIGKILL');
    } catch {
      // it has ended
    }
  }
  const ids = environmentIds(place);
  if (isRoot) for (const id of ids) removeEnvironmentAccount(id);
};

/** Removes what a test made, whatever happened in it. */
export const removePlace = (place: Place): void => {
  endPlace(place);
  rmSync(place.folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  place.ports.release();
};

/** What the server wrote to its log. */
export const serverLog = ({ data }: Place): string => {
  const file = join(data, 'logs', 'windsock.log');
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
};
