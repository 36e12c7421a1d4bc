import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { dataFolder } from './config/data-folder.ts';
import { readSettings } from './config/read.ts';
import { findAccount } from './lib/accounts.ts';
import { textOf, WindsockError } from './lib/errors.ts';
import { silentLog } from './lib/log.ts';
import { plural } from './lib/plural.ts';
import { backUp } from './server/backup.ts';
import { restore } from './server/restore.ts';
import { verifyAuditRecord } from './server/verify-audit.ts';

const isRoot = process.geteuid?.() === 0;
const begun = performance.now();

const say = (text: string): void => {
  const at = ((performance.now() - begun) / 1000).toFixed(1).padStart(8);
  process.stderr.write(`[${at} s] ${text} …\n`);
};

const ended = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => ended.abort(new Error(signal)));

const usage =
  'backup FILE [--data DIR] [--no-task-logs] [--json] | restore FILE --data DIR [--json] | verify-audit [--data DIR] [--json]';

const wordsOf = () => {
  try {
    return parseArgs({
      args: process.argv.slice(2),
      allowPositionals: true,
      allowNegative: true,
      options: {
        data: { type: 'string' },
        'task-logs': { type: 'boolean', default: true },
        json: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new WindsockError('WrongUsage', `${textOf(error)}\n${usage}`);
  }
};

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
const named = (names: readonly string[]): string =>
  names.length === 0 ? 'no environment' : `${plural(names.length, 'environment')}: ${names.join(', ')}`;
const print = (json: boolean, value: object, text: string): void =>
  void process.stdout.write(json ? `${JSON.stringify(value, null, 2)}\n` : `${text}\n`);

const refuseExternal = (databaseUrl: string | undefined): void => {
  if (databaseUrl === undefined) return;
  throw new WindsockError(
    'ExternalDatabase',
    'This server uses a PostgreSQL of your own (WINDSOCK_DATABASE_URL). Back up its databases with its own tools (pg_basebackup, or pg_dump of each), ' +
      'and then the folders secrets, environments and buckets of the data folder (docs/backup.md).',
  );
};

const runBackup = async (file: string, o: { data: string | undefined; taskLogs: boolean; json: boolean }) => {
  const { data, databaseUrl } = readSettings(
    o.data === undefined ? [] : ['--data', o.data],
    process.env,
    isRoot,
  );
  refuseExternal(databaseUrl);
  const postgres = isRoot ? findAccount('windsock-pg') : undefined;
  const done = await backUp({
    folders: dataFolder(data, process.env),
    accounts: postgres && { postgres },
    file: resolve(file),
    taskLogs: o.taskLogs,
    log: silentLog,
    say,
    signal: ended.signal,
  });
  print(
    o.json,
    done,
    `${done.file}: ${megabytes(done.bytes)} after ${done.took} s, ${named(done.environments)}`,
  );
};

const runRestore = async (file: string, o: { data: string | undefined; json: boolean }) => {
  if (o.data === undefined)
    throw new WindsockError('WrongUsage', `Name the folder to restore into: --data DIR\n${usage}`);
  const done = await restore({
    file: resolve(file),
    to: resolve(o.data),
    isRoot,
    env: process.env,
    say,
    signal: ended.signal,
  });
  print(
    o.json,
    done,
    `${done.data} is restored, as it was at ${done.madeAt}, after ${done.took} s, ${named(done.environments)}\nStart it: windsock start --data ${done.data}`,
  );
};

const runVerifyAudit = async (o: { data: string | undefined; json: boolean }) => {
  const { data, databaseUrl } = readSettings(
    o.data === undefined ? [] : ['--data', o.data],
    process.env,
    isRoot,
  );
  const postgres = isRoot ? findAccount('windsock-pg') : undefined;
  const found = await verifyAuditRecord({
    folders: dataFolder(data, process.env),
    accounts: postgres && { postgres },
    url: databaseUrl,
    log: silentLog,
  });
  const lines = found.findings.map(({ what, text }) => `  ${what}: ${text}`);
  const { seals, records, waiting } = found;
  const counts = `${records} records under ${seals} seals, ${waiting} waiting for the next`;
  const verdict = found.intact
    ? `The audit record is intact: ${counts}.`
    : `The audit record is NOT intact (${counts}):`;
  print(o.json, found, [verdict, ...lines].join('\n'));
  // apart from 1, which says that it could not be checked
  if (!found.intact) process.exitCode = 3;
};

const main = async (): Promise<void> => {
  process.umask(0o022);
  const { values, positionals } = wordsOf();
  const [what, file, ...more] = positionals;
  const o = { data: values.data && resolve(values.data), taskLogs: values['task-logs'], json: values.json };
  if (what === 'verify-audit' && file === undefined) return runVerifyAudit(o);
  if (file === undefined || more.length > 0) throw new WindsockError('WrongUsage', usage);
  if (what === 'backup') return runBackup(file, o);
  if (what === 'restore') return runRestore(file, o);
  throw new WindsockError('WrongUsage', usage);
};

await main().catch((error: unknown) => {
  process.stderr.write(`windsock: ${textOf(error)}\n`);
  if (!(error instanceof WindsockError) && error instanceof Error)
    process.stderr.write(`${error.stack ?? ''}\n`);
  process.exitCode = 1;
});
// Whatever still holds the process is not worth waiting for: everything that was started has ended.
process.exit();
