/** Written into every file; another number is another program's file. */
export const storeFormat = 5

/**
 * `organization`, `key`, `hash` and the like are 32 bytes; `stream` is `streamName`. A record keeps
 * each of its values with the seq of the step that wrote it, so that the state at any head can be
 * read. A pair's tests are counted apart from the pair: they change with every session, and its row
 * is 7 kB.
 */
export const schema = `
create table if not exists meta (name text primary key, value any not null) strict, without rowid;
create table if not exists voters (
  organization blob, stream text, state blob not null,
  primary key (organization, stream)
) strict;
create table if not exists steps (
  organization blob, stream text, seq integer, hash blob not null, time integer not null,
  body blob not null, certificate blob not null,
  primary key (organization, stream, seq)
) strict;
create table if not exists records (
  organization blob, stream text, key text, seq integer, value blob not null,
  primary key (organization, stream, key, seq)
) strict, without rowid;
create table if not exists shares (
  key blob, statement blob, organization blob not null, status text not null,
  newcomer blob, sign_before integer not null, sealed blob not null,
  primary key (key, statement)
) strict;
create index if not exists shares_pending on shares (organization, status, sign_before);
create index if not exists shares_waiting on shares (status, sign_before);
create index if not exists shares_newcomer on shares (newcomer) where newcomer is not null;
create table if not exists pool_counts (
  organization blob primary key, hour integer not null, births integer not null
) strict, without rowid;
create table if not exists pairs (
  organization blob, peer integer, epoch blob not null, status text not null,
  born integer not null, sealed blob not null,
  primary key (organization, peer)
) strict;
create table if not exists pair_counts (
  organization blob, peer integer, tests integer not null,
  hour integer not null, setups integer not null,
  primary key (organization, peer)
) strict, without rowid;
create table if not exists strikes (
  peer integer, reason text, count integer not null, last integer not null, evidence blob not null,
  primary key (peer, reason)
) strict;
create table if not exists bans (peer integer primary key) strict;
create table if not exists sessions (id blob primary key, expires integer not null)
  strict, without rowid;
create index if not exists sessions_expired on sessions (expires);
create table if not exists external_ids (tag blob primary key, request blob not null)
  strict, without rowid;
create table if not exists statements (
  organization blob, hash blob, author blob not null, signed blob not null,
  primary key (organization, hash)
) strict, without rowid;
create table if not exists recoveries (
  organization blob, id blob, user blob not null, generation integer not null,
  wait integer not null, seen integer,
  primary key (organization, id)
) strict, without rowid;
create index if not exists recoveries_user on recoveries (organization, user);
create table if not exists breaks (
  organization blob, policy blob, wait integer not null, seen integer,
  primary key (organization, policy)
) strict, without rowid;
create table if not exists sweeps (
  organization blob primary key, step_stream text not null, step_seq integer not null,
  done integer not null, voter_stream text not null
) strict, without rowid;
create table if not exists stops (
  organization blob primary key, detail text not null, evidence blob not null
) strict, without rowid;
`
