-- Whoever signs often has thousands of challenges that are done with, and only the others are looked for.
drop index challenges_by_user;

create index challenges_open on challenges (organization, "user", issued_at) where action is null;
