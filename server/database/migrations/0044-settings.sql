-- Changes of settings that not enough members of the root quorum have signed yet, for the list of
-- them. Who has signed is in the records.
create table settings_proposals (
  organization bytea not null,
  proposal bytea not null,
  settings bytea not null,
  root_quorum bytea not null,
  created_at int8 not null,
  primary key (organization, proposal)
);

create index settings_proposals_by_time on settings_proposals (organization, created_at);
