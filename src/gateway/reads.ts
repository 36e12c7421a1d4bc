import type { AuditSink } from '../audit/record.ts';
import { every } from '../lib/keyed-queue.ts';
import type { WebSession } from '../tokens/session-store.ts';
import type { DoorFacts } from './door-facts.ts';
import type { DoorRequest } from './door-request.ts';

const countEvery = 60_000;
/** Addresses that are named in one record. */
const mostSources = 10;

interface Count {
  readonly session: WebSession | undefined;
  readonly door: DoorFacts;
  readonly since: number;
  readonly sources: Set<string>;
  userAgent: string;
  requests: number;
  refused: number;
}

/** Reads through the doors: Airflow's pages ask every few seconds, so that they are counted, not kept one by one. */
export interface ReadCounts {
  /** A request of a session that changes nothing was answered. */
  read(request: DoorRequest, door: DoorFacts, session: WebSession, status: number): void;
  /** Somebody without a session was sent away. */
  stranger(request: DoorRequest, door: DoorFacts): void;
  /** Keeps what was counted up to now. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

const entryOf = (count: Count, now: number) => ({
  eventName: count.session ? 'AirflowReads' : 'UnauthenticatedRequests',
  readOnly: true,
  principal: count.session?.mint.principal,
  session: count.session?.mint,
  sourceIp: [...count.sources][0] ?? '',
  userAgent: count.userAgent,
  requestId: '',
  environmentId: count.door.id,
  requestParameters: {
    Name: count.door.name,
    from: new Date(count.since).toISOString(),
    to: new Date(now).toISOString(),
    count: count.requests,
    refused: count.refused,
    sources: [...count.sources],
    ...(count.session ? { AirflowIdentity: count.session.airflowIdentity } : {}),
  },
});

/**
 * One record for each session and minute, and one for each door and minute of those who have none. What cannot be kept
 * is added to the next minute; the counts of a minute at most are lost with the process.
 */
export const createReadCounts = (o: {
  readonly audit: AuditSink;
  readonly now: () => number;
  readonly failed: (error: unknown) => void;
}): ReadCounts => {
  const counts = new Map<string, Count>();
  const of = (key: string, request: DoorRequest, door: DoorFacts, session?: WebSession): Count => {
    const count = counts.get(key) ?? {
      ...{ session, door, since: o.now(), sources: new Set<string>() },
      ...{ userAgent: '', requests: 0, refused: 0 },
    };
    counts.set(key, count);
    if (count.sources.size < mostSources) count.sources.add(request.clientIp);
    count.userAgent = request.userAgent;
    count.requests += 1;
    return count;
  };
  const flush = async (): Promise<void> => {
    for (const [key, count] of [...counts]) {
      const { requests, refused } = count;
      await o.audit.write(entryOf(count, o.now()));
      // what came while it was written is of the next record
      if (count.requests === requests) counts.delete(key);
      else Object.assign(count, { requests: count.requests - requests, refused: count.refused - refused });
    }
  };
  const stop = every(countEvery, flush, o.failed);
  return {
    read: (request, door, session, status) => {
      const count = of(session.id, request, door, session);
      if (status >= 400) count.refused += 1;
    },
    stranger: (request, door) => {
      of(`door ${door.id}`, request, door).refused += 1;
    },
    flush,
    close: async () => {
      stop();
      await flush().catch(o.failed);
    },
  };
};
