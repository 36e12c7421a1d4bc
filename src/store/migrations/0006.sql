-- Audit records are kept as the exact text that was signed for; what they are looked up by follows from that text.
alter table audit_events
  drop column event_name,
  drop column environment_id,
  alter column event type json using event::text::json,
  add column mac bytea;
alter table audit_events
  add column event_name text generated always as (event ->> 'eventName') stored,
  add column event_source text generated always as (event ->> 'eventSource') stored,
  add column access_key_id text generated always as (event -> 'userIdentity' ->> 'accessKeyId') stored,
  add column environment_id text generated always as (event -> 'additionalEventData' ->> 'environmentId') stored;
create index audit_events_name on audit_events (event_name, event_time);
create index audit_events_key on audit_events (access_key_id, event_time) where access_key_id is not null;

-- Records that no seal covers yet.
create table audit_unsealed (id bigint primary key);
insert into audit_unsealed select id from audit_events;

-- Seals, each over a batch of records and chained to the one before. `ids` is gone when the records are.
create table audit_seals (
  number bigint primary key,
  body text not null,
  signature bytea not null,
  ids bigint[]
);
create index audit_seals_kept on audit_seals (number) where ids is not null;
