import type { SealStore } from '../audit/ports.ts';
import type { BatchEntry, KeptRecord, Seal } from '../audit/seal.ts';
import type { Transaction } from '../lib/transaction.ts';
import type { Database } from './database.ts';

interface Row {
  readonly id: string;
  readonly event_id: string;
  readonly event_time: Date;
  readonly text: string;
  readonly mac: Buffer | null;
}

const columns = 'e.event_id, e.event_time, e.event::text as text, e.mac';

const recordOf = (row: Row): KeptRecord => ({
  id: BigInt(row.id),
  eventId: row.event_id,
  eventTime: row.event_time.getTime(),
  text: row.text,
  mac: row.mac,
});

const entryOf = (row: { readonly id: string } & (Row | { readonly event_id: null })): BatchEntry =>
  row.event_id === null ? { id: BigInt(row.id), text: undefined } : recordOf(row as Row);

/** Seals of the audit record in PostgreSQL. */
export const createSealStore = (db: Database): SealStore => ({
  inTransaction: db.inTransaction,
  newest: async (tx) =>
    (await db.query<Seal>('select body, signature from audit_seals order by number desc limit 1', [], tx))[0],
  takeUnsealed: async (tx, most, mostText) => {
    const rows = await db.query<Row>(
      `with taken as (
         delete from audit_unsealed where id in (
           select id from (
             select id, sum(length(event::text)) over (order by id) - length(event::text) as before
             from (select id from audit_unsealed order by id limit $1) waiting left join audit_events using (id)
           ) measured where coalesce(before, 0) < $2
         ) returning id
       )
       select taken.id, ${columns} from taken left join audit_events e using (id) order by taken.id`,
      [most, mostText],
      tx,
    );
    return rows.map(entryOf);
  },
  insert: async (tx, seal, ids) => {
    await db.query(
      `insert into audit_seals (number, body, signature, ids) values (($1::json ->> 'number')::bigint, $1, $2, $3)`,
      [seal.body, seal.signature, ids.map(String)],
      tx,
    );
  },
  oldestKept: (tx, most) =>
    db.query<Seal>(
      'select body, signature from audit_seals where ids is not null order by number limit $1',
      [most],
      tx,
    ),
  dropRecords: async (tx, numbers) => {
    const dropped = await db.query(
      `delete from audit_events where id in (select unnest(ids) from audit_seals where number = any($1)) returning 1`,
      [numbers],
      tx,
    );
    await db.query('update audit_seals set ids = null where number = any($1)', [numbers], tx);
    return dropped.length;
  },
});

/** A seal with the records that it covers, as they are now. */
export interface SealedBatch {
  readonly number: number;
  readonly seal: Seal;
  /** Undefined when its records were dropped. */
  readonly entries: AsyncIterable<BatchEntry> | undefined;
}

const pageSize = 50;

/** Records read at a time: each has at most 256 KB. */
const recordsAtOnce = 50;

async function* recordsOf(db: Database, tx: Transaction, ids: readonly string[]): AsyncGenerator<BatchEntry> {
  for (let at = 0; at < ids.length; at += recordsAtOnce)
    yield* await someRecords(db, tx, ids.slice(at, at + recordsAtOnce));
}

const someRecords = async (
  db: Database,
  tx: Transaction,
  ids: readonly string[],
): Promise<readonly BatchEntry[]> => {
  const rows = await db.query<Row>(
    `select wanted.id, ${columns} from unnest($1::bigint[]) with ordinality as wanted(id, place)
       left join audit_events e using (id) order by place`,
    [ids],
    tx,
  );
  return rows.map(entryOf);
};

/** Every seal with its records, oldest first. */
export async function* sealedBatches(db: Database, tx: Transaction): AsyncGenerator<SealedBatch> {
  for (let after = 0; ; ) {
    const seals = await db.query<Seal & { number: string; ids: readonly string[] | null }>(
      'select number, body, signature, ids from audit_seals where number > $1 order by number limit $2',
      [after, pageSize],
      tx,
    );
    for (const { number, body, signature, ids } of seals) {
      after = Number(number);
      const entries = ids ? recordsOf(db, tx, ids) : undefined;
      yield { number: after, seal: { body, signature }, entries };
    }
    if (seals.length < pageSize) return;
  }
}

/** Records that no seal covers: those that wait for the next, and at most 1,000 that came in another way. */
export const unsealedRecords = async (db: Database, tx: Transaction) => {
  const find = async (ids: string): Promise<readonly KeptRecord[]> => {
    const rows = await db.query<Row>(
      `select e.id, ${columns} from audit_events e where e.id in (${ids}) order by e.id limit 1000`,
      [],
      tx,
    );
    return rows.map(recordOf);
  };
  return {
    waiting: await find('select id from audit_unsealed'),
    strays: await find(
      'select id from audit_events except select unnest(ids) from audit_seals except select id from audit_unsealed',
    ),
  };
};

/** Everything as it is at one moment, whatever is written meanwhile. */
export const atOneMoment = <T>(db: Database, work: (tx: Transaction) => Promise<T>): Promise<T> =>
  db.inTransaction(async (tx) => {
    await db.query('set transaction isolation level repeatable read, read only', [], tx);
    return work(tx);
  });
