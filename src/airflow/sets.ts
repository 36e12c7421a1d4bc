import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '../lib/atomic-file.ts';
import { failpoint } from '../lib/failpoint.ts';
import { randomId } from '../lib/ids.ts';
import { syncFolder } from '../lib/sync-folder.ts';
import type { Base } from './base.ts';
import { type Installer, runOnFiles } from './installer.ts';

/** Packages as they are installed: `name-1.2.dist-info`, with what tells one installation from another. */
type Installed = ReadonlyMap<string, string>;

/** What an environment's own packages come to. */
export interface BuiltSet {
  /** Names the set; undefined where the packages of the base are enough. */
  readonly hash: string | undefined;
  /** `name==version` of every package that is not as in the base, by name. */
  readonly packages: readonly string[];
}

const sitePackagesOf = async (folder: string): Promise<string> => {
  const [python] = (await readdir(join(folder, 'lib'))).filter((name) => name.startsWith('python'));
  if (python === undefined) throw new Error(`${folder} has no Python`);
  return join(folder, 'lib', python, 'site-packages');
};

/** Told from the files, as nothing of the set may run here: a `.pth` file of a wheel would. */
const installedIn = async (folder: string): Promise<Installed> => {
  const site = await sitePackagesOf(folder);
  const found = new Map<string, string>();
  for (const name of (await readdir(site)).filter((entry) => entry.endsWith('.dist-info')).sort()) {
    const { ino } = await stat(join(site, name, 'METADATA'), { bigint: true }).catch(() => ({ ino: 0n }));
    found.set(name, String(ino));
  }
  return found;
};

/** `name-1.2.dist-info` (PyPA, "Recording installed projects"): a name has no `-` there. */
const pinOf = (distInfo: string): string => {
  const [name = '', version = ''] = distInfo.replace(/\.dist-info$/, '').split('-');
  return `${name.replaceAll('_', '-').toLowerCase()}==${version}`;
};

const hashOf = (base: Base, installed: Installed, content: string): string =>
  createHash('sha256')
    .update(JSON.stringify([base.hash, [...installed.keys()], content]))
    .digest('hex')
    .slice(0, 16);

/** From where a package came, and when: it says nothing of what is in it, and may hold a password. */
const origins = ['direct_url.json', 'uv_cache.json'];

/**
 * Prints what is new: those of the base have more than one link. Not believed is what a package says of its own files
 * (RECORD): uv does not compare that with what it unpacks.
 */
const newContent = `cd "$1" || exit
find lib -type f -path '*.dist-info/*' -links 1 \\( ${origins.map((name) => `-name ${name}`).join(' -o ')} \\) -delete
find lib -type f -path '*.dist-info/RECORD' -links 1 -exec sed -i -E '/\\.dist-info\\/(direct_url|uv_cache)\\.json,/d' {} +
find . -type l -printf '%p -> %l\\n' | LC_ALL=C sort
find . -type f -links 1 -print0 | LC_ALL=C sort -z | xargs -0 -r sha256sum`;

/**
 * Virtual environments with packages of users: the files of a base, linked, and what differs. One is found by what is
 * installed in it, never changed, and used by every environment whose packages come to the same.
 */
export class Sets {
  readonly #folder: string;
  readonly #installer: Installer;

  constructor(folder: string, installer: Installer) {
    this.#folder = folder;
    this.#installer = installer;
  }

  /** The interpreter of a finished set, in the place of that of its base; undefined when it is not there. */
  find(hash: string): Base | undefined {
    const folder = join(this.#folder, hash);
    const python = join(folder, 'bin', 'python');
    return existsSync(python) ? { hash, folder, python } : undefined;
  }

  /**
   * Links the base, lets `install` change the copy, and keeps what came of it. `install` may start the Python of the copy
   * only before it has installed anything.
   * @throws what `install` throws, and StepFailed
   */
  async build(
    base: Base,
    install: (python: string) => Promise<void>,
    o: { readonly report: (text: string) => void; readonly signal: AbortSignal },
  ): Promise<BuiltSet> {
    const temporary = join(this.#folder, `${randomId(12)}.tmp`);
    try {
      await this.#link(base, temporary);
      failpoint('set:linked');
      await install(join(temporary, 'bin', 'python'));
      failpoint('set:installed');
      const [before, after] = [await installedIn(base.folder), await installedIn(temporary)];
      const differing = [...after].filter(([name, record]) => before.get(name) !== record);
      const hash = hashOf(base, after, await this.#contentOf(temporary, o.signal));
      const isBase = differing.length === 0 && before.size === after.size;
      if (!isBase) {
        // first, so that it is not taken for one that nobody uses
        this.#markUsed(hash);
        if (this.find(hash) === undefined) await this.#keep(temporary, hash, o);
      }
      return { hash: isBase ? undefined : hash, packages: differing.map(([name]) => pinOf(name)).sort() };
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
  }

  /** Removes the sets that are not in use and were not for so many milliseconds. */
  async removeUnused(inUse: ReadonlySet<string>, age: number): Promise<void> {
    for (const hash of await readdir(this.#folder).catch(() => [])) {
      if (!/^[0-9a-f]{16}$/.test(hash)) continue;
      const mark = this.#markOf(hash);
      const used = await stat(mark).catch(() => undefined);
      if (inUse.has(hash) || used === undefined) this.#markUsed(hash);
      else if (Date.now() - used.mtimeMs > age) {
        const away = join(this.#folder, `${randomId(12)}.tmp`);
        await rename(join(this.#folder, hash), away);
        await rm(away, { recursive: true, force: true });
        await rm(mark, { force: true });
      }
    }
  }

  #markOf(hash: string): string {
    return join(this.#folder, `${hash}.used`);
  }

  #markUsed(hash: string): void {
    writeFileAtomic(this.#markOf(hash), '', { mode: 0o644 });
  }

  /** Names every new file with its bytes, and every link. */
  async #contentOf(folder: string, signal: AbortSignal): Promise<string> {
    const what = 'Reading what was installed';
    const args = ['-c', newContent, 'sh', folder];
    const { stdout } = await this.#installer.must({ what, program: '/bin/sh', args, signal });
    return createHash('sha256').update(stdout).digest('hex');
  }

  /** Only its folders belong to the installer: files that it replaces are made anew, those of the base stay as they are. */
  async #link(base: Base, to: string): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o755 });
    const what = 'The files of Airflow could not be linked';
    await runOnFiles(what, 'cp', ['-al', base.folder, to]);
    const owner = this.#installer.account;
    if (!owner) return;
    const give = ['-exec', 'chown', `${owner.uid}:${owner.gid}`, '{}', '+'];
    await runOnFiles(what, 'find', [to, '-type', 'd', ...give]);
  }

  async #keep(
    temporary: string,
    hash: string,
    o: { readonly report: (text: string) => void; readonly signal: AbortSignal },
  ): Promise<void> {
    o.report('compiling to bytecode');
    await this.#compile(temporary, o.signal);
    o.signal.throwIfAborted();
    await this.#installer.seal(temporary);
    failpoint('set:sealed');
    await rename(temporary, join(this.#folder, hash)).catch((error: unknown) => {
      // another environment whose packages are the same was faster
      if (this.find(hash) === undefined) throw error;
    });
    await syncFolder(this.#folder);
    failpoint('set:renamed');
  }

  /** `-S`: without its own packages, of which none may run under this account. Files of the base have more than one link. */
  async #compile(folder: string, signal: AbortSignal): Promise<void> {
    const list = join(folder, '.new-files');
    const find = 'find "$1/lib" -name "*.py" -links 1 > "$2"';
    await this.#installer.run({ program: '/bin/sh', args: ['-c', find, 'sh', folder, list], signal });
    const python = join(folder, 'bin', 'python');
    // Some packages carry files for other Python versions that cannot be compiled: that is no fault.
    const args = ['-I', '-S', '-m', 'compileall', '-q', '-i', list];
    await this.#installer.run({ program: python, args, signal });
    await rm(list, { force: true });
  }
}
