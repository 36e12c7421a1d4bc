import { type Dirent, existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { accountOf } from './accounts.ts';
import { verifyAudit } from './audit.ts';
import { componentsAt, sessionOf } from './components.ts';
import { ownQuery } from './own-database.ts';
import { processesOf } from './processes.ts';
import { environmentIds, type Place, serverLog } from './server.ts';
import { schedulerStarts } from './trivial-airflow.ts';
import { until } from './until.ts';

interface Living {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly version: string;
}

/** What no crash may bring about, at a moment when nothing is being done. */
interface Facts {
  readonly place: Place;
  readonly serverPid: number;
  readonly living: readonly Living[];
  readonly running: readonly Living[];
}

const livingSql = `select id, name, status, spec->>'AirflowVersion' as version from environments
  where deleted_at is null order by name`;

/** Its Airflow runs and nothing is being done to it. */
const isUp = (status: string): boolean => status === 'AVAILABLE' || status === 'UPDATE_FAILED';

const statusProblems = ({ living }: Facts): readonly string[] =>
  living
    .filter(({ status }) => !isUp(status) && status !== 'CREATE_FAILED')
    .map((e) => `${e.name} (${e.id}) is ${e.status}`);

const namesLivingThing = ({ living }: Facts, text: string): boolean =>
  living.some(({ id }) => text.includes(id));

const folderProblems = (facts: Facts): readonly string[] => {
  const { place, running } = facts;
  const there = environmentIds(place);
  const all = existsSync(join(place.data, 'environments'))
    ? readdirSync(join(place.data, 'environments'))
    : [];
  return [
    ...all
      .filter((name) => !namesLivingThing(facts, name))
      .map((name) => `folder of no environment: ${name}`),
    ...running.filter(({ id }) => !there.includes(id)).map(({ name }) => `${name} has no folder`),
    ...readdirSync(join(place.data, 'trash')).map((name) => `in the trash: ${name}`),
  ];
};

/** Of an environment's folder, what its Airflow writes: files there come and go. */
const ofAirflow = new Set(['home', 'tmp']);

/** All names below a folder; what goes away meanwhile is left out, and installed packages are not looked through. */
const namesBelow = (folder: string, depth: number): readonly string[] => {
  let entries: Dirent[];
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name);
    const goesOn = entry.isDirectory() && depth > 0 && !ofAirflow.has(entry.name);
    return [path, ...(goesOn ? namesBelow(path, depth - 1) : [])];
  });
};

/** Folders in which files are written beside their place and renamed when they are whole, with how deep they go. */
const written: Readonly<Record<string, number>> = {
  '.': 0,
  programs: 0,
  bases: 0,
  secrets: 3,
  environments: 8,
  buckets: 8,
};

const unfinishedFiles = ({ place }: Facts): readonly string[] =>
  Object.entries(written)
    .flatMap(([folder, depth]) => namesBelow(join(place.data, folder), depth))
    .filter((path) => /\.tmp(\.|$)/.test(basename(path)))
    .map((path) => `unfinished: ${path}`);

const databaseProblems = async (facts: Facts): Promise<readonly string[]> => {
  const rows = await ownQuery<{ name: string }>(
    facts.place,
    'postgres',
    `select datname as name from pg_database union all select rolname from pg_roles`,
  );
  const names = rows.map(({ name }) => name);
  const ofEnvironments = names.filter((name) => /^(airflow|environment|snapshot|copying)_/.test(name));
  const wanted = facts.running.flatMap(({ id }) => [`airflow_${id}`, `environment_${id}`]);
  return [
    ...ofEnvironments
      .filter((name) => !namesLivingThing(facts, name))
      .map((name) => `database or role of no environment: ${name}`),
    ...names
      .filter((name) => /^(unfinished|snapshot|copying)_/.test(name))
      .map((name) => `left of work that has ended: ${name}`),
    ...wanted.filter((name) => !names.includes(name)).map((name) => `missing in PostgreSQL: ${name}`),
  ];
};

interface NumberRow {
  environment_id: string;
  number: number;
  released: boolean;
}

const accountProblems = async (facts: Facts): Promise<readonly string[]> => {
  const rows = await ownQuery<NumberRow>(
    facts.place,
    'windsock',
    'select environment_id, number, released_at is not null as released from account_numbers',
  );
  const passwd = readFileSync('/etc/passwd', 'utf8');
  return rows.flatMap(({ environment_id, number, released }) => {
    const exists = passwd.includes(`:x:${number}:`);
    const isAlive = namesLivingThing(facts, environment_id) && !released;
    if (isAlive) return exists ? [] : [`no account ${number} for ${environment_id}`];
    if (exists) return [`account ${number} of no environment (${environment_id})`];
    return released ? [] : [`number ${number} is kept for no environment (${environment_id})`];
  });
};

/** Each token has its entry in the record, and each change that was answered has its own. */
const auditProblems = async ({ place }: Facts): Promise<readonly string[]> => {
  const rows = await ownQuery<{ what: string }>(
    place,
    'windsock',
    `select 'tokens and their audit entries differ: ' || t || ', ' || a as what
       from (select count(*) as t from tokens) as tokens,
            (select count(*) as a from audit_events
              where event_name in ('CreateWebLoginToken', 'CreateCliToken') and event->>'errorCode' is null) as entries
      where t <> a
     union all
     select 'uses of tokens and uses on record differ: ' || t || ', ' || a
       from (select coalesce(sum(uses), 0) as t from tokens) as tokens,
            (select count(*) as a from audit_events where event_name in ('WebLogin', 'UseCliToken')) as entries
      where t <> a
     union all
     select case when coalesce(made, 0) <> 1 then 'environment without the entry of its creation: '
            else 'environment deleted without an entry: ' end || id
       from environments left join (
         select environment_id,
                count(*) filter (where event_name = 'CreateEnvironment') as made,
                count(*) filter (where event_name = 'DeleteEnvironment' and event->>'errorCode' is null) as gone
           from audit_events group by environment_id
       ) as entries on environment_id = id
      where coalesce(made, 0) <> 1 or (deleted_at is not null and coalesce(gone, 0) <> 1)`,
  );
  return rows.map(({ what }) => what);
};

const isPostgres = (command: string): boolean => /^postgres: |\/bin\/postgres /.test(command);

const componentsWanted = ({ version }: Living): readonly string[] => [
  ...['webserver', 'scheduler', 'triggerer'],
  ...(version.startsWith('2.') ? [] : ['dag-processor']),
];

const processProblems = (facts: Facts): readonly string[] => {
  const { place, serverPid, living, running } = facts;
  const uids = living.flatMap(({ id }) => accountOf(`windsock-${id}`)?.uid ?? []);
  const found = processesOf(place.data, uids);
  const leaders = componentsAt(place).filter(({ id }) => running.some((e) => e.id === id));
  const owned = new Set(leaders.map(({ pid }) => pid));
  const strays = found.filter(
    ({ pid, command }) => pid !== serverPid && !isPostgres(command) && !owned.has(sessionOf(pid)),
  );
  const counts = running.flatMap((e) =>
    componentsWanted(e).flatMap((name) => {
      const count = leaders.filter((c) => c.id === e.id && c.name === name).length;
      return count === 1 ? [] : [`${e.name} has ${count} processes as its ${name}`];
    }),
  );
  return [...strays.map(({ pid, command }) => `process of nobody: ${pid} ${command}`), ...counts];
};

const doubleSchedulers = (place: Place): readonly string[] =>
  schedulerStarts(place)
    .filter(({ what }) => what === 'DOUBLE')
    .map(({ environmentId }) => `two schedulers at once: ${environmentId}`);

/**
 * Everything that is not as it must be once all work is done: environments half made, folders, accounts, roles,
 * databases, processes and unfinished files that belong to no living environment, components that are missing or
 * there twice, tokens and changes without their entry in the record.
 */
const problemsAt = async (place: Place, serverPid: number): Promise<readonly string[]> => {
  const living = await ownQuery<Living>(place, 'windsock', livingSql);
  const running = living.filter(({ status }) => isUp(status));
  const facts: Facts = { place, serverPid, living, running };
  return [
    ...statusProblems(facts),
    ...folderProblems(facts),
    ...unfinishedFiles(facts),
    ...(await databaseProblems(facts)),
    ...(await accountProblems(facts)),
    ...(await auditProblems(facts)),
    ...processProblems(facts),
    ...doubleSchedulers(place),
  ];
};

/** Waits until everything is as it must be. @throws Error with what is not, when that takes longer than `seconds` */
export const untilNothingWrong = async (place: Place, serverPid: number, seconds: number): Promise<void> => {
  let problems: readonly string[] = [];
  const nothing = async () => {
    problems = await problemsAt(place, serverPid);
    return problems.length === 0;
  };
  const intact = async () => {
    problems = (await verifyAudit(place)).findings.map(({ text }) => text);
    return problems.length === 0;
  };
  await until('nothing wrong', seconds, async () => (await nothing()) && (await intact())).catch(
    (cause: unknown) => {
      const log = serverLog(place).slice(-3_000);
      throw new Error(`${(cause as Error).message}\n${problems.join('\n')}\nThe log ends:\n${log}`, {
        cause,
      });
    },
  );
};
