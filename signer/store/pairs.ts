import type { DatabaseSync } from 'node:sqlite'
import { blobOf, numberOf, textOf } from './row.ts'
import type { PairTable } from './store.ts'

export function pairTable(db: DatabaseSync): PairTable {
  const read = db.prepare(
    'select epoch, status, used, sealed from pairs where organization = ? and peer = ?',
  )
  // A burned pair, and one that was used, stay what they are whatever a caller believes.
  const write = db.prepare(
    `insert into pairs values (?, ?, ?, 'usable', 0, ?)
     on conflict (organization, peer) do update
     set epoch = excluded.epoch, sealed = excluded.sealed where status = 'usable' and used = 0`,
  )
  const use = db.prepare(
    'update pairs set used = 1 where organization = ? and peer = ? and used = 0',
  )
  // Its secrets are of no more use. There may be none yet: a setup can burn too.
  const burn = db.prepare(
    `insert into pairs values (?, ?, x'', 'burned', 0, x'')
     on conflict (organization, peer) do update set status = 'burned', sealed = x''`,
  )
  return {
    find({ organization, peer }) {
      const row = read.get(organization, peer)
      if (row === undefined) return undefined
      const status = textOf(row, 'status') === 'usable' ? 'usable' : 'burned'
      const used = numberOf(row, 'used') !== 0
      return { epoch: blobOf(row, 'epoch'), status, used, sealed: blobOf(row, 'sealed') }
    },
    put({ organization, peer }, { epoch, sealed }) {
      write.run(organization, peer, epoch, sealed)
    },
    markUsed({ organization, peer }) {
      use.run(organization, peer)
    },
    burn({ organization, peer }) {
      burn.run(organization, peer)
    },
  }
}
