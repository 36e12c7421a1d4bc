-- Buckets: folders of plain files, and the versions of their objects. A key is compared by its bytes.
create table buckets (
  name text collate "C" primary key,
  created_at timestamptz not null,
  versioning text not null check (versioning in ('Unset', 'Enabled', 'Suspended')),
  policy text,
  public_access_block json
);

create table object_versions (
  bucket text collate "C" not null references buckets (name),
  key text collate "C" not null,
  version_id text not null,
  -- the order in which the versions of a key were made
  made bigint generated always as identity,
  is_latest boolean not null,
  is_marker boolean not null,
  size bigint not null,
  etag text not null,
  last_modified timestamptz not null,
  facts json not null,
  checksum json,
  parts integer,
  -- name of the file with its bytes, and what tells that file from a changed one; none of a marker
  file text,
  file_stamp text,
  -- what tells the file that people see from a changed one, 'none' where there is none to see; null: not known to be on the disk
  seen text,
  primary key (bucket, key, version_id)
);
create unique index object_versions_latest on object_versions (bucket, key) where is_latest;
create index object_versions_made on object_versions (bucket, key, made desc);
create index object_versions_unseen on object_versions (bucket, key) where is_latest and seen is null;

create table uploads (
  upload_id text primary key,
  bucket text collate "C" not null references buckets (name),
  key text collate "C" not null,
  initiated_at timestamptz not null,
  facts json not null,
  checksum json,
  -- the version that it became: whoever completes it once more gets that again
  completed text
);
create index uploads_key on uploads (bucket, key, upload_id);

create table upload_parts (
  upload_id text not null references uploads (upload_id) on delete cascade,
  number integer not null,
  size bigint not null,
  etag text not null,
  checksum json,
  last_modified timestamptz not null,
  file text not null,
  primary key (upload_id, number)
);

-- LookupEvents shows no data events, of which there may be many between two others
create index audit_events_management on audit_events (event_time, id)
  where event ->> 'eventCategory' is distinct from 'Data';

-- a start looks which files nobody refers to
create index object_versions_file on object_versions (file) where file is not null;
create index upload_parts_file on upload_parts (file);
