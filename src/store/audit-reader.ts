import type { AuditAttribute, AuditReader, FoundEvent } from '../audit/reader.ts';
import { resourceTypes } from '../audit/resources.ts';
import type { Database } from './database.ts';

/** CloudTrail's event history has management events alone (CloudTrail API reference, LookupEvents). */
const noDataEvents = `event ->> 'eventCategory' is distinct from 'Data'`;

/** Parts of a statement with the values that they name. */
class Conditions {
  readonly values: unknown[] = [];
  readonly #parts: string[] = [noDataEvents];

  /** `$` stands for the value, every time. */
  add(text: string, value: unknown): void {
    this.values.push(value);
    this.#parts.push(text.replaceAll('$', `$${this.values.length}`));
  }

  get text(): string {
    return `where ${this.#parts.join(' and ')}`;
  }
}

const anyMember = (condition: (member: string, type: string) => string): string => {
  const members = Object.entries(resourceTypes).map(([name, type]) =>
    condition(`event -> 'requestParameters' ->> '${name}'`, type),
  );
  return `(${members.join(' or ')})`;
};

/** Whom an event names, as `userNameOfEvent` says it. */
const userName = `coalesce(
  event -> 'userIdentity' ->> 'userName',
  case event -> 'userIdentity' ->> 'type'
    when 'AssumedRole' then split_part(event -> 'userIdentity' ->> 'principalId', ':', 2)
    when 'Root' then 'root' end)`;

const filters: Readonly<Record<AuditAttribute, string>> = {
  EventId: 'event_id::text = $',
  EventName: 'event_name = $',
  EventSource: 'event_source = $',
  AccessKeyId: 'access_key_id = $',
  ReadOnly: `event ->> 'readOnly' = $`,
  Username: `${userName} = $`,
  ResourceName: anyMember((member) => `${member} = $`),
  ResourceType: anyMember((member, type) => `('${type}' = $ and ${member} is not null)`),
};

interface Row {
  readonly id: string;
  readonly event_id: string;
  readonly event_time: Date;
  readonly text: string;
  /** How many were found, one more than asked for at most. */
  readonly total: string;
}

/** Reads the audit record in PostgreSQL. */
export const createAuditReader = (db: Database): AuditReader => ({
  findByRequest: async (requestId) => {
    const rows = await db.query<{ event: Record<string, unknown> }>(
      `select event from audit_events where event ->> 'requestID' = $1 order by id limit 100`,
      [requestId],
    );
    return rows.map(({ event }) => event);
  },
  find: async ({ from, to, where, before, most, mostText }) => {
    const conditions = new Conditions();
    if (from !== undefined) conditions.add('event_time >= $', new Date(from));
    if (to !== undefined) conditions.add('event_time <= $', new Date(to));
    if (where) conditions.add(filters[where.by], where.value);
    if (before) {
      const at = [new Date(before.time).toISOString(), before.id];
      conditions.add('(event_time, id) < (($::text[])[1]::timestamptz, ($::text[])[2]::bigint)', at);
    }
    const rows = await db.query<Row>(
      `with found as (
         select id, event_id, event_time, event::text as text from audit_events ${conditions.text}
         order by event_time desc, id desc limit ${Math.floor(most) + 1}
       ), measured as (
         select *, count(*) over () as total,
           sum(length(text)) over (order by event_time desc, id desc) - length(text) as before from found
       )
       select id, event_id, event_time, text, total from measured
       where before = 0 or before + length(text) <= ${Math.floor(mostText)}
       order by event_time desc, id desc limit ${Math.floor(most)}`,
      conditions.values,
    );
    const events = rows.map(
      (row): FoundEvent => ({
        id: row.id,
        eventId: row.event_id,
        time: row.event_time.getTime(),
        text: row.text,
      }),
    );
    return { events, more: Number(rows[0]?.total ?? 0) > events.length };
  },
});
