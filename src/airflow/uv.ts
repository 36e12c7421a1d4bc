import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { unzipSync } from 'fflate';
import { writeFileAtomic } from '../lib/atomic-file.ts';
import { WindsockError } from '../lib/errors.ts';
import { type Account, run } from '../lib/process.ts';
import { downloadFile, type PackageSources } from './package-index.ts';

const version = '0.13.8';

/** The pinned wheels: one static program in a zip. */
const wheels: Readonly<Record<string, { file: string; sha256: string }>> = {
  x64: {
    file: `uv-${version}-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl`,
    sha256: 'e18a57b8b352eb7c8feb317b9f6f533c8f0ad9673fd6cf34bbe3cf1a9f6a8984',
  },
  arm64: {
    file: `uv-${version}-py3-none-manylinux_2_17_aarch64.manylinux2014_aarch64.musllinux_1_1_aarch64.whl`,
    sha256: '0b3e8b1a4f5e405e31e2ff33de8af4744831e9f7338539671efbd8c3c94e791d',
  },
};

/** The oldest uv whose options are used here. */
const oldest = [0, 5, 0];

const isNewEnough = (text: string): boolean => {
  const found = /^uv (\d+)\.(\d+)\.(\d+)/.exec(text)?.slice(1).map(Number);
  if (!found) return false;
  const difference = oldest.map((n, i) => (found[i] ?? 0) - n).find((d) => d !== 0);
  return (difference ?? 0) >= 0;
};

const works = async (file: string, account: Account | undefined): Promise<boolean> => {
  if (!existsSync(file)) return false;
  const result = await run(file, ['--version'], {
    env: { PATH: '/usr/bin:/bin' },
    cwd: '/',
    account,
    timeout: 20_000,
  }).catch(() => undefined);
  return result?.exitCode === 0 && isNewEnough(result.stdout);
};

const download = async (target: string, sources: PackageSources, signal: AbortSignal): Promise<void> => {
  const wheel = wheels[process.arch];
  if (!wheel)
    throw new WindsockError('NoUv', `There is no uv for ${process.arch}; install uv and put it on PATH`);
  const bytes = await downloadFile('uv', wheel.file, sources, signal);
  const digest = createHash('sha256').update(bytes).digest('hex');
  if (digest !== wheel.sha256) {
    throw new WindsockError(
      'UvChanged',
      `The package index sent another ${wheel.file} than the pinned one (sha256 ${digest})`,
    );
  }
  const name = `uv-${version}.data/scripts/uv`;
  const program = unzipSync(bytes, { filter: (file) => file.name === name })[name];
  if (!program) throw new WindsockError('NoUv', `${wheel.file} holds no ${name}`);
  writeFileAtomic(target, program, { mode: 0o755 });
};

export interface UvOptions {
  readonly programs: string;
  /** PATH of whoever started the server. */
  readonly path: string;
  /** Who will run it. */
  readonly account: Account | undefined;
  readonly sources: PackageSources;
  readonly signal: AbortSignal;
}

/**
 * A uv that the account can run: one on PATH, else the pinned one, downloaded once into the data folder.
 * @throws WindsockError NoUv, UvChanged, PackageIndexUnreachable, PackageIndexAnswered
 */
export const findUv = async (o: UvOptions): Promise<string> => {
  for (const folder of o.path.split(delimiter).filter((f) => f.startsWith('/'))) {
    const file = join(folder, 'uv');
    if (await works(file, o.account)) return file;
  }
  const folder = join(o.programs, `uv-${version}`);
  const own = join(folder, 'uv');
  if (!(await works(own, o.account))) {
    mkdirSync(folder, { recursive: true, mode: 0o755 });
    await download(own, o.sources, o.signal);
    chmodSync(own, 0o755);
  }
  return own;
};
