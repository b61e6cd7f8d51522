-- Whose erasure is in force, and who is being taken out of all rows: deleted in the transaction that ends it.
create table erasures_due (
  organization bytea not null,
  "user" bytea not null,
  time int8 not null,
  primary key (organization, "user")
);
