import { userInfo } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { airflowVersions, findVersion } from './airflow/versions.ts';
import { createApiClient } from './cli/api-client.ts';
import { CliError } from './cli/errors.ts';
import { createEnvironment, createWebLoginToken, loginUrl } from './cli/mwaa.ts';
import { defaultDataFolder } from './config/data-folder.ts';
import { readSettings, SettingsInvalid, settingsHelp } from './config/read.ts';
import { endedVersions } from './contract/airflow-versions.ts';
import type { Leaving } from './environments/ports.ts';
import type { EnvironmentRecord } from './environments/record.ts';
import type { OwnCommand } from './gateway/deps.ts';
import { textOf, WindsockError } from './lib/errors.ts';
import { armFailpoints } from './lib/failpoint.ts';
import { createLog } from './lib/log.ts';
import { DescriptorSink, type LineSink } from './lib/log-sinks.ts';
import { quotedWhereNeeded } from './lib/shell.ts';
import { bucketOf, fillBucket, firstEnvironmentRequest, followDags } from './server/first-environment.ts';
import { ownCommand } from './server/own-command.ts';
import { readyScreen, Screen } from './server/screen.ts';
import { type Server, startServer } from './server/server.ts';
import { onStopSignals } from './server/signals.ts';

type AllSettings = ReturnType<typeof readSettings>;

const isRoot = process.getuid?.() === 0;
const begun = performance.now();
let terminal = {
  isTerminal: process.stdout.isTTY === true,
  write: (text: string) => void process.stdout.write(text),
};
let screen = new Screen(terminal);
/** Where the lines of the log go as well; instead of the screen. */
let jsonLines: LineSink | undefined;

const beJson = (): void => {
  terminal = { isTerminal: false, write: () => {} };
  screen = new Screen(terminal);
  jsonLines = new DescriptorSink(1);
};

const clientOf = (server: Server, settings: AllSettings) =>
  createApiClient(
    {
      endpoint: new URL(server.endpoint),
      region: settings.region,
      credentials: server.root,
      accountId: server.root.accountId,
      caFile: undefined,
    },
    AbortSignal.timeout(60_000),
  );

const find = (server: Server, settings: AllSettings): Promise<EnvironmentRecord | undefined> =>
  server.store.find({
    accountId: server.root.accountId,
    region: settings.region,
    name: settings.environment,
  });

/** Known before anything is started, as the API would say it. */
const checkVersion = (version: string | undefined): void => {
  if (version === undefined || findVersion(version)) return;
  const known = airflowVersions.map((v) => v.version).join(', ');
  const why = endedVersions.includes(version) ? 'has ended on Amazon MWAA' : 'is not available';
  throw new WindsockError('UnknownVersion', `--airflow-version ${version} ${why}. Available: ${known}`);
};

/** What was asked for and has no effect, because the environment is there already. */
const tellIgnored = (server: Server, settings: AllSettings, there: EnvironmentRecord): void => {
  const { airflowVersion } = settings;
  if (airflowVersion === undefined || airflowVersion === there.spec.AirflowVersion) return;
  const reason = `${there.name} exists with Airflow ${there.spec.AirflowVersion}; --airflow-version ${airflowVersion} does not change it.`;
  server.log.warn('option without effect', { environment: there.name, reason });
  screen.print(`${reason} Make another one with --environment NAME.`);
};

/** The examples are no business of a bucket of another server. */
const tellElsewhere = (server: Server, environment: string): void => {
  const reason = `The bucket ${bucketOf(environment)} is elsewhere (--remote-buckets), so the environment ${environment} was not made.`;
  server.log.warn('option without effect', { environment, reason });
  screen.print(`${reason} Make one with: windsock environment create NAME --bucket BUCKET`);
};

/** On the first start the environment is made; a name or DAGs that were given are wanted on any start. */
const firstEnvironment = async (server: Server, settings: AllSettings): Promise<void> => {
  if (!settings.demo) return;
  const wanted = { name: settings.environment, airflowVersion: settings.airflowVersion, dags: settings.dags };
  const there = await find(server, settings);
  if (there) tellIgnored(server, settings, there);
  const isNamed = settings.environment !== 'demo';
  if (there ? settings.dags === undefined : !server.isFirstStart && !isNamed) return;
  if (!there && settings.dags === undefined && server.isElsewhere(bucketOf(wanted.name)))
    return tellElsewhere(server, wanted.name);
  const bucket = there ? undefined : fillBucket(server.folders.buckets, wanted);
  const where = there
    ? { bucketArn: there.spec.SourceBucketArn, path: there.spec.DagS3Path }
    : { bucketArn: `arn:aws:s3:::${bucket}`, path: 'dags' };
  if (wanted.dags !== undefined) followDags(server.followed, where, wanted.dags);
  if (bucket === undefined) return;
  await server.makeExecutionRole(wanted.name, bucket);
  await createEnvironment(
    clientOf(server, settings),
    wanted.name,
    firstEnvironmentRequest(wanted, bucket, server.root.accountId),
  );
};

const waitUntilReachable = async (
  server: Server,
  settings: AllSettings,
  stopping: AbortSignal,
): Promise<EnvironmentRecord | undefined> => {
  while (!stopping.aborted) {
    const record = await find(server, settings);
    if (!record || record.status === 'CREATE_FAILED') return record;
    if (record.status === 'AVAILABLE' && server.isReachable(record.id)) return record;
    await delay(200);
  }
  return undefined;
};

const ownCommandOf = ({ data }: AllSettings): OwnCommand =>
  ownCommand({
    file: fileURLToPath(new URL('../bin/windsock.mjs', import.meta.url)),
    path: process.env['PATH'],
    data,
    usualData: defaultDataFolder(process.env, isRoot),
  });

const commandOf = (settings: AllSettings): string => {
  const { program, data } = ownCommandOf(settings);
  return data === undefined ? program : `${program} --data ${quotedWhereNeeded(data)}`;
};

const accountNote = ({ accounts, view }: Server): string => {
  const who = accounts
    ? 'PostgreSQL, installs and every environment run under accounts of their own.'
    : 'Every environment runs under your account: its DAGs can read what you can read.';
  const notes = [
    view.missing && `They see the whole file system, and not the paths of Amazon MWAA: ${view.missing}`,
    view.missingPids &&
      `What an Airflow command starts may outlive it, without a pid namespace: ${view.missingPids}`,
  ];
  return [who, ...notes.filter(Boolean)].join('\n  ');
};

const showReady = async (
  server: Server,
  settings: AllSettings,
  record: EnvironmentRecord | undefined,
): Promise<void> => {
  const available = record?.status === 'AVAILABLE' ? record : undefined;
  const took = performance.now() - begun;
  const about = available ? { environment: available.name, environmentId: available.id } : {};
  server.log.info('server ready', {
    ...about,
    endpoint: server.endpoint,
    took: Math.round(performance.now()),
  });
  if (record?.status === 'CREATE_FAILED') {
    screen.print(
      `\nThe environment ${record.name} could not be created: ${record.lastUpdate.Error?.ErrorMessage ?? 'see the log'}`,
    );
    const remove = commandOf(settings).replace('windsock', 'windsock environment delete');
    screen.print(`Remove it with: ${remove} ${record.name}`);
  }
  const token =
    available && terminal.isTerminal
      ? await createWebLoginToken(clientOf(server, settings), available.name)
      : undefined;
  screen.print(
    readyScreen({
      command: commandOf(settings),
      endpoint: server.endpoint,
      region: settings.region,
      environment: available?.name,
      airflowVersion: available?.spec.AirflowVersion,
      loginUrl: token && loginUrl(token),
      data: server.folders.root,
      logs: server.folders.logs,
      buckets: server.folders.buckets,
      note: accountNote(server),
      took,
    }),
  );
};

const fail = (error: unknown): void => {
  screen.close();
  process.exitCode = 1;
  const isForPeople = error instanceof WindsockError || error instanceof CliError;
  if (error instanceof SettingsInvalid && error.jsonLogs) beJson();
  if (jsonLines) {
    const stack = isForPeople || !(error instanceof Error) ? {} : { stack: error.stack };
    createLog([jsonLines]).error('server not started', { reason: textOf(error), ...stack });
    return;
  }
  process.stderr.write(`windsock: ${textOf(error)}\n`);
  if (!isForPeople && error instanceof Error) process.stderr.write(`${error.stack ?? ''}\n`);
};

/** The server, once it has started. */
let running: Server | undefined;

const serve = async (settings: AllSettings): Promise<void> => {
  const stopping = new AbortController();
  const stopped = new Promise<void>((resolve) => stopping.signal.addEventListener('abort', () => resolve()));
  let leaving = 'end' as Leaving;
  const stop = (why: string, how: Leaving = 'end') => {
    if (stopping.signal.aborted) return;
    leaving = how;
    server?.log.info('server stopping', { reason: why, leaving });
    screen.print(`Stopping (${why}) …`);
    stopping.abort();
  };
  onStopSignals({
    first: stop,
    second: () => hardStop(server),
    underNpm: process.env['npm_lifecycle_event'] !== undefined,
  });
  process.on('SIGUSR2', () => stop('SIGUSR2: Airflow and PostgreSQL go on', 'keep'));
  let server: Server | undefined;
  server = await startServer({
    settings,
    env: process.env,
    isRoot,
    userName: userInfo().username,
    ownCommand: ownCommandOf(settings),
    step: (name, work) => screen.step(name, work),
    onProgress: (p) => stopping.signal.aborted || screen.progress(p),
    alsoLog: jsonLines,
    tell: (text) => screen.print(text),
    // the other server goes on with what runs
    onLost: () => stop('another server uses this data folder', 'keep'),
  });
  running = server;
  try {
    if (!stopping.signal.aborted) await firstEnvironment(server, settings);
    const record = await waitUntilReachable(server, settings, stopping.signal);
    if (!stopping.signal.aborted) await showReady(server, settings, record);
    await stopped;
  } finally {
    await server.stop(leaving);
    screen.print(leaving === 'keep' ? 'Stopped; Airflow and PostgreSQL go on.' : 'Stopped.');
  }
};

/** The second Ctrl-C: Airflow gets no time to end its tasks, and the stop that runs goes on at once. */
const hardStop = (server: Server | undefined): void => {
  screen.print('Stopping hard.');
  server?.log.info('server stopping', { reason: 'told again: tasks get no more time', leaving: 'end' });
  process.exitCode = 130;
  server?.hurry();
  setTimeout(() => process.exit(130), 10_000).unref();
};

/** A fault of ours ends the server at once. Airflow goes on; the next start takes it over. */
const crash = (error: unknown): void => {
  const stack = error instanceof Error ? error.stack : undefined;
  running?.log.error('server failed', { reason: textOf(error), stack });
  if (!running || !jsonLines) fail(error);
  process.stderr.write(
    'windsock: this is a fault of Windsock. Airflow goes on; start again to look after it.\n',
  );
  process.exit(70);
};

const main = async (): Promise<void> => {
  process.on('uncaughtException', crash);
  // A terminal that was closed refuses what is written to it; that must not keep anything from being stopped.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  // Other accounts must get through to what is theirs, whatever the caller's umask; secrets have modes of their own.
  process.umask(0o022);
  if (process.argv.includes('--help') || process.argv.includes('-h')) {
    process.stdout.write(settingsHelp());
    return;
  }
  const settings = readSettings(process.argv.slice(2), process.env, isRoot);
  const failpoints = process.env['WINDSOCK_FAILPOINTS'];
  if (failpoints !== undefined) armFailpoints(failpoints);
  if (settings.jsonLogs) beJson();
  checkVersion(settings.airflowVersion);
  await serve(settings);
};

await main().catch(fail);
jsonLines?.close();
// Whatever still holds the process is not worth waiting for: everything that was started has ended.
process.exit();
