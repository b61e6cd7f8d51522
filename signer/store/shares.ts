import type { DatabaseSync } from 'node:sqlite'
import { blobOf, numberOf } from './row.ts'
import type { ShareTable } from './store.ts'

export function shareTable(db: DatabaseSync): ShareTable {
  const add = db.prepare("insert into shares values (?, ?, ?, 'pending', ?, ?, ?)")
  const countOf = pendingCount(db, 'key = ?')
  const countAll = pendingCount(db, 'sign_before >= ?')
  const countIn = pendingCount(db, 'organization = ? and sign_before >= ?')
  const countBy = pendingCount(db, 'newcomer = ? and sign_before >= ?')
  const readOldest = db.prepare(
    `select key, statement, organization from shares
     where status = 'pending' and sign_before < ? order by sign_before limit ?`,
  )
  const readActive = db.prepare(
    "select sealed from shares where key = ? and statement = ? and status = 'active'",
  )
  const setActive = db.prepare(
    "update shares set status = 'active' where key = ? and statement = ?",
  )
  const deleteOthers = db.prepare("delete from shares where key = ? and status = 'pending'")
  const readBefore = db.prepare(
    `select key, statement from shares
     where organization = ? and status = 'pending' and sign_before < ?`,
  )
  const deleteOne = db.prepare(
    "delete from shares where key = ? and statement = ? and status = 'pending'",
  )
  return {
    addPending({ key, statement, organization, newcomer = null, signBefore, sealed }) {
      add.run(key, statement, organization, newcomer, signBefore, sealed)
    },
    countPending: (key) => countOf(key),
    countLive: ({ organization, expired }) =>
      organization === undefined ? countAll(expired) : countIn(organization, expired),
    countOfNewcomer: ({ newcomer, expired }) => countBy(newcomer, expired),
    active({ key, statement }) {
      const row = readActive.get(key, statement)
      return row && blobOf(row, 'sealed')
    },
    activate({ key, statement }) {
      setActive.run(key, statement)
      deleteOthers.run(key)
    },
    pendingBefore(organization, time) {
      return readBefore
        .all(organization, time)
        .map((row) => ({ key: blobOf(row, 'key'), statement: blobOf(row, 'statement') }))
    },
    oldestPending: (before, max) =>
      readOldest.all(before, max).map((row) => ({
        key: blobOf(row, 'key'),
        statement: blobOf(row, 'statement'),
        organization: blobOf(row, 'organization'),
      })),
    deletePending({ key, statement }) {
      deleteOne.run(key, statement)
    },
  }
}

function pendingCount(db: DatabaseSync, where: string) {
  const count = db.prepare(
    `select count(*) as count from shares where status = 'pending' and ${where}`,
  )
  return (...values: readonly (Uint8Array | number)[]): number => {
    const row = count.get(...values)
    return row === undefined ? 0 : numberOf(row, 'count')
  }
}
