-- Where no such contract is yet, it is asked for again. What was taken for its answer before may have been too early.
alter table listed_assets
  add column due_at int8 not null default 0,
  add column attempts int4 not null default 0;

update listed_assets set checked_at = null, contradiction = null
  where contradiction like 'there is no %';
