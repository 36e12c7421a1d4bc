import { mkdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { packageOfWheel } from '../../content/requirements/package-file.ts';
import type { HandedLine, PreparedRequirements } from '../../content/requirements/prepared.ts';
import { placeOf } from '../../content/requirements/refused.ts';
import { conceal } from '../../content/requirements/resolver-reason.ts';
import { shownLine } from '../../content/requirements/shown.ts';
import { StepFailed } from '../../environments/errors.ts';
import { textOf } from '../../lib/errors.ts';
import { randomId } from '../../lib/ids.ts';
import { uvFailed } from '../install-requirements.ts';
import type { PackageSources } from '../package-index.ts';
import { indexVariables, isForBuild, placeArguments, writeRequirements } from '../uv-requirements.ts';
import { accountOf, baseOf, limitsFor, placesFor, seenFor, versionOf, viewOnBase } from './context.ts';
import { environmentMark } from './environment-variables.ts';
import { makeFolder } from './folders.ts';
import { type Launch, runToItsEnd } from './launch.ts';
import type { PackagesWork } from './prepare-packages.ts';
import { writeFilesOfMachine } from './steps.ts';
import { copyTheirFile, theirWheels } from './their-files.ts';

/** What one build may come to. */
const limits = { wheels: 200, bytes: 512 * 1024 * 1024 };

/** Milliseconds; less where other work was done before. */
const mostTime = 9 * 60_000;

/** True when something is asked for that the installer neither fetches nor builds. */
export const asksForBuild = ({ requirements, noBinary }: PreparedRequirements): boolean =>
  requirements.lines.some(isForBuild) || noBinary.some((name) => name !== ':none:');

/** True unless the file says that only wheels, or only files with certain hashes, are wanted. */
export const mayBuild = ({ onlyBinary, requireHashes }: PreparedRequirements): boolean =>
  !requireHashes && !onlyBinary.includes(':all:');

const refuse = (p: PreparedRequirements): void => {
  const isArchive = (line: HandedLine) =>
    isForBuild(line) && !URL.parse(line.address ?? '')?.pathname.endsWith('.whl');
  const archive = p.onlyBinary.includes(':all:') ? p.requirements.lines.find(isArchive) : undefined;
  if (archive !== undefined)
    throw new StepFailed(
      `${placeOf(archive.source)}: It would have to be built, and --only-binary :all: forbids that.`,
      {
        retry: false,
      },
    );
  if (!p.requireHashes) return;
  const line = p.requirements.lines.find(isForBuild)?.source;
  throw new StepFailed(
    `${line ? placeOf(line) : 'requirements.txt'}: Where anything has a hash, only wheels can be installed that an index or a folder has. Build a wheel, put it into plugins.zip, and give the hash of that.`,
    { retry: false },
  );
};

/** A proxy may be written without a scheme. */
const hasPassword = (name: string, value: string): boolean =>
  /^(?!no).*_proxy$/i.test(name) ? value.includes('@') : /:\/\/[^/\s]*@/.test(value);

/** Where packages come from, without what is the machine's secret: the code that is built can read all of it. */
export const sourcesFor = (p: PreparedRequirements, machine: PackageSources): Record<string, string> => {
  const isIndex = (name: string): boolean => /^UV_.*INDEX/.test(name);
  const needed = Object.entries(machine).filter(
    ([name]) => !(isIndex(name) && (p.noIndex || (p.index && /^UV_(?:INDEX_URL|DEFAULT_INDEX)$/.test(name)))),
  );
  const secret = needed.find(([name, value]) => hasPassword(name, value))?.[0];
  if (secret !== undefined)
    throw new StepFailed(
      `Packages that have no wheel are built by the environment's own account, which must not see the password in ${secret} of this machine. Build wheels and put them into plugins.zip, or name an index with --index-url`,
      { retry: false },
    );
  return indexVariables(p, Object.fromEntries(needed));
};

const binaryArguments = ({ noBinary }: PreparedRequirements): readonly string[] =>
  noBinary.flatMap((name) => ['--no-binary', name]);

/** Its account makes the folder below its own temporary one, and removes it: there it may put links in our way. */
const workNames = 'windsock-build-';

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

const launchOf = (
  { o, e }: PackagesWork,
  program: string,
  args: readonly string[],
  more: { readonly env: Record<string, string>; readonly readOnly: readonly string[] },
): Launch => ({
  program,
  args,
  env: more.env,
  cwd: seenFor(o, e).home,
  account: accountOf(o, e.id),
  ...limitsFor(e),
  view: viewOnBase(o, e, more.readOnly),
  pidNamespace: o.view.pidNamespace,
});

const run = async (w: PackagesWork, p: PreparedRequirements, given: string, work: string) => {
  const { o, e, report, signal } = w;
  const uv = await o.installer.uv(signal);
  const lines = p.requirements.lines.map(({ text }) => text);
  const { requirements, constraints } = writeRequirements(given, lines, p, accountOf(o, e.id));
  writeFilesOfMachine(o, e.id);
  const args = [
    ...['-I', join(o.shim, 'windsock_build.py'), uv, work, requirements],
    ...constraints.flatMap((file) => ['-c', file]),
    ...['--', ...placeArguments(p), ...binaryArguments(p)],
    ...['--', ...p.onlyBinary.filter((name) => name !== ':none:')],
  ];
  const env = { ...variables(placesFor(o, e.id).root, work), ...sourcesFor(p, o.installer.sources) };
  const onLine = (line: string): void => {
    if (/^\s*(Building|Built|Downloading|Resolved)/.test(line)) report(shownLine(conceal(line.trim(), p)));
  };
  const { python } = baseOf(o, versionOf(e));
  const launch = launchOf(w, python, args, { env, readOnly: [given, dirname(uv)] });
  return runToItsEnd(launch, { timeout: mostTime, signal, onLine });
};

/** A build may have closed folders; what a killed server has left is removed as well, once no build can be at it. */
const removal = `chmod -R u+rwX -- "$1"; rm -rf -- "$1"
find "$(dirname -- "$1")" -maxdepth 1 -name '${workNames}*' -mmin +60 -exec rm -rf -- {} +`;

const removeWork = async (w: PackagesWork, work: string): Promise<void> => {
  const launch = launchOf(w, '/bin/sh', ['-c', removal, 'sh', work], {
    env: { PATH: '/usr/bin:/bin' },
    readOnly: [],
  });
  const { exitCode, stderr } = await runToItsEnd(launch, { timeout: 60_000 });
  if (exitCode !== 0) throw new Error(stderr.slice(-300));
};

/** What its account left is not believed: each is a file of bounded size with the name of a wheel. */
const copyWheels = async (work: string, to: string): Promise<readonly string[]> => {
  await mkdir(to, { mode: 0o755 });
  const [temporary, folder] = [dirname(work), [basename(work), 'wheels']];
  const names = await theirWheels({ root: temporary, names: folder });
  if (names.length > limits.wheels)
    throw new StepFailed(`More than ${limits.wheels} wheels were built`, { retry: false });
  const strange = names.find((name) => packageOfWheel(name) === undefined);
  if (strange !== undefined)
    throw new StepFailed(`A wheel has no usable name: ${shownLine(strange)}`, { retry: false });
  let left = limits.bytes;
  for (const name of names) {
    left -= await copyTheirFile({ root: temporary, names: [...folder, name] }, join(to, name), left);
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
  refuse(p);
  w.report('building packages from their sources');
  const account = accountOf(o, e.id);
  const given = join(own.root, 'build');
  const work = join(placesFor(o, e.id).temporary, `${workNames}${randomId(12)}`);
  makeFolder(given, 0o750, account && { uid: 0, gid: account.gid });
  try {
    const result = await run(w, p, given, work);
    const log = o.installer.shown(conceal(`${result.stdout}${result.stderr}`, p));
    if (result.exitCode !== 0)
      throw uvFailed(result, { prepared: p, signal: w.signal }, { installer: o.installer, log });
    w.said.push(log);
    return await copyWheels(work, join(folder, 'built'));
  } finally {
    await rm(given, { recursive: true, force: true });
    await removeWork(w, work).catch((error: unknown) =>
      o.log.warn('packages with a warning', { environment: e.name, reason: textOf(error) }),
    );
  }
};
