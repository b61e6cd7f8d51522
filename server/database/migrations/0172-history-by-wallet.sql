-- What the balance alone has told of has one id in all wallets of a block: the wallet parts them in an organization's list.
create index history_by_time_and_wallet on history (organization, canonical, time, id, wallet);

drop index history_by_time;
