import type { DatabaseSync } from 'node:sqlite'
import { blobOf, numberOf } from './row.ts'
import type { ShareTable } from './store.ts'

export function shareTable(db: DatabaseSync): ShareTable {
  const add = db.prepare("insert into shares values (?, ?, ?, 'pending', ?, ?)")
  const countAll = db.prepare(
    "select count(*) as count from shares where status = 'pending' and sign_before >= ?",
  )
  const countIn = db.prepare(
    `select count(*) as count from shares
     where organization = ? and status = 'pending' and sign_before >= ?`,
  )
  const readOldest = db.prepare(
    `select key, statement, organization from shares
     where status = 'pending' and sign_before < ? order by sign_before limit ?`,
  )
  const countOf = db.prepare(
    "select count(*) as count from shares where status = 'pending' and key = ?",
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
    addPending({ key, statement, organization, signBefore, sealed }) {
      add.run(key, statement, organization, signBefore, sealed)
    },
    countPending(key) {
      const row = countOf.get(key)
      return row === undefined ? 0 : numberOf(row, 'count')
    },
    countLive({ organization, expired }) {
      const row =
        organization === undefined ? countAll.get(expired) : countIn.get(organization, expired)
      return row === undefined ? 0 : numberOf(row, 'count')
    },
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
