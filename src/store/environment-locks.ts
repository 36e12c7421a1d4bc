import type pg from 'pg';
import { GenerationChanged, LeaseLost, RecordLocked } from '../environments/errors.ts';
import type { EnvironmentLocks, KeyLock, ObservedChange } from '../environments/ports.ts';
import type { EnvironmentId, EnvironmentRecord } from '../environments/record.ts';
import { codeOf } from '../lib/errors.ts';
import { type Database, isTimeout, orEnd, uniqueViolation } from './database.ts';

/** Namespace of the advisory locks that guard single environments. */
const lockSpace = 7_400_002;

/**
 * Milliseconds that a write waits for a request that changes the same row. All locks share one connection, so that
 * one that waits holds up the others.
 */
const lockTimeout = 2_000;

const lockNotAvailable = '55P03';

/** What the loop read is still so: no request has changed or deleted it since. */
const asRead = 'id = $1 and generation = $2 and status = $3 and deleted_at is null';

const setObserved = `update environments set
     status = coalesce($4, status),
     last_update = coalesce($5, last_update),
     progress = case when $6 then $7 else progress end,
     spec = coalesce($8, spec),
     update = case when $9 then null else update end,
     tries = case when $4::text is not null then null when $10 then $11 else tries end,
     hostname = case when $4 = 'DELETED' then null else hostname end,
     deleted_at = case when $4 = 'DELETED' then now() else deleted_at end
   where ${asRead}`;

const setHostname = `update environments set hostname = $4 where ${asRead}`;

/** One connection that holds locks; when it ends, they are all gone and `lost` is aborted. */
interface Holder {
  /** One statement after the other. */
  readonly query: <R extends pg.QueryResultRow>(
    text: string,
    values?: readonly unknown[],
  ) => Promise<pg.QueryResult<R>>;
  readonly lost: AbortSignal;
  /** Gives the connection up, with every lock. */
  readonly giveUp: () => void;
}

const connect = async (db: Database): Promise<Holder> => {
  const client = await db.connect();
  const lost = new AbortController();
  const giveUp = (): void => {
    lost.abort();
    void client.end().catch(() => {});
  };
  client.on('end', () => lost.abort());
  client.on('error', giveUp);
  await orEnd(client, () => client.query(`set lock_timeout = ${lockTimeout}`));
  let last: Promise<unknown> = Promise.resolve();
  const query: Holder['query'] = (text, values = []) => {
    const result = last.then(() => client.query(text, [...values]));
    last = result.catch((error: unknown) => {
      if (isTimeout(error)) giveUp();
    });
    return result;
  };
  return { query, lost: lost.signal, giveUp };
};

/** The lock of one environment, as the loop sees it. */
const keyLock = ({ query, lost, giveUp }: Holder, id: EnvironmentId): KeyLock => {
  const stillHeld = async (): Promise<boolean> => {
    if (lost.aborted) return false;
    await query('select 1').catch(giveUp);
    return !lost.aborted;
  };
  const write = async (text: string, read: EnvironmentRecord, values: readonly unknown[]): Promise<void> => {
    if (lost.aborted) throw new LeaseLost(id);
    const fence = [id, read.generation, read.status];
    const { rowCount } = await query(text, [...fence, ...values]).catch((error: unknown) => {
      throw codeOf(error) === lockNotAvailable ? new RecordLocked(id) : error;
    });
    if (rowCount === 0) throw new GenerationChanged(id);
  };
  return {
    id,
    signal: lost,
    stillHeld,
    setObserved: (read, change: ObservedChange) =>
      write(setObserved, read, [
        change.status ?? null,
        change.lastUpdate ?? null,
        change.progress !== undefined,
        change.progress ?? null,
        change.spec ?? null,
        change.updateEnded ?? false,
        change.tries !== undefined,
        change.tries ?? null,
      ]),
    claimHostname: async (read, hostname) => {
      try {
        await write(setHostname, read, [hostname]);
        return true;
      } catch (error) {
        if (codeOf(error) === uniqueViolation) return false;
        throw error;
      }
    },
  };
};

/**
 * The advisory locks of single environments, all on one connection that is made when the first is asked for and made
 * again after it was lost. What the loop writes goes over that connection: a server that has lost its locks cannot
 * write any more.
 */
export const environmentLocks = (db: Database): EnvironmentLocks => {
  const held = new Set<EnvironmentId>();
  let holder: Promise<Holder> | undefined;
  const connected = (): Promise<Holder> => {
    if (holder !== undefined) return holder;
    const made = connect(db);
    const forget = (): void => {
      if (holder === made) holder = undefined;
    };
    holder = made;
    made.then(({ lost }) => lost.addEventListener('abort', forget), forget);
    return made;
  };
  const underLock = async <T>(
    id: EnvironmentId,
    work: (lock: KeyLock) => Promise<T>,
  ): Promise<T | 'busy'> => {
    const now = await connected();
    const { rows } = await now.query<{ locked: boolean }>(
      'select pg_try_advisory_lock($1, hashtext($2)) as locked',
      [lockSpace, id],
    );
    if (!rows[0]?.locked) return 'busy';
    try {
      return await work(keyLock(now, id));
    } finally {
      await now
        .query('select pg_advisory_unlock($1, hashtext($2))', [lockSpace, id])
        // Without the connection the lock is gone as well.
        .catch(now.giveUp);
    }
  };
  return {
    withKey: async (id, work) => {
      // PostgreSQL gives one connection the same lock twice.
      if (held.has(id)) return 'busy';
      held.add(id);
      try {
        return await underLock(id, work);
      } finally {
        held.delete(id);
      }
    },
    close: async () => {
      const known = await holder?.catch(() => undefined);
      known?.giveUp();
    },
  };
};
