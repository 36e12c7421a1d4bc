import { chownSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { StepFailed } from '../environments/errors.ts';
import { killAll } from '../lib/end-processes.ts';
import { textOf, WindsockError } from '../lib/errors.ts';
import { type Account, type RunResult, run } from '../lib/process.ts';
import { runToItsEnd } from './local/launch.ts';
import { withoutDataFolder } from './local/shown-paths.ts';
import type { View } from './local/view.ts';
import type { PackageSources } from './package-index.ts';
import { findPython, type Python } from './python.ts';
import { findUv } from './uv.ts';
import type { AirflowVersion } from './versions.ts';

export interface InstallerOptions {
  /** Its own folder: home, temporary files, and what uv keeps. */
  readonly cache: string;
  readonly programs: string;
  /** Builds virtual environments; owns the cache and the folder being built, nothing else. */
  readonly installer: Account | undefined;
  readonly path: string;
  readonly python: string | undefined;
  readonly sources: PackageSources;
  /** How what is installed, and what that starts, gets a pid namespace, where it can have one. */
  readonly pidNamespace: View['kind'] | undefined;
}

/** One program that is run under the account of the installer. */
export interface InstallerRun {
  /** For people, in what is thrown. */
  readonly what: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly signal: AbortSignal;
  /** Told where uv is. */
  readonly report?: (text: string) => void;
  /** More than what every run is given, or other values: what must not stand in the arguments. */
  readonly env?: Readonly<Record<string, string>>;
  /** GiB of data that it may have. */
  readonly memory?: number;
}

const lastLines = (text: string, count: number): string => text.trim().split('\n').slice(-count).join('\n');

/** uv's words for a network that may come back. */
const passing =
  /(dns error|connect|timed? ?out|temporarily|network|unreachable|reset by peer|5\d\d |request failed|error sending request|Failed to fetch)/i;

/** The variable that tells what works for one data folder: several share the account that installs. */
export const installerMark = (cache: string): readonly [name: string, value: string] => [
  'WINDSOCK_INSTALLER',
  cache,
];

/** uv's words for where it is, among all that it prints. */
const isStage = (line: string): boolean =>
  /^(Resolved|Prepared|Installed|Downloading|Building|Built)/.test(line.trim());

const mostMinutes = 15;

/** Runs uv and Python under an account that owns nothing but what is being built. */
export class Installer {
  readonly #o: InstallerOptions;

  constructor(options: InstallerOptions) {
    this.#o = options;
  }

  /**
   * Ends the installers and migrations of a server that was killed: they would go on beside the next ones, in the same
   * folder or database. Call before the first build. False when one survives.
   */
  endStrays(): Promise<boolean> {
    const uid = this.#o.installer?.uid ?? process.geteuid?.() ?? -1;
    return killAll({ anyOf: [{ uid, variable: installerMark(this.#o.cache).join('=') }] });
  }

  /** The account that it runs under; undefined where that is the account of this process. */
  get account(): Account | undefined {
    return this.#o.installer;
  }

  /** Where packages come from when nothing else is said. */
  get sources(): PackageSources {
    return this.#o.sources;
  }

  /** Makes a folder that the installer may write to. */
  ownedFolder(folder: string): void {
    mkdirSync(folder, { recursive: true, mode: 0o755 });
    const owner = this.#o.installer;
    if (owner) chownSync(folder, owner.uid, owner.gid);
  }

  /** Gives what it printed and its exit code. @throws only when it cannot be started */
  run({ program, args, signal, report, env, memory }: Omit<InstallerRun, 'what'>): Promise<RunResult> {
    const o = this.#o;
    const whole = { ...this.#environment(), ...env };
    const launch = { program, args, env: whole, cwd: o.cache, account: o.installer, memory };
    return runToItsEnd(
      { ...launch, view: undefined, pidNamespace: o.pidNamespace },
      { timeout: mostMinutes * 60_000, signal, onLine: (line) => isStage(line) && report?.(line.trim()) },
    );
  }

  /** The same of what has to succeed. @throws StepFailed with the program's own reason */
  async must(r: InstallerRun): Promise<RunResult> {
    const result = await this.run(r);
    if (result.exitCode === 0) return result;
    if (r.signal.aborted) throw new StepFailed(`${r.what} was interrupted`, { retry: true });
    const reason = lastLines(this.shown(result.stderr || result.stdout), 12);
    throw new StepFailed(`${r.what} failed${result.timedOut ? ' (it took too long)' : ''}: ${reason}`, {
      retry: result.timedOut || passing.test(reason),
      logTail: reason,
    });
  }

  /** What a program printed, without paths of the data folder. */
  shown(text: string): string {
    return withoutDataFolder(text, dirname(this.#o.cache));
  }

  /** Makes the installer's own folders, and finds uv. */
  async uv(signal: AbortSignal): Promise<string> {
    const o = this.#o;
    for (const folder of [o.cache, join(o.cache, 'home'), join(o.cache, 'tmp')]) this.ownedFolder(folder);
    const how = { programs: o.programs, path: o.path, account: o.installer, sources: o.sources, signal };
    return orStepFailed(() => findUv(how));
  }

  /** The Python that a version runs on; fetched by uv where the machine has none. */
  async python(uv: string, v: AirflowVersion, signal: AbortSignal): Promise<Python> {
    const o = this.#o;
    return orStepFailed(() =>
      findPython({
        wanted: v.pythons,
        named: o.python,
        path: o.path,
        account: o.installer,
        install: (wanted) => this.#installPython(uv, wanted, signal),
      }),
    );
  }

  /**
   * Nobody who runs it may change it. As root the owner is somebody else; as an ordinary account the files are
   * read-only, and the folders stay writable so that their owner can remove them.
   */
  async seal(folder: string): Promise<void> {
    const owner = this.#o.installer;
    const find = (...args: readonly string[]) =>
      runOnFiles('The installation could not be made read-only', 'find', [folder, ...args, '{}', '+']);
    // what is linked from a base is sealed already, and has another owner
    if (owner) await find('-user', String(owner.uid), '-exec', 'chown', '-h', '0:0');
    const open = ['(', '-perm', '/222', '-o', '!', '-perm', '-444', ')'];
    await find('!', '-type', 'l', ...open, '-exec', 'chmod', 'a-w,a+rX');
    await find('-type', 'd', '-exec', 'chmod', 'u+w');
  }

  async #installPython(uv: string, wanted: string, signal: AbortSignal): Promise<string> {
    const what = `No Python ${wanted} was found on this machine; install one, name one with --python, or let uv fetch one. Installing it into the data folder`;
    await this.must({ what, program: uv, args: ['python', 'install', wanted], signal });
    const args = ['python', 'find', '--managed-python', wanted];
    return (await this.must({ what, program: uv, args, signal })).stdout.trim();
  }

  #environment(): Record<string, string> {
    const o = this.#o;
    return {
      ...o.sources,
      ...Object.fromEntries([installerMark(o.cache)]),
      PATH: '/usr/local/bin:/usr/bin:/bin',
      LC_ALL: 'C.UTF-8',
      HOME: join(o.cache, 'home'),
      TMPDIR: join(o.cache, 'tmp'),
      UV_CACHE_DIR: join(o.cache, 'uv'),
      UV_LINK_MODE: 'copy',
      UV_NO_CONFIG: '1',
      UV_NO_PROGRESS: '1',
      UV_PYTHON_INSTALL_DIR: join(o.cache, 'python'),
      UV_PYTHON_DOWNLOADS: 'manual',
    };
  }
}

/** An index that cannot be reached may come back. */
const orStepFailed = async <T>(work: () => Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    if (error instanceof StepFailed) throw error;
    const retry = error instanceof WindsockError && error.code.startsWith('PackageIndex');
    throw new StepFailed(textOf(error), { retry, cause: error });
  }
};

/** Runs a program of the system on a whole installation, as this process. @throws StepFailed */
export const runOnFiles = async (what: string, program: string, args: readonly string[]): Promise<void> => {
  const options = { env: { PATH: '/usr/bin:/bin' }, cwd: '/', timeout: 120_000 };
  const { exitCode, stderr, timedOut } = await run(program, args, options);
  if (exitCode === 0) return;
  const why = timedOut ? 'it took more than 2 minutes' : stderr.trim().slice(-500);
  throw new StepFailed(`${what} (${program}): ${why}`, { retry: true });
};
