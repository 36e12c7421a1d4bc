-- The sizes of the parts of an object that was made of parts: a read may ask for one of them.
alter table object_versions drop column parts;
alter table object_versions add column part_sizes bigint[];
