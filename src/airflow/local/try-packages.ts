import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { StepFailed } from '../../environments/errors.ts';
import type { EnvironmentRecord } from '../../environments/record.ts';
import type { RunResult } from '../../lib/process.ts';
import {
  accountOf,
  installationOf,
  type LocalDriverOptions,
  limitsFor,
  placesFor,
  seenFor,
  variablesFor,
  viewFor,
} from './context.ts';
import { type Launch, runToItsEnd } from './launch.ts';
import { lockFile } from './own-packages.ts';
import { withoutDataFolder } from './shown-paths.ts';
import { writeConfiguration, writeFilesOfMachine } from './steps.ts';
import { type ImportFaults, resultMark, type TrialResult, trialResultIn } from './trial-result.ts';

/** Milliseconds for everything to be imported. */
const mostTime = 5 * 60_000;

const lastLines = (text: string): string => text.trim().split('\n').slice(-12).join('\n');

/** A port that nothing listens on: the trial asks no web server. */
const noPort = 1;

/**
 * Imports Airflow, the plugins and every DAG with the packages of the record, as the environment's account and within its
 * view. Gives the DAGs that cannot be imported.
 * @throws StepFailed when Airflow or a plugin cannot be imported
 */
export const tryPackages = async (
  o: LocalDriverOptions,
  e: EnvironmentRecord,
  signal: AbortSignal,
): Promise<ImportFaults> => {
  const { conflicts, plugins, dags } = await runTrial(o, e, signal);
  if (conflicts.length > 0)
    throw new StepFailed(`The packages do not fit together: ${conflicts.slice(0, 5).join('; ')}`, {
      retry: false,
    });
  const faults = Object.entries(plugins).map(([file, fault]) => `${file}: ${fault}`);
  if (faults.length > 0)
    throw new StepFailed(`A plugin cannot be imported: ${faults.join('; ')}`, { retry: false });
  return dags;
};

/** The same for DAGs alone, whatever else does not work. @throws StepFailed when Airflow cannot be imported */
export const tryDags = async (
  o: LocalDriverOptions,
  e: EnvironmentRecord,
  signal: AbortSignal,
): Promise<ImportFaults> => (await runTrial(o, e, signal)).dags;

const runTrial = async (
  o: LocalDriverOptions,
  e: EnvironmentRecord,
  signal: AbortSignal,
): Promise<TrialResult> => {
  const file = join(placesFor(o, e.id).config, 'trial.cfg');
  writeFilesOfMachine(o, e.id);
  await writeConfiguration(o, e, file, noPort);
  try {
    const ended = await runToItsEnd(trialOf(o, e, file), { timeout: mostTime, signal });
    return resultOf(ended, (text) => withoutDataFolder(text, dirname(o.environments)));
  } finally {
    await rm(file, { force: true });
  }
};

const trialOf = (o: LocalDriverOptions, e: EnvironmentRecord, configuration: string): Launch => ({
  program: installationOf(o, e).python,
  args: [join(o.shim, 'windsock_trial.py'), resultMark, join(seenFor(o, e).requirements, lockFile)],
  env: {
    ...variablesFor(o, e)('scheduler'),
    AIRFLOW_CONFIG: configuration,
    AIRFLOW__LOGGING__LOGGING_LEVEL: 'ERROR',
  },
  cwd: seenFor(o, e).home,
  account: accountOf(o, e.id),
  ...limitsFor(e),
  view: viewFor(o, e),
  pidNamespace: o.view.pidNamespace,
});

const resultOf = (ended: RunResult, shown: (text: string) => string): TrialResult => {
  if (ended.timedOut)
    throw new StepFailed('Importing the plugins and DAGs took more than 5 minutes', { retry: false });
  const found = trialResultIn(ended.stdout);
  if (ended.exitCode !== 0 || found === undefined) {
    const logTail = shown(lastLines(ended.stderr || ended.stdout));
    throw new StepFailed(`Airflow cannot be imported with these packages: ${logTail}`, {
      retry: false,
      logTail,
    });
  }
  const each = (faults: ImportFaults): ImportFaults =>
    Object.fromEntries(Object.entries(faults).map(([file, fault]) => [file, shown(fault)]));
  return { conflicts: found.conflicts, plugins: each(found.plugins), dags: each(found.dags) };
};
