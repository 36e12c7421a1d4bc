import { randomUUID } from 'node:crypto';
import { cloudTrailEvent } from '../audit/cloudtrail.ts';
import type { AuditSink } from '../audit/record.ts';
import type { Clock } from '../lib/clock.ts';
import type { Database } from './database.ts';

/** The audit record in PostgreSQL. A write that fails throws, and with it the transaction it belongs to. */
export const createAuditStore = (
  db: Database,
  deps: { clock: Clock; region: string; accountId: string },
): AuditSink => ({
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
      [eventId, new Date(eventTime), entry.eventName, entry.environmentId ?? null, JSON.stringify(event)],
      tx,
    );
  },
});
