-- How often a token was used: a CLI token may be used several times. Those of before worked once.
alter table tokens add column uses integer not null default 0;
update tokens set uses = 1 where redeemed_at is not null;
