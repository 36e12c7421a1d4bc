import { setTimeout as delay } from 'node:timers/promises';
import { WindsockError } from '../lib/errors.ts';
import { type Database, orEnd } from './database.ts';

/** One lock for the whole of one database. */
const lock = 7_400_000;

/** The right to be the only server on a database, held by a connection for as long as it lives. */
export interface Ownership {
  /** False from the moment the connection is known to be lost until it is made again. */
  readonly isHeld: boolean;
  /** Asks PostgreSQL over the connection that holds the lock. */
  confirm(): Promise<boolean>;
  release(): Promise<void>;
}

/**
 * Makes this process the only server on this database until it ends. A lost connection (PostgreSQL was
 * restarted) is made again; `lost` is called when another server has the lock by then.
 * @throws WindsockError AnotherServer
 */
export const takeOwnership = async (db: Database, lost: () => void): Promise<Ownership> => {
  let current: Awaited<ReturnType<Database['connect']>> | undefined;
  let released = false;
  const take = async (): Promise<boolean> => {
    const client = await db.connect();
    const { rows } = await orEnd(client, () =>
      client.query<{ locked: boolean }>('select pg_try_advisory_lock($1) as locked', [lock]),
    );
    if (!rows[0]?.locked || released) {
      await client.end();
      return released;
    }
    current = client;
    client.once('end', () => {
      current = undefined;
      if (!released) void again();
    });
    return true;
  };
  const again = async (): Promise<void> => {
    while (!released) {
      await delay(500);
      const taken = await take().catch(() => undefined);
      if (taken === true) return;
      if (taken === false) return lost();
    }
  };
  const ask = async (): Promise<boolean> => {
    const holder = current;
    if (holder === undefined) return false;
    return holder.query('select 1').then(
      () => holder === current,
      () => false,
    );
  };
  let asking: Promise<boolean> | undefined;
  if (!(await take())) {
    throw new WindsockError(
      'AnotherServer',
      'Another Windsock server runs on this data folder. Stop it first, or name another folder with --data.',
    );
  }
  return {
    get isHeld() {
      return current !== undefined;
    },
    confirm: () => {
      // many may ask at once: one connection asks one thing at a time
      asking ??= ask().finally(() => {
        asking = undefined;
      });
      return asking;
    },
    release: async () => {
      released = true;
      await current?.end().catch(() => {});
    },
  };
};
