-- One row per (stream, seq, ballot): whoever finds one sends it again and invents nothing.
create table proposals (
  organization bytea not null,
  stream bytea not null,
  seq int8 not null,
  ballot int8 not null,
  hash bytea not null,
  body bytea not null,
  proposed_at int8 not null,
  primary key (organization, stream, seq, ballot)
);

-- In force: a certified step never changes.
create table steps (
  organization bytea not null,
  stream bytea not null,
  seq int8 not null,
  hash bytea not null,
  time int8 not null,
  body bytea not null,
  certificate bytea not null,
  primary key (organization, stream, seq)
);

-- What steps have written; of several values of a name the one of the highest seq counts.
create table records (
  organization bytea not null,
  stream bytea not null,
  name text not null,
  seq int8 not null,
  value bytea not null,
  primary key (organization, stream, name, seq)
);

create index records_by_seq on records (organization, stream, seq);

-- Where a request stands, once and, if it was renewed, again.
create table request_places (
  organization bytea not null,
  request bytea not null,
  stream bytea not null,
  seq int8 not null,
  item int4 not null,
  primary key (organization, request, stream, seq)
);

-- Signed by every signer; in the log as soon as a step names the statement's hash.
create table key_certificates (
  organization bytea not null,
  key bytea not null,
  request bytea not null,
  statement_hash bytea not null,
  certificate bytea not null,
  primary key (organization, key)
);

create table signatures (
  organization bytea not null,
  request bytea not null,
  digest int4 not null,
  signature bytea not null,
  recovery int4,
  primary key (organization, request, digest)
);

-- Pairs of signers that have set up their multiplications for this organization's ECDSA keys.
create table signer_pairs (
  organization bytea not null,
  low int4 not null,
  high int4 not null,
  primary key (organization, low, high)
);

-- Keeps replicas from doubling work. Safety does not rest on it.
create table stream_leases (
  organization bytea not null,
  stream bytea not null,
  holder text not null,
  until int8 not null,
  primary key (organization, stream)
);
