import { randomUUID } from 'node:crypto';
import { cloudTrailEvent } from '../audit/cloudtrail.ts';
import type { AuditSink } from '../audit/record.ts';
import type { Clock } from '../lib/clock.ts';
import { numberText } from '../lib/exact-json.ts';
import type { Database } from './database.ts';

/**
 * JSON that PostgreSQL can keep: NUL and half surrogate pairs, which callers may send, become U+FFFD; numbers that
 * JavaScript cannot hold become text.
 */
const storable = (event: unknown): string =>
  JSON.stringify(event, (_key, value: unknown) =>
    typeof value === 'number' ? value : (numberText(value) ?? value),
  ).replace(/\\(?:(u0000|ud[89a-f][0-9a-f]{2})|.)/g, (all, bad?: string) => (bad ? '\\ufffd' : all));

/** The audit record in PostgreSQL. A write that fails throws, and with it the transaction it belongs to. */
export const createAuditStore = (
  db: Database,
  deps: { clock: Clock; region: string; accountId: string },
): AuditSink => ({
  findByRequest: async (requestId) => {
    const rows = await db.query<{ event: Record<string, unknown> }>(
      `select event from audit_events where event ->> 'requestID' = $1 order by id limit 100`,
      [requestId],
    );
    return rows.map(({ event }) => event);
  },
  write: async (entry, tx) => {
    const eventTime = deps.clock.now();
    const eventId = randomUUID();
    const event = cloudTrailEvent(entry, {
      eventTime,
      eventId,
      region: deps.region,
      accountId: deps.accountId,
    });
    await db.query(
      'insert into audit_events (event_id, event_time, event_name, environment_id, event) values ($1, $2, $3, $4, $5)',
      [eventId, new Date(eventTime), entry.eventName, entry.environmentId ?? null, storable(event)],
      tx,
    );
  },
});
