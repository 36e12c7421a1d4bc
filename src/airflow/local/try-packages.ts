import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { StepFailed } from '../../environments/errors.ts';
import type { EnvironmentRecord } from '../../environments/record.ts';
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
import { runToItsEnd } from './launch.ts';
import { lockFile } from './own-packages.ts';
import { withoutDataFolder } from './shown-paths.ts';
import { writeConfiguration, writeFilesOfMachine } from './steps.ts';

/** Milliseconds for everything to be imported. */
const mostTime = 5 * 60_000;

/** What the trial found, by file; the texts are the last line of Python's own. */
interface Found {
  /** What packages want of each other and do not find. */
  readonly conflicts: readonly string[];
  readonly plugins: Readonly<Record<string, string>>;
  readonly dags: Readonly<Record<string, string>>;
}

const mark = 'windsock-trial ';

const lastLines = (text: string): string => text.trim().split('\n').slice(-12).join('\n');

/** Airflow's code prints as well, and a DAG may print what looks like this: it can only lie about itself. */
const foundIn = (stdout: string): Found | undefined => {
  const line = stdout
    .split('\n')
    .findLast((one) => one.startsWith(mark))
    ?.slice(mark.length);
  try {
    return line === undefined ? undefined : (JSON.parse(line) as Found);
  } catch {
    return undefined;
  }
};

const listed = (faults: Readonly<Record<string, string>>): readonly string[] =>
  Object.entries(faults).map(([file, fault]) => `${file}: ${fault}`);

/** A port that nothing listens on: the trial asks no web server. */
const noPort = 1;

/**
 * Imports Airflow, the plugins and every DAG with the packages of the record, as the environment's account and within its
 * view. Gives warnings: DAGs that cannot be imported.
 * @throws StepFailed when Airflow or a plugin cannot be imported
 */
export const tryPackages = async (
  o: LocalDriverOptions,
  e: EnvironmentRecord,
  signal: AbortSignal,
): Promise<readonly string[]> => {
  const file = join(placesFor(o, e.id).config, 'trial.cfg');
  writeFilesOfMachine(o, e.id);
  await writeConfiguration(o, e, file, noPort);
  try {
    return await runTrial(o, e, file, signal);
  } finally {
    await rm(file, { force: true });
  }
};

const runTrial = async (
  o: LocalDriverOptions,
  e: EnvironmentRecord,
  configuration: string,
  signal: AbortSignal,
): Promise<readonly string[]> => {
  const launch = {
    program: installationOf(o, e).python,
    args: [join(o.shim, 'windsock_trial.py'), mark, join(seenFor(o, e).requirements, lockFile)],
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
  };
  const { exitCode, stdout, stderr, timedOut } = await runToItsEnd(launch, { timeout: mostTime, signal });
  const found = foundIn(stdout);
  const shown = (text: string): string => withoutDataFolder(text, dirname(o.environments));
  if (timedOut)
    throw new StepFailed('Importing the plugins and DAGs took more than 5 minutes', { retry: false });
  if (exitCode !== 0 || found === undefined) {
    const logTail = shown(lastLines(stderr || stdout));
    throw new StepFailed(`Airflow cannot be imported with these packages: ${logTail}`, {
      retry: false,
      logTail,
    });
  }
  if (found.conflicts.length > 0)
    throw new StepFailed(`The packages do not fit together: ${found.conflicts.slice(0, 5).join('; ')}`, {
      retry: false,
    });
  const plugins = listed(found.plugins).map(shown);
  if (plugins.length > 0)
    throw new StepFailed(`A plugin cannot be imported: ${plugins.join('; ')}`, { retry: false });
  return listed(found.dags).map((fault) => `A DAG cannot be imported: ${shown(fault)}`);
};
