-- An update that is under way: what was asked for and what ran before. `spec` is what is made true now.
alter table environments add column update jsonb;
