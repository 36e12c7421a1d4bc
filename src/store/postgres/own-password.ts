import { readFileSync } from 'node:fs';
import pg from 'pg';
import { writeFileAtomic } from '../../lib/atomic-file.ts';
import { codeOf } from '../../lib/errors.ts';
import { randomSecret } from '../../lib/ids.ts';
import { CautiousClient } from '../cautious-client.ts';
import { bootRole, type ClusterPlace, ownRole, writeAccess } from './cluster.ts';

/** Any number that no other program's advisory lock uses: of servers that start at once only one makes a password. */
const lock = 7_400_003;

/** The password in that file; undefined when there is none yet, or a power cut has emptied it. */
export const passwordIn = (file: string): string | undefined => {
  try {
    return readFileSync(file, 'utf8').trim() || undefined;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
};

const give = async (client: pg.Client, password: string): Promise<void> => {
  const { rows } = await client.query<{ role: string }>(
    'select rolname as role from pg_roles where rolname = any($1)',
    [[bootRole, ownRole]],
  );
  for (const { role } of rows)
    await client.query(`alter role ${pg.escapeIdentifier(role)} password ${pg.escapeLiteral(password)}`);
};

/**
 * Where DAGs run under this process's own account, that account says nothing of who connects: Windsock's roles get in by
 * a password, which is in a file that DAGs do not see. Makes it once; the server of that place must run.
 */
export const demandPassword = async (
  place: ClusterPlace,
  socketFolder: string,
  file: string,
): Promise<void> => {
  const client = new CautiousClient({
    host: socketFolder,
    user: bootRole,
    database: 'postgres',
    password: passwordIn(file),
    connectionTimeoutMillis: 10_000,
    query_timeout: 30_000,
  });
  client.on('error', () => {});
  await client.connect();
  try {
    await client.query('select pg_advisory_lock($1)', [lock]);
    if (passwordIn(file) === undefined) {
      const password = randomSecret();
      await give(client, password);
      writeFileAtomic(file, `${password}\n`, { mode: 0o600 });
    }
    writeAccess(place, place.folder);
    await client.query('select pg_reload_conf()');
  } finally {
    await client.end().catch(() => {});
  }
};
