-- Since when nodes have refused what is signed, each time that it was sent.
alter table outgoing add column refused_at int8;
