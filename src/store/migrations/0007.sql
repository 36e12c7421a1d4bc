-- By which listener a session was begun: it ends when its environment is no longer there for that way.
alter table sessions add column way text not null default 'both' check (way in ('private', 'public', 'both'));
alter table sessions alter column way drop default;
