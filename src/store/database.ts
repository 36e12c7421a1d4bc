import pg from 'pg';
import type { InTransaction, Transaction } from '../lib/transaction.ts';
import { CautiousClient } from './cautious-client.ts';

/** Windsock's own database, as the repositories of this room see it. */
export interface Database {
  query<R extends pg.QueryResultRow>(
    text: string,
    values?: readonly unknown[],
    tx?: Transaction,
  ): Promise<R[]>;
  readonly inTransaction: InTransaction;
  /** A connection of one's own, outside the pool, for locks and LISTEN, with keepalives; the caller ends it. */
  connect(): Promise<pg.Client>;
  close(): Promise<void>;
}

const transactions = new WeakMap<Transaction, pg.PoolClient>();

const begin = (client: pg.PoolClient): Transaction => {
  const tx = Object.freeze({}) as Transaction;
  transactions.set(tx, client);
  return tx;
};

const clientOf = (tx: Transaction): pg.PoolClient => {
  const client = transactions.get(tx);
  if (!client) throw new Error('the transaction has ended');
  return client;
};

/** PostgreSQL's code for a second row with a key that there may be only once. */
export const uniqueViolation = '23505';

/** pg's words: the connection still waits for that answer, so that nothing more can be asked over it. */
export const isTimeout = (error: unknown): error is Error =>
  error instanceof Error && error.message === 'Query read timeout';

const inTransaction = async <T>(pool: pg.Pool, work: (tx: Transaction) => Promise<T>): Promise<T> => {
  const client = await pool.connect();
  const tx = begin(client);
  let broken: Error | undefined;
  // The pool listens to the clients that are idle: one that breaks between two statements would end the process.
  const onBreak = (error: Error) => {
    broken = error;
  };
  client.on('error', onBreak);
  try {
    await client.query('BEGIN');
    const result = await work(tx);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    if (isTimeout(error)) broken = error;
    else
      await client.query('ROLLBACK').catch((e: Error) => {
        broken = e;
      });
    throw error;
  } finally {
    transactions.delete(tx);
    client.removeListener('error', onBreak);
    client.release(broken);
  }
};

/**
 * The first thing that is asked over a connection of its own; where it fails, the connection is ended: nobody else would
 * know of it, nor of the locks that PostgreSQL may give it late.
 */
export const orEnd = async <T>(client: pg.Client, ask: () => Promise<T>): Promise<T> => {
  try {
    return await ask();
  } catch (error) {
    void client.end().catch(() => {});
    throw error;
  }
};

/**
 * A server whose machine or network is gone without a word loses its locks within half a minute. Over a Unix socket
 * these settings do nothing (PostgreSQL manual, "TCP Settings").
 */
const serverKeepalive = `set tcp_keepalives_idle = 10; set tcp_keepalives_interval = 5; set tcp_keepalives_count = 4;
  set tcp_user_timeout = 30000`;

/** Milliseconds. Both together are less than what a client of the API waits. */
const patience = { connection: 10_000, query: 15_000 } as const;

/** Opens a pool of at most `max` connections; every wait for one ends after 10 s, every query after 15 s. */
export const openDatabase = (
  config: pg.ClientConfig,
  onError: (error: Error) => void,
  max = 10,
): Database => {
  const pool = new pg.Pool({
    Client: CautiousClient,
    ...config,
    max,
    connectionTimeoutMillis: patience.connection,
    query_timeout: patience.query,
  });
  pool.on('error', onError);
  return {
    query: async (text, values = [], tx) => (await (tx ? clientOf(tx) : pool).query(text, [...values])).rows,
    inTransaction: (work) => inTransaction(pool, work),
    connect: async () => {
      const client = new CautiousClient({
        ...config,
        connectionTimeoutMillis: patience.connection,
        query_timeout: patience.query,
        keepAlive: true,
        keepAliveInitialDelayMillis: 10_000,
      });
      client.on('error', onError);
      await client.connect();
      await orEnd(client, () => client.query(serverKeepalive));
      return client;
    },
    close: () => pool.end(),
  };
};
