import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type pg from 'pg';
import { WindsockError } from '../../lib/errors.ts';
import type { TarSource } from '../../lib/tar.ts';
import { oneFile, walk } from '../../lib/walk.ts';
import { CautiousClient } from '../cautious-client.ts';

/** Folders that are kept empty (PostgreSQL documentation, "Making a Base Backup Using the Low Level API"). */
const emptied = new Set([
  'pg_wal',
  'pg_replslot',
  'pg_dynshmem',
  'pg_notify',
  'pg_serial',
  'pg_snapshots',
  'pg_stat_tmp',
  'pg_subtrans',
]);
const leftOut = /^(postmaster\.(pid|opts)|backup_label(\.old)?|pg_internal\.init.*|pgsql_tmp.*|.*\.tmp)$/;

const isWanted = (path: string): boolean => {
  const names = path.split('/');
  if (names.length > 1 && emptied.has(names[0] ?? '')) return false;
  return !leftOut.test(names.at(-1) ?? '');
};

/** A name in pg_wal: timeline and position, 24 hexadecimal digits. */
const segmentName = /^[0-9A-F]{24}$/;

const begin = async (config: pg.ClientConfig): Promise<CautiousClient> => {
  const client = new CautiousClient({
    ...config,
    connectionTimeoutMillis: 10_000,
    query_timeout: 600_000,
    application_name: 'windsock backup',
  });
  client.on('error', () => {});
  await client.connect();
  // Keeps the write-ahead log from here on; ends with the connection.
  await client.query(
    `select pg_create_physical_replication_slot('windsock_backup_' || pg_backend_pid(), true, true)`,
  );
  await client.query(`select pg_backup_start('windsock backup', true)`);
  return client;
};

/** Copied as they were at one moment, with what was written meanwhile; recovery puts them in order. */
async function* logEntries(
  folder: string,
  label: string,
  last: string,
  prefix: string,
): AsyncGenerator<TarSource> {
  const first = /\(file ([0-9A-F]{24})\)/.exec(label)?.[1];
  if (first === undefined)
    throw new WindsockError('BackupFailed', 'PostgreSQL gave no place where the backup starts.');
  const names = readdirSync(join(folder, 'pg_wal'));
  const wanted = names.filter((name) => segmentName.test(name) && name >= first && name <= last);
  if (!wanted.includes(first) || !wanted.includes(last))
    throw new WindsockError(
      'BackupFailed',
      'PostgreSQL has removed a part of its log that the backup needs.',
    );
  for (const name of [...wanted, ...names.filter((name) => name.endsWith('.history'))].sort())
    yield* oneFile(join(folder, 'pg_wal', name), `${prefix}/pg_wal/${name}`);
}

const textEntry = (path: string, text: string): TarSource => {
  const bytes = Buffer.from(text);
  const content = (async function* () {
    yield bytes;
  })();
  return { path, kind: 'file', mode: 0o600, modified: Date.now(), size: bytes.length, content };
};

/**
 * A running cluster, file by file, so that a copy of all of them recovers to the moment at which the last was asked
 * for. Programs go on writing meanwhile.
 * @param config a connection as superuser
 * @throws WindsockError BackupFailed
 */
export async function* clusterEntries(
  config: pg.ClientConfig,
  folder: string,
  prefix: string,
): AsyncGenerator<TarSource> {
  const client = await begin(config);
  try {
    yield* walk(folder, prefix, { wanted: isWanted });
    const { rows } = await client.query<{ label: string; last: string }>(
      'select labelfile as label, pg_walfile_name(lsn) as last from pg_backup_stop(false)',
    );
    const [done] = rows;
    if (!done) throw new WindsockError('BackupFailed', 'PostgreSQL did not end the backup.');
    yield textEntry(`${prefix}/backup_label`, done.label);
    yield* logEntries(folder, done.label, done.last, prefix);
  } finally {
    await client.end().catch(() => {});
  }
}
