import { chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { StepFailed } from '../../environments/errors.ts';
import { writeFileAtomic } from '../../lib/atomic-file.ts';
import type { Account } from '../../lib/process.ts';
import type { Base } from '../base.ts';
import { installerMark } from '../installer.ts';
import type { DatabaseAddress } from '../ports.ts';
import { templateConfiguration } from '../settings.ts';
import type { AirflowVersion } from '../versions.ts';
import { type Launch, runToItsEnd } from './launch.ts';
import { withoutDataFolder } from './shown-paths.ts';
import type { View } from './view.ts';

/** Tables first, then the five roles with their permissions: the first web server finds them made. */
export const migrateCommands = [['db', 'migrate'], ['sync-perm']] as const;

export interface MigrateInput {
  readonly commands: readonly (readonly string[])[];
  readonly version: AirflowVersion;
  readonly base: Base;
  /** Folder for the throw-away home. */
  readonly cache: string;
  readonly account: Account | undefined;
  readonly userName: string;
  readonly databasePeer: string | undefined;
  readonly address: DatabaseAddress;
  /** What it sees with that home; left out: everything. */
  readonly view?: (home: string) => View | undefined;
  /** How it gets a pid namespace, where it can have one. */
  readonly pidNamespace: View['kind'] | undefined;
  readonly report: (text: string) => void;
  readonly signal: AbortSignal;
}

/** Runs one Airflow command after the other in one process, which imports Airflow once. */
const programOf = (commands: readonly (readonly string[])[]): string => `
import sys
from airflow.__main__ import main
for words in ${JSON.stringify(commands)}:
    print("windsock: airflow " + " ".join(words), flush=True)
    sys.argv = ["airflow", *words]
    main()
`;
const mark = 'windsock: ';

const lastLines = (text: string): string => text.trim().split('\n').slice(-15).join('\n');

const launchOf = (i: MigrateInput, home: string): Launch => ({
  program: i.base.python,
  args: ['-c', programOf(i.commands)],
  cwd: home,
  account: i.account,
  view: i.view?.(home),
  pidNamespace: i.pidNamespace,
  env: {
    PATH: `${join(i.base.folder, 'bin')}:/usr/local/bin:/usr/bin:/bin`,
    LC_ALL: 'C.UTF-8',
    HOME: home,
    USER: i.account?.name ?? i.userName,
    LOGNAME: i.account?.name ?? i.userName,
    PYTHONNOUSERSITE: '1',
    ...Object.fromEntries([installerMark(i.cache)]),
    AIRFLOW_HOME: home,
    AIRFLOW_CONFIG: join(home, 'airflow.cfg'),
    ...(i.databasePeer ? { PGREQUIREPEER: i.databasePeer } : {}),
  },
});

const migrate = async (i: MigrateInput, home: string): Promise<void> => {
  let command = 'the migration';
  const result = await runToItsEnd(launchOf(i, home), {
    timeout: 8 * 60_000,
    signal: i.signal,
    onLine: (line) => {
      if (!line.startsWith(mark)) return;
      command = line.slice(mark.length);
      i.report(command);
    },
  });
  if (result.exitCode === 0) return;
  const data = dirname(dirname(i.base.folder));
  const logTail = lastLines(withoutDataFolder(result.stderr || result.stdout, data));
  const retry = i.signal.aborted || result.timedOut;
  throw new StepFailed(`${command} failed: ${logTail}`, { retry, logTail });
};

/** Changes the tables of a database by a base's own Airflow, without secrets and with no rights but its owner's. */
export const runMigration = async (i: MigrateInput): Promise<void> => {
  mkdirSync(i.cache, { recursive: true, mode: 0o755 });
  const home = mkdtempSync(join(i.cache, 'migrate-'));
  try {
    const file = join(home, 'airflow.cfg');
    writeFileAtomic(file, templateConfiguration(i.version, home, i.address.sqlAlchemyUrl), {
      mode: 0o600,
      owner: i.account,
    });
    if (i.account) chownSync(home, i.account.uid, i.account.gid);
    await migrate(i, home);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
};
