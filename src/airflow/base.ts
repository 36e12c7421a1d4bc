import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { failpoint } from '../lib/failpoint.ts';
import type { Installer } from './installer.ts';
import type { Python } from './python.ts';
import { type AirflowVersion, constraintsOf, requirementsOf } from './versions.ts';

/** A finished virtual environment: found by the hash of all that went into it, never changed. */
export interface Base {
  readonly hash: string;
  readonly folder: string;
  readonly python: string;
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

/** The virtual environments of the Airflow versions, as they are without packages of users. */
export class Bases {
  readonly #folder: string;
  readonly #installer: Installer;
  readonly #building = new Map<string, Promise<Base>>();
  #queue: Promise<unknown> = Promise.resolve();

  constructor(folder: string, installer: Installer) {
    this.#folder = folder;
    this.#installer = installer;
  }

  /** The finished base of a version, when it has been built with the Python that would be chosen now. */
  find(v: AirflowVersion): Base | undefined {
    const file = join(this.#folder, `${v.version}.json`);
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

  #base(v: AirflowVersion, python: Python): Base {
    const hash = hashOf(v, python);
    const folder = join(this.#folder, `airflow-${v.version}-${hash}`);
    return { hash, folder, python: join(folder, 'bin', 'python') };
  }

  async #build(v: AirflowVersion, report: (text: string) => void, signal: AbortSignal): Promise<Base> {
    mkdirSync(this.#folder, { recursive: true, mode: 0o755 });
    report('looking for uv and Python');
    const uv = await this.#installer.uv(signal);
    const python = await this.#installer.python(uv, v, signal);
    const base = this.#base(v, python);
    if (!existsSync(base.folder)) await this.#fill(v, base, uv, python, report, signal);
    writeFileSync(join(this.#folder, `${v.version}.json`), JSON.stringify({ python }), { mode: 0o644 });
    return base;
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
    const target = join(temporary, 'bin', 'python');
    rmSync(temporary, { recursive: true, force: true });
    this.#installer.ownedFolder(temporary);
    await this.#installer.must({
      what: 'Making the virtual environment',
      program: uv,
      args: [
        ...['venv', '--relocatable', '--allow-existing', '--no-project', '--python', python.file],
        temporary,
      ],
      signal,
    });
    report(`installing Airflow ${v.version} on Python ${python.version}`);
    await this.#install(v, uv, target, report, signal);
    failpoint('base:installed');
    report('compiling to bytecode');
    // A few packages carry files for other Python versions that cannot be compiled: that is no fault.
    const compile = ['-I', '-m', 'compileall', '-q', '-j', '2', join(temporary, 'lib')];
    await this.#installer.run({ program: target, args: compile, signal });
    signal.throwIfAborted();
    await this.#installer.seal(temporary);
    failpoint('base:sealed');
    renameSync(temporary, base.folder);
    failpoint('base:renamed');
  }

  async #install(
    v: AirflowVersion,
    uv: string,
    target: string,
    report: (text: string) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const constraints = join(this.#folder, `constraints-${v.version}.txt`);
    writeFileSync(constraints, constraintsOf(v), { mode: 0o644 });
    const sources = v.sourcePackages.flatMap((name) => ['--no-binary', name]);
    await this.#installer.must({
      what: `Installing Airflow ${v.version}`,
      program: uv,
      args: [
        ...['pip', 'install', '--python', target, '--only-binary', ':all:'],
        ...[...sources, '-c', constraints, ...requirementsOf(v)],
      ],
      signal,
      report,
    });
  }
}
