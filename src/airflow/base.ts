import { createHash } from 'node:crypto';
import { chownSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { StepFailed } from '../environments/errors.ts';
import { killAll } from '../lib/end-processes.ts';
import { textOf, WindsockError } from '../lib/errors.ts';
import { failpoint } from '../lib/failpoint.ts';
import { type Account, type RunResult, run } from '../lib/process.ts';
import { runToItsEnd } from './local/launch.ts';
import { withoutDataFolder } from './local/shown-paths.ts';
import type { View } from './local/view.ts';
import type { PackageSources } from './package-index.ts';
import { findPython, type Python } from './python.ts';
import { findUv } from './uv.ts';
import { type AirflowVersion, constraintsOf, requirementsOf } from './versions.ts';

/** A finished virtual environment: found by the hash of all that went into it, never changed. */
export interface Base {
  readonly hash: string;
  readonly folder: string;
  readonly python: string;
}

export interface BaseOptions {
  readonly bases: string;
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

/** Changes when the way of building changes, so that old bases are not taken for new ones. */
const recipe = 1;

const hashOf = (v: AirflowVersion, python: Python): string =>
  createHash('sha256')
    .update(
      JSON.stringify([
        recipe,
        requirementsOf(v),
        v.sourcePackages,
        constraintsOf(v),
        python.version,
        python.file,
      ]),
    )
    .digest('hex')
    .slice(0, 16);

const lastLines = (text: string, count: number): string => text.trim().split('\n').slice(-count).join('\n');

/** uv's words for a network that may come back. */
const passing =
  /(dns error|connect|timed? ?out|temporarily|network|unreachable|reset by peer|5\d\d |request failed|error sending request|Failed to fetch)/i;

/** The variable that tells what works for one data folder: several share the account that installs. */
export const installerMark = (cache: string): readonly [name: string, value: string] => [
  'WINDSOCK_INSTALLER',
  cache,
];

export class Bases {
  readonly #options: BaseOptions;
  readonly #building = new Map<string, Promise<Base>>();
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: BaseOptions) {
    this.#options = options;
  }

  /** The finished base of a version, when it has been built with the Python that would be chosen now. */
  find(v: AirflowVersion): Base | undefined {
    const file = join(this.#options.bases, `${v.version}.json`);
    if (!existsSync(file)) return undefined;
    try {
      const { python } = JSON.parse(readFileSync(file, 'utf8')) as { python: Python };
      const base = this.#base(v, python);
      // The link leads to the interpreter: one that was uninstalled takes its bases with it.
      return existsSync(base.python) ? base : undefined;
    } catch {
      return undefined;
    }
  }

  /**
   * Builds the base once; builds of different versions wait for each other.
   * @throws StepFailed with uv's own reason.
   */
  ensure(v: AirflowVersion, report: (text: string) => void, signal: AbortSignal): Promise<Base> {
    const there = this.find(v);
    if (there) return Promise.resolve(there);
    const running = this.#building.get(v.version);
    if (running) return running;
    const building = this.#queue
      .catch(() => {})
      .then(() => this.find(v) ?? this.#build(v, report, signal))
      .finally(() => this.#building.delete(v.version));
    this.#building.set(v.version, building);
    this.#queue = building;
    return building;
  }

  /**
   * Ends the installers and migrations of a server that was killed: they would go on beside the next ones, in the same
   * folder or database. Call before the first build. False when one survives.
   */
  endStrays(): Promise<boolean> {
    const uid = this.#options.installer?.uid ?? process.geteuid?.() ?? -1;
    return killAll({ anyOf: [{ uid, variable: installerMark(this.#options.cache).join('=') }] });
  }

  #base(v: AirflowVersion, python: Python): Base {
    const hash = hashOf(v, python);
    const folder = join(this.#options.bases, `airflow-${v.version}-${hash}`);
    return { hash, folder, python: join(folder, 'bin', 'python') };
  }

  #environment(): Record<string, string> {
    const o = this.#options;
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

  #ownedFolder(folder: string): void {
    mkdirSync(folder, { recursive: true, mode: 0o755 });
    const owner = this.#options.installer;
    if (owner) chownSync(folder, owner.uid, owner.gid);
  }

  async #run(
    program: string,
    args: readonly string[],
    signal: AbortSignal,
    onLine?: (line: string) => void,
  ): Promise<RunResult> {
    const o = this.#options;
    const launch = { program, args, env: this.#environment(), cwd: o.cache, account: o.installer };
    return runToItsEnd(
      { ...launch, view: undefined, pidNamespace: o.pidNamespace },
      { timeout: 15 * 60_000, signal, onLine },
    );
  }

  async #must(
    what: string,
    program: string,
    args: readonly string[],
    signal: AbortSignal,
    onLine?: (line: string) => void,
  ): Promise<RunResult> {
    const result = await this.#run(program, args, signal, onLine);
    if (result.exitCode === 0) return result;
    if (signal.aborted) throw new StepFailed(`${what} was interrupted`, { retry: true });
    const data = dirname(this.#options.bases);
    const reason = lastLines(withoutDataFolder(result.stderr || result.stdout, data), 12);
    throw new StepFailed(`${what} failed${result.timedOut ? ' (it took too long)' : ''}: ${reason}`, {
      retry: result.timedOut || passing.test(reason),
      logTail: reason,
    });
  }

  async #build(v: AirflowVersion, report: (text: string) => void, signal: AbortSignal): Promise<Base> {
    const o = this.#options;
    for (const folder of [o.cache, join(o.cache, 'home'), join(o.cache, 'tmp')]) this.#ownedFolder(folder);
    mkdirSync(o.bases, { recursive: true, mode: 0o755 });
    report('looking for uv and Python');
    const { uv, python } = await this.#tools(v, signal);
    const base = this.#base(v, python);
    if (!existsSync(base.folder)) await this.#fill(v, base, uv, python, report, signal);
    writeFileSync(join(o.bases, `${v.version}.json`), JSON.stringify({ python }), { mode: 0o644 });
    return base;
  }

  async #tools(v: AirflowVersion, signal: AbortSignal): Promise<{ uv: string; python: Python }> {
    const o = this.#options;
    try {
      const uv = await findUv({
        programs: o.programs,
        path: o.path,
        account: o.installer,
        sources: o.sources,
        signal,
      });
      const python = await findPython({
        wanted: v.pythons,
        named: o.python,
        path: o.path,
        account: o.installer,
        install: (wanted) => this.#installPython(uv, wanted, signal),
      });
      return { uv, python };
    } catch (error) {
      if (error instanceof StepFailed) throw error;
      const retry = error instanceof WindsockError && error.code.startsWith('PackageIndex');
      throw new StepFailed(textOf(error), { retry, cause: error });
    }
  }

  async #installPython(uv: string, wanted: string, signal: AbortSignal): Promise<string> {
    const help = `No Python ${wanted} was found on this machine; install one, name one with --python, or let uv fetch one. Installing it into the data folder`;
    await this.#must(help, uv, ['python', 'install', wanted], signal);
    const found = await this.#must(help, uv, ['python', 'find', '--managed-python', wanted], signal);
    return found.stdout.trim();
  }

  async #fill(
    v: AirflowVersion,
    base: Base,
    uv: string,
    python: Python,
    report: (text: string) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const temporary = `${base.folder}.tmp`;
    const constraints = join(this.#options.bases, `constraints-${v.version}.txt`);
    const target = join(temporary, 'bin', 'python');
    rmSync(temporary, { recursive: true, force: true });
    this.#ownedFolder(temporary);
    writeFileSync(constraints, constraintsOf(v), { mode: 0o644 });
    await this.#must(
      'Making the virtual environment',
      uv,
      ['venv', '--relocatable', '--allow-existing', '--no-project', '--python', python.file, temporary],
      signal,
    );
    report(`installing Airflow ${v.version} on Python ${python.version}`);
    const sources = v.sourcePackages.flatMap((name) => ['--no-binary', name]);
    await this.#must(
      `Installing Airflow ${v.version}`,
      uv,
      [
        'pip',
        'install',
        '--python',
        target,
        '--only-binary',
        ':all:',
        ...sources,
        '-c',
        constraints,
        ...requirementsOf(v),
      ],
      signal,
      (line) =>
        /^(Resolved|Prepared|Installed|Downloading|Building|Built)/.test(line.trim()) && report(line.trim()),
    );
    failpoint('base:installed');
    report('compiling to bytecode');
    // A few packages carry files for other Python versions that cannot be compiled: that is no fault.
    await this.#run(target, ['-I', '-m', 'compileall', '-q', '-j', '2', join(temporary, 'lib')], signal);
    signal.throwIfAborted();
    await this.#seal(temporary);
    failpoint('base:sealed');
    renameSync(temporary, base.folder);
    failpoint('base:renamed');
  }

  /**
   * Nobody who runs it may change it. As root the owner is somebody else; as an ordinary account the files are
   * read-only, and the folders stay writable so that their owner can remove them.
   */
  async #seal(folder: string): Promise<void> {
    const options = { env: { PATH: '/usr/bin:/bin' }, cwd: '/', timeout: 120_000 };
    const done = async (program: string, ...args: readonly string[]): Promise<void> => {
      const { exitCode, stderr, timedOut } = await run(program, args, options);
      const why = timedOut ? 'it took more than 2 minutes' : stderr.trim().slice(-500);
      if (exitCode !== 0)
        throw new StepFailed(`The installation could not be made read-only (${program}): ${why}`, {
          retry: true,
        });
    };
    if (this.#options.installer) await done('chown', '-R', '-h', '0:0', folder);
    await done('chmod', '-R', 'a-w,a+rX', folder);
    await done('find', folder, '-type', 'd', '-exec', 'chmod', 'u+w', '{}', '+');
  }
}
