-- What is deleted next.
create index mails_at_rest on mails (created_at) where next_try is null;
