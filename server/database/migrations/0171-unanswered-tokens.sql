-- Contracts that a node refused to ask, for reasons of its own, and when they have their next turn.
create table unanswered_tokens (
  network text not null,
  contract text not null,
  due_at int8 not null,
  attempts int4 not null,
  primary key (network, contract)
);
