-- Users, groups, roles, policies, access keys and guard rails, one row each; secrets are sealed under a key that is
-- not in the database.
create table iam_entities (
  kind text not null,
  key text not null,
  entity jsonb not null,
  primary key (kind, key)
);
-- When an access key was last used; written now and then.
create table access_key_uses (
  id text primary key,
  used_at timestamptz not null,
  service text not null,
  region text not null
);
create index audit_events_request on audit_events ((event ->> 'requestID'));
