-- Where an organization wants to be told of events. The secret is sealed.
create table webhooks (
  organization bytea not null,
  id bytea not null,
  webhook_id text not null,
  url text not null,
  description text,
  events text not null,
  status text not null,
  secret bytea not null,
  created_at int8 not null,
  updated_at int8 not null,
  primary key (organization, id)
);

create unique index webhooks_by_name on webhooks (organization, webhook_id);

-- The signed request of every change of one, also of what is deleted: who wanted events where.
create table webhook_changes (
  organization bytea not null,
  webhook bytea not null,
  request bytea not null,
  evidence bytea not null,
  changed_at int8 not null,
  primary key (organization, webhook, request)
);
