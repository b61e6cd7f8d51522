-- Certified by all signers, promised to no request. Taken away when one gets it, in one transaction.
create table pooled_keys (
  statement_hash bytea not null,
  organization bytea not null,
  scheme text not null,
  curve text not null,
  bind_before int8 not null,
  certificate bytea not null,
  primary key (statement_hash)
);
create index pooled_keys_by_kind on pooled_keys (organization, scheme, curve, bind_before);
create index pooled_keys_by_age on pooled_keys (bind_before);
