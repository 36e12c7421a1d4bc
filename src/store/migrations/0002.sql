-- Tags stand beside the spec: changing them changes nothing that runs, and is no new generation.
alter table environments add column tags jsonb not null default '{}';
update environments set tags = spec -> 'Tags', spec = spec - 'Tags' where spec ? 'Tags';
