import { randomUUID } from 'node:crypto';
import type { AuditKey } from '../audit/audit-key.ts';
import { bounded } from '../audit/bounds.ts';
import { cloudTrailEvent } from '../audit/cloudtrail.ts';
import type { AuditSink } from '../audit/record.ts';
import { recordBytes } from '../audit/seal.ts';
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

export interface AuditStoreDeps {
  readonly clock: Clock;
  readonly region: string;
  readonly accountId: string;
  readonly key: Pick<AuditKey, 'mac'>;
  /** Why nothing may be recorded at present. */
  readonly trouble: () => string | undefined;
}

/**
 * The audit record in PostgreSQL. A write that fails throws, and with it the transaction it belongs to; so does one
 * while records cannot be sealed.
 */
export const createAuditStore = (db: Database, deps: AuditStoreDeps): AuditSink => ({
  write: async (entry, tx) => {
    const trouble = deps.trouble();
    if (trouble !== undefined) throw new Error(trouble);
    const eventTime = deps.clock.now();
    const eventId = randomUUID();
    const { region, accountId } = deps;
    const text = storable(bounded(cloudTrailEvent(entry, { eventTime, eventId, region, accountId })));
    await db.query(
      `with written as (
         insert into audit_events (event_id, event_time, event, mac) values ($1, $2, $3, $4) returning id
       )
       insert into audit_unsealed select id from written`,
      [eventId, new Date(eventTime), text, deps.key.mac(recordBytes({ eventId, eventTime, text }))],
      tx,
    );
  },
});
