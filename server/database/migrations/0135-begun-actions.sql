-- The life of a server that has begun what a user action stands for. Any other takes it up when the
-- same request comes again; of no length: every one does. Null: it is not begun, or it is over.
alter table challenges add column begun_by bytea;
