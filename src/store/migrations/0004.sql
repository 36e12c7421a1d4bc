-- An environment that was stopped keeps everything and runs nothing until it is started again.
alter table environments add column suspended boolean not null default false;
