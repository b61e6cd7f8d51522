import type { DatabaseSync } from 'node:sqlite'
import { blobOf, numberOf } from './row.ts'
import type { RecoveryTable } from './store.ts'

export function recoveryTable(db: DatabaseSync): RecoveryTable {
  const add = db.prepare('insert or ignore into recoveries values (?, ?, ?, ?, ?, ?)')
  const list = db.prepare(
    'select id, generation, wait, seen from recoveries where organization = ? and user = ?',
  )
  const date = db.prepare('update recoveries set seen = ? where organization = ? and id = ?')
  const drop = db.prepare('delete from recoveries where organization = ? and id = ?')
  return {
    keep: ({ organization, id, user, generation, waitMs, seen }) => {
      add.run(organization, id, user, generation, waitMs, seen ?? null)
    },
    of: ({ organization, user }) =>
      list.all(organization, user).map((row) => ({
        organization,
        user,
        id: blobOf(row, 'id'),
        generation: numberOf(row, 'generation'),
        waitMs: numberOf(row, 'wait'),
        seen: row['seen'] === null ? undefined : numberOf(row, 'seen'),
      })),
    see: ({ organization, id }, seen) => {
      date.run(seen, organization, id)
    },
    forget: ({ organization, id }) => {
      drop.run(organization, id)
    },
  }
}
