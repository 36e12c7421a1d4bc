import { mkdir, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { packageOfWheel } from '../../content/requirements/package-file.ts';
import type { PreparedRequirements } from '../../content/requirements/prepared.ts';
import { placeOf } from '../../content/requirements/refused.ts';
import { conceal } from '../../content/requirements/resolver-reason.ts';
import { StepFailed } from '../../environments/errors.ts';
import { uvFailed } from '../install-requirements.ts';
import type { PackageSources } from '../package-index.ts';
import { indexVariables, isForBuild, placeArguments, writeRequirements } from '../uv-requirements.ts';
import { accountOf, baseOf, limitsFor, placesFor, versionOf, viewOnBase } from './context.ts';
import { environmentMark } from './environment-variables.ts';
import { makeFolder } from './folders.ts';
import { runToItsEnd } from './launch.ts';
import type { PackagesWork } from './prepare-packages.ts';
import { writeFilesOfMachine } from './steps.ts';
import { copyTheirFile } from './their-files.ts';

/** What one build may come to. */
const limits = { wheels: 200, bytes: 512 * 1024 * 1024 };

/** True when something is asked for that the installer neither fetches nor builds. */
export const asksForBuild = ({ requirements, noBinary }: PreparedRequirements): boolean =>
  requirements.lines.some(isForBuild) || noBinary.some((name) => name !== ':none:');

/** True unless the file says that only wheels, or only files with certain hashes, are wanted. */
export const mayBuild = ({ onlyBinary, requireHashes }: PreparedRequirements): boolean =>
  !requireHashes && !onlyBinary.includes(':all:');

const refuseHashes = (p: PreparedRequirements): void => {
  if (!p.requireHashes) return;
  const line = p.requirements.lines.find(isForBuild)?.source;
  throw new StepFailed(
    `${line ? placeOf(line) : 'requirements.txt'}: Where anything has a hash, only wheels can be installed that an index or a folder has. Build a wheel, put it into plugins.zip, and give the hash of that.`,
    { retry: false },
  );
};

const hasPassword = (text: string): boolean => /:\/\/[^/\s]*@/.test(text);

/** Where packages come from, without what is the machine's secret: the code that is built can read all of it. */
export const sourcesFor = (p: PreparedRequirements, machine: PackageSources): Record<string, string> => {
  const isIndex = (name: string): boolean => /^UV_.*INDEX/.test(name);
  const needed = Object.entries(machine).filter(
    ([name]) => !(isIndex(name) && (p.noIndex || (p.index && /^UV_(?:INDEX_URL|DEFAULT_INDEX)$/.test(name)))),
  );
  const secret = needed.find(([, value]) => hasPassword(value))?.[0];
  if (secret !== undefined)
    throw new StepFailed(
      `Packages that have no wheel are built by the environment's own account, which must not see the password in ${secret} of this machine. Build wheels and put them into plugins.zip, or name an index with --index-url`,
      { retry: false },
    );
  return indexVariables(p, Object.fromEntries(needed));
};

const binaryArguments = ({ noBinary }: PreparedRequirements): readonly string[] =>
  noBinary.flatMap((name) => ['--no-binary', name]);

/** The folders of one build: one that its account reads, and in it one that it writes. */
const makePlaces = async (root: string, account: ReturnType<typeof accountOf>) => {
  const given = join(root, 'build');
  const work = join(given, 'work');
  await rm(given, { recursive: true, force: true });
  makeFolder(given, 0o750, account && { uid: 0, gid: account.gid });
  makeFolder(work, 0o700, account);
  for (const name of ['home', 'tmp']) makeFolder(join(work, name), 0o700, account);
  return { given, work };
};

const variables = (root: string, work: string): Record<string, string> => ({
  PATH: '/usr/local/bin:/usr/bin:/bin',
  LANG: 'C.UTF-8',
  LC_ALL: 'C.UTF-8',
  HOME: join(work, 'home'),
  TMPDIR: join(work, 'tmp'),
  UV_CACHE_DIR: join(work, 'cache'),
  UV_LINK_MODE: 'copy',
  UV_NO_CONFIG: '1',
  UV_NO_PROGRESS: '1',
  UV_PYTHON_DOWNLOADS: 'never',
  UV_CONCURRENT_BUILDS: '1',
  ...Object.fromEntries([environmentMark(root)]),
});

const run = async (
  { o, e, report, signal }: PackagesWork,
  p: PreparedRequirements,
  { given, work }: { readonly given: string; readonly work: string },
) => {
  const uv = await o.installer.uv(signal);
  const account = accountOf(o, e.id);
  const { requirements, constraints } = writeRequirements(
    given,
    p.requirements.lines.map(({ text }) => text),
    p,
    account,
  );
  writeFilesOfMachine(o, e.id);
  const launch = {
    program: baseOf(o, versionOf(e)).python,
    args: [
      ...['-I', join(o.shim, 'windsock_build.py'), uv, work, requirements],
      ...constraints.flatMap((file) => ['-c', file]),
      ...['--', ...placeArguments(p), ...binaryArguments(p)],
    ],
    env: { ...variables(placesFor(o, e.id).root, work), ...sourcesFor(p, o.installer.sources) },
    cwd: work,
    account,
    ...limitsFor(e),
    view: viewOnBase(o, e, { readOnly: [given, dirname(uv)], writable: [work] }),
    pidNamespace: o.view.pidNamespace,
  };
  const onLine = (line: string): void => {
    if (/^\s*(Building|Built|Downloading|Resolved)/.test(line)) report(line.trim());
  };
  return runToItsEnd(launch, { timeout: 9 * 60_000, signal, onLine });
};

/** What its account left is not believed: each is a file of bounded size with the name of a wheel. */
const copyWheels = async (work: string, to: string): Promise<readonly string[]> => {
  await mkdir(to, { mode: 0o755 });
  const found = await readdir(join(work, 'wheels')).catch(() => []);
  const names = found.filter((name) => packageOfWheel(name) !== undefined);
  if (names.length > limits.wheels)
    throw new StepFailed(`More than ${limits.wheels} wheels were built`, { retry: false });
  let left = limits.bytes;
  for (const name of names) {
    left -= await copyTheirFile({ root: work, names: ['wheels', name] }, join(to, name), left);
    if (left < 0) throw new StepFailed('The wheels that were built have more than 512 MiB', { retry: false });
  }
  return names.map((name) => join(to, name));
};

/**
 * Builds wheels of what has none, and fetches what stands at an address of its own, under the account of the environment
 * and within its view: either may run code, or be led elsewhere. `folder` is the installer's; gives the wheels in it.
 * @throws StepFailed with the line that is at fault, and uv's reason
 */
export const buildSources = async (
  w: PackagesWork,
  p: PreparedRequirements,
  folder: string,
): Promise<readonly string[]> => {
  const { o, e, own } = w;
  refuseHashes(p);
  w.report('building packages from their sources');
  const places = await makePlaces(own.root, accountOf(o, e.id));
  try {
    const result = await run(w, p, places);
    const log = o.installer.shown(conceal(`${result.stdout}${result.stderr}`, p));
    if (result.exitCode !== 0)
      throw uvFailed(result, { prepared: p, signal: w.signal }, { installer: o.installer, log });
    w.said.push(log);
    return await copyWheels(places.work, join(folder, 'built'));
  } finally {
    await rm(places.given, { recursive: true, force: true });
  }
};
