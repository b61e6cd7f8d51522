import type { DatabaseSync } from 'node:sqlite'
import { blobOf, numberOf } from './row.ts'
import type { ShareTable } from './store.ts'

export function shareTable(db: DatabaseSync): ShareTable {
  const add = db.prepare("insert into shares values (?, ?, ?, 'pending', ?, ?, ?)")
  const countOf = countWhere(db, "status = 'pending' and key = ?")
  const countAll = countWhere(db, "status = 'pending' and sign_before >= ?")
  const countIn = countWhere(db, "status = 'pending' and organization = ? and sign_before >= ?")
  const countBy = countWhere(db, "status = 'pending' and newcomer = ? and sign_before >= ?")
  const readOldest = db.prepare(
    `select key, statement, organization from shares
     where status in ('pending', 'pooled') and sign_before < ? order by sign_before limit ?`,
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
     where organization = ? and status in ('pending', 'pooled') and sign_before < ?`,
  )
  const deleteOne = db.prepare(
    "delete from shares where key = ? and statement = ? and status in ('pending', 'pooled')",
  )
  return {
    ...pooledShares(db),
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

/** A key of the pool has no name of its own: its share is kept under the statement's hash twice. */
function pooledShares(db: DatabaseSync) {
  const add = db.prepare("insert into shares values (?, ?, ?, 'pooled', null, ?, ?)")
  const countAll = countWhere(db, "status = 'pooled' and sign_before >= ?")
  const countIn = countWhere(db, "status = 'pooled' and organization = ? and sign_before >= ?")
  const read = db.prepare(
    "select sealed from shares where key = ?1 and statement = ?1 and status = 'pooled'",
  )
  const rename = db.prepare(
    `update shares set key = ?2, sealed = ?3, status = 'pending'
     where key = ?1 and statement = ?1 and status = 'pooled'`,
  )
  const births = db.prepare(
    `insert into pool_counts values (?, ?, 1)
     on conflict do update set
       births = case when hour = excluded.hour then births + 1 else 1 end, hour = excluded.hour
     returning births`,
  )
  return {
    addPooled({ statement, organization, bindBefore, sealed }) {
      add.run(statement, statement, organization, bindBefore, sealed)
    },
    countPooled: ({ organization, expired }) =>
      organization === undefined ? countAll(expired) : countIn(organization, expired),
    countBirth({ organization, hour }) {
      const row = births.get(organization, hour)
      return row === undefined ? 0 : numberOf(row, 'births')
    },
    pooled(statement) {
      const row = read.get(statement)
      return row && blobOf(row, 'sealed')
    },
    bind({ key, statement }, sealed) {
      rename.run(statement, key, sealed)
    },
  } satisfies Partial<ShareTable>
}

function countWhere(db: DatabaseSync, where: string) {
  const count = db.prepare(`select count(*) as count from shares where ${where}`)
  return (...values: readonly (Uint8Array | number)[]): number => {
    const row = count.get(...values)
    return row === undefined ? 0 : numberOf(row, 'count')
  }
}
