import { Pool } from 'undici';
import type { WebTarget } from '../environments/ports.ts';
import { connectorTo } from './connector.ts';

/** Connections at once to one web server; more requests wait their turn. */
const connections = 64;
/** Airflow 2's web workers give up a request after 120 s. */
const answerDeadlineMs = 120_000;
/** Below the 5 s of Airflow's web servers (airflow/local/commands.ts), so that a connection is not reused in the moment it is closed. */
const keepAliveMs = 3_000;

/** Connections to the web servers of environments, one pool for each start of one. */
export interface UpstreamPools {
  /** The pool for this start; those of earlier starts are cut. */
  of(environmentId: string, target: WebTarget): Pool;
  /** Cuts the connections of an environment. */
  drop(environmentId: string): void;
  close(): void;
}

const newPool = (target: WebTarget): Pool =>
  new Pool(`http://${target.host}:${target.port}`, {
    connect: connectorTo(target),
    connections,
    pipelining: 1,
    headersTimeout: answerDeadlineMs,
    bodyTimeout: answerDeadlineMs,
    keepAliveTimeout: keepAliveMs,
    keepAliveMaxTimeout: keepAliveMs,
  });

export const createUpstreamPools = (): UpstreamPools => {
  const pools = new Map<string, { readonly startId: string; readonly pool: Pool }>();
  const drop = (environmentId: string): void => {
    const known = pools.get(environmentId);
    pools.delete(environmentId);
    // Destroying fails the requests on their way, each of which reports for itself.
    known?.pool.destroy().catch(() => {});
  };
  return {
    of: (environmentId, target) => {
      const known = pools.get(environmentId);
      if (known?.startId === target.startId) return known.pool;
      drop(environmentId);
      const pool = newPool(target);
      pools.set(environmentId, { startId: target.startId, pool });
      return pool;
    },
    drop,
    close: () => {
      for (const id of [...pools.keys()]) drop(id);
    },
  };
};
