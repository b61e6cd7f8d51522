import type { DatabaseSync } from 'node:sqlite'
import { numberOf, textOf } from './row.ts'
import type { PeerTable } from './store.ts'

export function peerTable(db: DatabaseSync): PeerTable {
  const addStrike = db.prepare(
    `insert into strikes values (?, ?, 1, ?, ?)
     on conflict (peer, reason) do update
     set count = count + 1, last = excluded.last, evidence = excluded.evidence`,
  )
  const readStrikes = db.prepare('select peer, reason, count, last from strikes order by peer')
  const addBan = db.prepare('insert or ignore into bans values (?)')
  const deleteBan = db.prepare('delete from bans where peer = ?')
  const readBans = db.prepare('select peer from bans order by peer')
  return {
    strike: ({ peer, reason, at, evidence }) => {
      addStrike.run(peer, reason, at, evidence)
    },
    strikes: () =>
      readStrikes.all().map((row) => ({
        peer: numberOf(row, 'peer'),
        reason: textOf(row, 'reason'),
        count: numberOf(row, 'count'),
        last: numberOf(row, 'last'),
      })),
    ban: (peer) => {
      addBan.run(peer)
    },
    unban: (peer) => deleteBan.run(peer).changes === 1,
    banned: () => readBans.all().map((row) => numberOf(row, 'peer')),
  }
}
