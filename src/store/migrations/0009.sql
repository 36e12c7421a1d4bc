-- What the loop has spent on the present status of an environment: failures, and milliseconds of trying and draining.
alter table environments add column tries json;
