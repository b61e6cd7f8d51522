import type { DatabaseSync } from 'node:sqlite'
import { blobOf, textOf } from './row.ts'
import type { PairTable } from './store.ts'

export function pairTable(db: DatabaseSync): PairTable {
  const read = db.prepare(
    'select epoch, status, sealed from pairs where organization = ? and peer = ?',
  )
  // A burned pair stays burned whatever a caller believes.
  const write = db.prepare(
    `insert into pairs values (?, ?, ?, 'usable', ?)
     on conflict (organization, peer) do update
     set epoch = excluded.epoch, sealed = excluded.sealed where status = 'usable'`,
  )
  // Its secrets are of no more use. There may be none yet: a setup can burn too.
  const burn = db.prepare(
    `insert into pairs values (?, ?, x'', 'burned', x'')
     on conflict (organization, peer) do update set status = 'burned', sealed = x''`,
  )
  return {
    find({ organization, peer }) {
      const row = read.get(organization, peer)
      if (row === undefined) return undefined
      const status = textOf(row, 'status') === 'usable' ? 'usable' : 'burned'
      return { epoch: blobOf(row, 'epoch'), status, sealed: blobOf(row, 'sealed') }
    },
    put({ organization, peer }, { epoch, sealed }) {
      write.run(organization, peer, epoch, sealed)
    },
    burn({ organization, peer }) {
      burn.run(organization, peer)
    },
  }
}
