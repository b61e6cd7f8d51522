-- A Schnorr key that signs as itself, and never as the output of a script tree.
alter table keys add column untweaked boolean not null default false;
