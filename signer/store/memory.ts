import type { DatabaseSync } from 'node:sqlite'
import { blobOf, numberOf, textOf } from './row.ts'
import type { MemoryTable } from './store.ts'

/** Sessions forgotten at once: more than may begin in that time, and no pause that anybody notices. */
const forgottenMax = 1_000

export function memoryTable(db: DatabaseSync): MemoryTable {
  const addSession = db.prepare('insert or ignore into sessions values (?, ?)')
  const deleteSessions = db.prepare(
    `delete from sessions where id in
     (select id from sessions where expires < ? order by expires limit ${forgottenMax})`,
  )
  const readTag = db.prepare('select request from external_ids where tag = ?')
  const addTag = db.prepare('insert or ignore into external_ids values (?, ?)')
  const readStop = db.prepare('select detail from stops where organization = ?')
  const readStops = db.prepare('select organization, detail, evidence from stops')
  const addStop = db.prepare('insert or ignore into stops values (?, ?, ?)')
  const deleteStop = db.prepare('delete from stops where organization = ?')
  const readMeta = db.prepare('select value from meta where name = ?')
  const writeMeta = db.prepare('insert or replace into meta values (?, ?)')
  return {
    useSession: (id, expires) => addSession.run(id, expires).changes === 1,
    forgetSessions: (before) => {
      deleteSessions.run(before)
    },
    externalId(tag) {
      const row = readTag.get(tag)
      return row && blobOf(row, 'request')
    },
    keepExternalId: (tag, request) => {
      addTag.run(tag, request)
    },
    stopped(organization) {
      const row = readStop.get(organization)
      return row && textOf(row, 'detail')
    },
    stops: () =>
      readStops.all().map((row) => ({
        organization: blobOf(row, 'organization'),
        detail: textOf(row, 'detail'),
        evidence: blobOf(row, 'evidence'),
      })),
    stop: (organization, detail, evidence) => {
      addStop.run(organization, detail, evidence)
    },
    liftStop: (organization) => {
      deleteStop.run(organization)
    },
    number(name) {
      const row = readMeta.get(name)
      return row === undefined ? 0 : numberOf(row, 'value')
    },
    setNumber: (name, value) => {
      writeMeta.run(name, value)
    },
    bytes(name) {
      const row = readMeta.get(name)
      return row && blobOf(row, 'value')
    },
    setBytes: (name, value) => {
      writeMeta.run(name, value)
    },
  }
}
