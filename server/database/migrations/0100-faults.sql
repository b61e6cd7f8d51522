-- Pairs of signers of which one has said that it is burned: for as long, no quorum has both of them.
create table burned_pairs (
  organization bytea not null,
  low int4 not null,
  high int4 not null,
  said_at int8 not null,
  primary key (organization, low, high)
);

-- Which signer has found wrong what which other one has sent, and by which check.
create table accusations (
  accuser int4 not null,
  accused int4 not null,
  reason text not null,
  last_at int8 not null,
  primary key (accuser, accused, reason)
);
