import type { DatabaseSync } from 'node:sqlite'
import { blobOf, numberOf } from './row.ts'
import type { StatementTable } from './store.ts'

export function statementTable(db: DatabaseSync): StatementTable {
  const find = db.prepare('select 1 from statements where organization = ? and hash = ?')
  const add = db.prepare('insert or ignore into statements values (?, ?, ?, ?)')
  const list = db.prepare('select signed from statements where organization = ?')
  const tally = db.prepare(
    'select count(*) as count from statements where organization = ? and author = ?',
  )
  return {
    has: ({ organization, hash }) => find.get(organization, hash) !== undefined,
    keep: ({ organization, hash, author, signed }) => {
      add.run(organization, hash, author, signed)
    },
    of: (organization) => list.all(organization).map((row) => blobOf(row, 'signed')),
    count({ organization, author }) {
      const row = tally.get(organization, author)
      return row === undefined ? 0 : numberOf(row, 'count')
    },
  }
}
