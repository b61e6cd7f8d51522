-- Which name is whose, now: names of the archived are free again. Of two that want one name the
-- first row wins; it lapses unless its request came into force.
create table usernames (
  organization bytea not null,
  kind text not null,
  username text not null,
  "user" bytea not null,
  lapses_at int8,
  primary key (organization, kind, username)
);

create index usernames_by_user on usernames (organization, "user");

insert into usernames (organization, kind, username, "user", lapses_at)
select organization, kind, username, id, null from users where kind <> 'serviceAccount';

-- What its owner and his clients know a credential by, besides what the log holds of it.
alter table credentials add column name text;
alter table credentials add column origin text;
alter table credentials add column encrypted_private_key text;
