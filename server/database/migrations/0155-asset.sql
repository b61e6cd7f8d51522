-- What a token said of itself when somebody asked to move it: it may say something else tomorrow.
alter table outgoing add column asset text;
