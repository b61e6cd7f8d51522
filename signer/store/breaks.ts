import type { DatabaseSync } from 'node:sqlite'
import { blobOf, numberOf } from './row.ts'
import type { BreakTable } from './store.ts'

export function breakTable(db: DatabaseSync): BreakTable {
  const add = db.prepare('insert or ignore into breaks values (?, ?, ?, ?)')
  const list = db.prepare('select policy, wait, seen from breaks where organization = ?')
  const date = db.prepare('update breaks set seen = ? where organization = ? and policy = ?')
  const drop = db.prepare('delete from breaks where organization = ? and policy = ?')
  return {
    keep: ({ organization, policy, waitMs, seen }) => {
      add.run(organization, policy, waitMs, seen ?? null)
    },
    of: (organization) =>
      list.all(organization).map((row) => ({
        organization,
        policy: blobOf(row, 'policy'),
        waitMs: numberOf(row, 'wait'),
        seen: row['seen'] === null ? undefined : numberOf(row, 'seen'),
      })),
    see: ({ organization, policy }, seen) => {
      date.run(seen, organization, policy)
    },
    forget: ({ organization, policy }) => {
      drop.run(organization, policy)
    },
  }
}
