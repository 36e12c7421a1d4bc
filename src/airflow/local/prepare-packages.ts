import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { unpackArchive } from '../../content/archive.ts';
import { ArchiveRefused } from '../../content/archive-refused.ts';
import { StepFailed } from '../../environments/errors.ts';
import { pinnedFile } from '../../environments/pinned-files.ts';
import type { EnvironmentRecord } from '../../environments/record.ts';
import { writeFileAtomic } from '../../lib/atomic-file.ts';
import { textOf } from '../../lib/errors.ts';
import { failpoint } from '../../lib/failpoint.ts';
import { plural } from '../../lib/plural.ts';
import { logFolderOf } from '../logging.ts';
import { buildSet } from './build-packages.ts';
import { type DagsBefore, dagsBefore, dagWarnings, strictFault } from './compare-dags.ts';
import { accountOf, findPackages, type LocalDriverOptions, packagesOf, placesFor } from './context.ts';
import { makeFolder } from './folders.ts';
import { objectOf } from './object-of.ts';
import { forgetOldPackages } from './old-packages.ts';
import { hasOwnPackages, type OwnPackages, packagesState, writePackagesState } from './own-packages.ts';
import type { ImportFaults } from './trial-result.ts';
import { tryDags, tryPackages } from './try-packages.ts';

/** Milliseconds that all of it may take: what Amazon MWAA gives a requirements.txt. */
const mostTime = 9 * 60_000;

/** One preparation. */
export interface PackagesWork {
  readonly o: LocalDriverOptions;
  readonly e: EnvironmentRecord;
  readonly own: OwnPackages;
  readonly report: (text: string) => void;
  /** Aborted when the server stops, the environment is deleted, or the time is over. */
  readonly signal: AbortSignal;
  /** The same without the time. */
  readonly stopping: AbortSignal;
  /** What is written to the log of this installation. */
  readonly said: string[];
}

/** True when there is nothing to prepare; false without the base that they are for. */
export const packagesAreReady = (o: LocalDriverOptions, e: EnvironmentRecord): boolean => {
  if (!hasOwnPackages(e.spec)) return true;
  const own = findPackages(o, e);
  return own !== undefined && isBuilt(o, own) && wasTried(o, e, own);
};

/** What an update brings is tried for that update, also when it ran before: the DAGs may have changed since. */
const wasTried = (o: LocalDriverOptions, e: EnvironmentRecord, own: OwnPackages): boolean => {
  const state = packagesState(own);
  return state?.tried === true && (replacedBy(o, e) === undefined || state.triedFor === e.generation);
};

/** The environment as it was before an update to other packages; undefined without such an update. */
const replacedBy = (o: LocalDriverOptions, e: EnvironmentRecord): EnvironmentRecord | undefined => {
  if (e.update === undefined) return undefined;
  const before = { ...e, spec: e.update.previous };
  // a roll-back, or an update of something else
  return findPackages(o, before)?.revision === findPackages(o, e)?.revision ? undefined : before;
};

/** A set may be gone: a backup does not hold it. */
const isBuilt = (o: LocalDriverOptions, own: OwnPackages): boolean => {
  const state = packagesState(own);
  return state !== undefined && (state.set === undefined || o.sets.find(state.set) !== undefined);
};

/**
 * Makes the packages and plugins that the record asks for, beside those that are in use, and tries them. What runs is not
 * touched.
 * @throws StepFailed with what is at fault in the user's own files
 */
export const preparePackages = async (
  o: LocalDriverOptions,
  e: EnvironmentRecord,
  report: (text: string) => void,
  stopping: AbortSignal,
): Promise<void> => {
  const own = packagesOf(o, e);
  if (own === undefined) return;
  await forgetOldPackages(o, e);
  const late = AbortSignal.timeout(mostTime);
  const signal = AbortSignal.any([stopping, late]);
  const w: PackagesWork = { o, e, own, report, signal, stopping, said: [] };
  try {
    await prepare(w);
    w.said.push('The packages are installed and were tried.');
  } catch (error) {
    const told = late.aborted ? tooLate() : error;
    w.said.push(textOf(told), error instanceof StepFailed ? (error.logTail ?? '') : '');
    throw told;
  } finally {
    await writeLog(w);
  }
};

const tooLate = () =>
  new StepFailed('The packages were not installed and tried within 9 minutes', { retry: false });

const prepare = async (w: PackagesWork): Promise<void> => {
  const { o, e, own } = w;
  const account = accountOf(o, e.id);
  if (!isBuilt(o, own)) {
    await rm(own.root, { recursive: true, force: true });
    makeFolder(own.root, 0o750, account && { uid: 0, gid: account.gid });
    for (const folder of [own.requirements, own.plugins])
      makeFolder(folder, 0o750, account && { uid: 0, gid: account.gid });
    await fetchPlugins(w);
    failpoint('packages:plugins-unpacked');
    writePackagesState(own, { set: await buildSet(w), tried: false }, account);
    failpoint('packages:built');
  }
  await tryThem(w);
  failpoint('packages:tried');
  const set = packagesState(own)?.set;
  writePackagesState(own, { set, tried: true, triedFor: e.generation }, account);
};

/** @throws StepFailed when they cannot be switched to */
const tryThem = async (w: PackagesWork): Promise<void> => {
  const { o, e, report, signal, said } = w;
  report('trying the packages, the plugins and the DAGs');
  const faults = await tryPackages(o, e, signal);
  const before = await triedBefore(w, faults);
  const warnings = dagWarnings(faults, before);
  said.push(...warnings);
  const fault = o.strictDags ? strictFault(faults, before) : undefined;
  if (fault !== undefined) throw new StepFailed(fault, { retry: false });
  for (const reason of warnings) o.log.warn('packages with a warning', { environment: e.name, reason });
};

/** Whether faults of DAGs are new is asked only where there are some. */
const triedBefore = async (w: PackagesWork, faults: ImportFaults): Promise<DagsBefore> => {
  const replaced = replacedBy(w.o, w.e);
  if (replaced === undefined || Object.keys(faults).length === 0) return undefined;
  w.report('trying the DAGs with the packages that run now');
  const before = await dagsBefore(() => tryDags(w.o, replaced, w.signal));
  // a trial that was ended is no answer: the next start asks again
  w.stopping.throwIfAborted();
  return before;
};

const fetchPlugins = async ({ o, e, own, report, signal, said }: PackagesWork): Promise<void> => {
  const plugins = pinnedFile(e.spec, 'Plugins');
  if (plugins === undefined) return;
  report('unpacking the plugins');
  const file = join(own.root, 'plugins.zip');
  await o.objects.fetch(objectOf(e, plugins), file, signal);
  // how plugins are taken away: the member of the API cannot be
  if ((await stat(file)).size === 0) return;
  await rm(own.plugins, { recursive: true });
  const unpacked = await unpackArchive({ file, to: own.plugins, signal }).catch((error: unknown) => {
    if (!(error instanceof ArchiveRefused)) throw error;
    throw new StepFailed(`${plugins.path}: ${error.publicText}`, { retry: false, cause: error });
  });
  said.push(`${plugins.path}: ${plural(unpacked.files, 'file')}, ${plural(unpacked.bytes, 'byte')}`);
  if (unpacked.extraFolder !== undefined)
    said.push(
      `${plugins.path} has everything in a folder ${unpacked.extraFolder}: Airflow looks in /usr/local/airflow/plugins. Zip what is in the folder, not the folder.`,
    );
  await rm(file);
};

const mostLogs = 20;

const removeOldLogs = async (folder: string): Promise<void> => {
  const logs = (await readdir(folder)).filter((name) => name.startsWith('requirements_install_')).sort();
  for (const name of logs.slice(0, -mostLogs)) await rm(join(folder, name), { force: true });
};

/** As Amazon MWAA names it, in the log of the scheduler. */
const writeLog = async ({ o, e, said }: PackagesWork): Promise<void> => {
  const folder = join(placesFor(o, e.id).componentLogs, logFolderOf(e, 'scheduler'));
  const name = `requirements_install_${hostname()}_${Math.round(Date.now() / 1000)}.log`;
  const text = said.filter((one) => one !== '').join('\n');
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    writeFileAtomic(join(folder, name), `${o.installer.shown(text)}\n`, { mode: 0o640 });
    await removeOldLogs(folder);
  } catch (error) {
    o.log.warn('packages with a warning', { environment: e.name, reason: textOf(error) });
  }
};
