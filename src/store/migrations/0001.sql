-- One row an environment. `spec` is the CreateEnvironment request as it was given.
create table environments (
  id text primary key check (id ~ '^[a-z0-9]{12}$'),
  account_id text not null,
  region text not null,
  name text not null,
  arn text not null,
  status text not null,
  spec jsonb not null,
  generation bigint not null default 1,
  driver text not null,
  host text not null,
  last_update jsonb not null,
  hostname text,
  progress text,
  created_at timestamptz not null,
  deleted_at timestamptz
);
create unique index environments_living on environments (account_id, region, name) where deleted_at is null;
create unique index environments_hostname on environments (hostname) where deleted_at is null;

-- Web login tokens and CLI tokens: kept by the hash of their id, used once.
create table tokens (
  jti_hash bytea primary key,
  kind text not null check (kind in ('web', 'cli')),
  environment_id text not null references environments (id),
  mint jsonb not null,
  airflow_identity text not null,
  issued_at timestamptz not null,
  expires_at timestamptz not null,
  boot_id text not null,
  monotonic_deadline bigint not null,
  redeemed_at timestamptz,
  revoked_at timestamptz
);
create index tokens_expiry on tokens (expires_at);
create index tokens_environment on tokens (environment_id);

-- Web sessions: kept by the hash of the cookie.
create table sessions (
  id text primary key,
  secret_hash bytea not null unique,
  kind text not null check (kind in ('browser', 'script')),
  environment_id text not null references environments (id),
  mint jsonb not null,
  airflow_identity text not null,
  created_at timestamptz not null,
  last_seen_at timestamptz not null,
  expires_at timestamptz not null,
  ended_at timestamptz,
  end_reason text
);
create index sessions_environment on sessions (environment_id) where ended_at is null;
create index sessions_expiry on sessions (expires_at);

-- Every decision, shaped like CloudTrail. Kept after its environment is gone.
create table audit_events (
  id bigint generated always as identity primary key,
  event_id uuid not null unique default gen_random_uuid(),
  event_time timestamptz not null,
  event_name text not null,
  environment_id text,
  event jsonb not null
);
create index audit_events_time on audit_events (event_time);

-- One number for each account of an environment, never given twice.
create table account_numbers (
  environment_id text primary key,
  number integer not null unique,
  released_at timestamptz
);
