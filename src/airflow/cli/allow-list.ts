import { compareVersions } from '../../lib/version-order.ts';

interface Entry {
  readonly command: string;
  /** Airflow version from which on the command is listed. */
  readonly since?: string;
  /** Airflow version from which on the command is no longer listed. */
  readonly until?: string;
}

const group = (noun: string, verbs: string, limits: Omit<Entry, 'command'> = {}): readonly Entry[] =>
  verbs.split(' ').map((verb) => ({ command: `${noun} ${verb}`, ...limits }));

/** "Apache Airflow CLI command reference", Amazon MWAA user guide: the supported commands by version. */
const published: readonly Entry[] = [
  { command: 'cheat-sheet' },
  ...group('connections', 'add delete'),
  ...group('dags', 'backfill', { since: '2.2', until: '3.0' }),
  ...group('dags', 'delete list-jobs pause report show state test trigger unpause'),
  ...group('dags', 'list list-runs next-execution', { since: '2.2' }),
  ...group('dags', 'reserialize', { since: '2.4' }),
  ...group('dags', 'list-import-errors', { since: '2.6' }),
  ...group('db', 'clean', { since: '2.4' }),
  ...group('providers', 'behaviours get hooks links list widgets'),
  ...group('providers', 'secrets', { since: '2.6' }),
  ...group('providers', 'triggerer', { since: '2.7' }),
  ...group('providers', 'notifications', { since: '2.8' }),
  ...group('roles', 'list'),
  ...group('roles', 'create add-perms del-perms', { since: '2.6' }),
  ...group('tasks', 'clear failed-deps list render state states-for-dag-run test'),
  ...group('tasks', 'run', { until: '3.0' }),
  ...group('variables', 'delete get list set'),
  { command: 'version' },
  ...group('assets', 'details list materialize', { since: '3.0' }),
  ...group('backfill', 'create', { since: '3.0' }),
];

/** The commands that AWS lists for this Airflow version, in order of the alphabet. */
export const allowedCommands = (version: string): readonly string[] =>
  published
    .filter((e) => e.since === undefined || compareVersions(version, e.since) >= 0)
    .filter((e) => e.until === undefined || compareVersions(version, e.until) < 0)
    .map((e) => e.command)
    .sort();

/** The command that these words begin with, word by word; undefined when none of the list. */
export const commandIn = (version: string, words: readonly string[]): string | undefined =>
  allowedCommands(version).find((command) => command.split(' ').every((part, i) => words[i] === part));
