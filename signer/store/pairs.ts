import type { DatabaseSync } from 'node:sqlite'
import { blobOf, numberOf, textOf } from './row.ts'
import type { PairTable } from './store.ts'

export function pairTable(db: DatabaseSync): PairTable {
  const read = db.prepare(
    `select epoch, status, born, sealed, coalesce(tests, 0) as tests
     from pairs left join pair_counts using (organization, peer)
     where organization = ? and peer = ?`,
  )
  // A burned pair stays burned whatever a caller believes.
  const write = db.prepare(
    `insert into pairs values (?, ?, ?, 'usable', ?, ?)
     on conflict (organization, peer) do update
     set epoch = excluded.epoch, born = excluded.born, sealed = excluded.sealed
     where status = 'usable'`,
  )
  const resetTests = db.prepare(
    'update pair_counts set tests = 0 where organization = ? and peer = ?',
  )
  const addTest = db.prepare(
    `insert into pair_counts values (?, ?, 1, 0, 0)
     on conflict (organization, peer) do update set tests = tests + 1`,
  )
  const addSetup = db.prepare(
    `insert into pair_counts values (?, ?, 0, ?, 1)
     on conflict (organization, peer) do update
     set setups = iif(hour = excluded.hour, setups + 1, 1), hour = excluded.hour
     returning setups`,
  )
  // Its secrets are of no more use. There may be none yet: a setup can burn too.
  const burn = db.prepare(
    `insert into pairs values (?, ?, x'', 'burned', 0, x'')
     on conflict (organization, peer) do update set status = 'burned', sealed = x''`,
  )
  const readBurned = db.prepare(
    "select organization, peer from pairs where status = 'burned' order by organization, peer",
  )
  const release = db.prepare(
    "delete from pairs where organization = ? and peer = ? and status = 'burned'",
  )
  return {
    find({ organization, peer }) {
      const row = read.get(organization, peer)
      if (row === undefined) return undefined
      const status = textOf(row, 'status') === 'usable' ? 'usable' : 'burned'
      const [born, tests] = [numberOf(row, 'born'), numberOf(row, 'tests')]
      return { epoch: blobOf(row, 'epoch'), status, born, tests, sealed: blobOf(row, 'sealed') }
    },
    put({ organization, peer }, { epoch, born, sealed }) {
      const { changes } = write.run(organization, peer, epoch, born, sealed)
      if (changes === 1) resetTests.run(organization, peer)
    },
    countTest({ organization, peer }) {
      addTest.run(organization, peer)
    },
    countSetup({ organization, peer }, hour) {
      const row = addSetup.get(organization, peer, hour)
      if (row === undefined) throw new Error('a count that is not written')
      return numberOf(row, 'setups')
    },
    burn({ organization, peer }) {
      burn.run(organization, peer)
    },
    burned: () =>
      readBurned
        .all()
        .map((row) => ({ organization: blobOf(row, 'organization'), peer: numberOf(row, 'peer') })),
    release: ({ organization, peer }) => release.run(organization, peer).changes === 1,
  }
}
