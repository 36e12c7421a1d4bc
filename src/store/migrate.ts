import { readdirSync, readFileSync } from 'node:fs';
import { WindsockError } from '../lib/errors.ts';
import type { Database } from './database.ts';

const folder = new URL('./migrations/', import.meta.url);
/** Any number that no other program's advisory lock uses. */
const lock = 7_400_001;

const available = (): { number: number; sql: string }[] =>
  readdirSync(folder)
    .filter((file) => /^\d{4}\.sql$/.test(file))
    .sort()
    .map((file) => ({ number: Number(file.slice(0, 4)), sql: readFileSync(new URL(file, folder), 'utf8') }));

/**
 * Brings the tables up to date, each step whole or not at all.
 * @throws WindsockError DatabaseIsNewer when the database was written by a newer Windsock.
 */
export const migrate = (db: Database): Promise<void> =>
  db.inTransaction(async (tx) => {
    await db.query('select pg_advisory_xact_lock($1)', [lock], tx);
    await db.query(
      'create table if not exists migrations (number integer primary key, at timestamptz not null default now())',
      [],
      tx,
    );
    const done = (await db.query<{ number: number }>('select number from migrations', [], tx)).map(
      (row) => row.number,
    );
    const steps = available();
    const newest = steps.at(-1)?.number ?? 0;
    if (done.some((number) => number > newest)) {
      throw new WindsockError(
        'DatabaseIsNewer',
        'This data folder was used by a newer Windsock. Start that version, or restore a backup from before.',
      );
    }
    for (const step of steps.filter((s) => !done.includes(s.number))) {
      await db.query(step.sql, [], tx);
      await db.query('insert into migrations (number) values ($1)', [step.number], tx);
    }
  });
