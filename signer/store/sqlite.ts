import { DatabaseSync } from 'node:sqlite'
import { chmodSync, closeSync, openSync } from 'node:fs'
import { logTable } from './log.ts'
import { memoryTable } from './memory.ts'
import { pairTable } from './pairs.ts'
import { peerTable } from './peers.ts'
import { breakTable } from './breaks.ts'
import { recoveryTable } from './recoveries.ts'
import { schema, storeFormat } from './schema.ts'
import { shareTable } from './shares.ts'
import { statementTable } from './statements.ts'
import type { Store } from './store.ts'
import { sweepTable } from './sweeps.ts'

/** Another process with this file open is a second signer of one name: wait for none of it. */
const busyMs = 0
/** Of 4 kB: how far the write-ahead log grows, and is read through at the start. */
const checkpointPages = 4_096

/**
 * One file. Write-ahead log with full sync: a commit has reached the disk when it comes back
 * (SQLite, pragma synchronous: in WAL mode only FULL syncs on every commit).
 *
 * @throws Error when the file is another format's, or open in another process
 */
export function openStore(file: string): Store {
  const db = openDatabase(file)
  const total = db.prepare('select total_changes() as count')
  const readSequence = db.prepare("select value from meta where name = 'sequence'")
  const writeSequence = db.prepare("insert or replace into meta values ('sequence', ?)")
  const begin = db.prepare('begin immediate')
  const end = db.prepare('commit')
  const beginPart = db.prepare('savepoint part')
  const endPart = db.prepare('release part')
  let sequence = Number(readSequence.get()?.['value'] ?? 0)
  let within = false
  const log = logTable(db)
  return {
    log,
    shares: shareTable(db),
    pairs: pairTable(db),
    peers: peerTable(db),
    memory: memoryTable(db),
    statements: statementTable(db),
    recoveries: recoveryTable(db),
    breaks: breakTable(db),
    sweeps: sweepTable(db, log.forget),
    get sequence() {
      return sequence
    },
    commit(work) {
      if (within) throw new Error('a transaction within a transaction')
      within = true
      begin.run()
      try {
        const before = total.get()?.['count']
        const result = work()
        const isWritten = total.get()?.['count'] !== before
        if (isWritten) writeSequence.run(sequence + 1)
        end.run()
        if (isWritten) sequence++
        return result
      } catch (error) {
        log.forget()
        if (db.isTransaction) db.exec('rollback')
        throw error
      } finally {
        within = false
      }
    },
    part(work) {
      beginPart.run()
      try {
        const result = work()
        endPart.run()
        return result
      } catch (error) {
        log.forget()
        db.exec('rollback to part; release part')
        throw error
      }
    },
    compact() {
      if (within) throw new Error('a transaction is under way')
      // Overwriting what is deleted (pragma secure_delete) is not enough: a page that is balanced
      // keeps copies of rows in the room between its cells. A vacuum copies rows and no pages.
      db.exec('vacuum')
      const left = db.prepare('pragma wal_checkpoint(truncate)').get()?.['busy']
      if (left !== 0) throw new Error('the write-ahead log is in use')
    },
    isOpen: () => db.isOpen,
    close: () => db.close(),
  }
}

/** @throws as `openStore` does */
export function openDatabase(file: string): DatabaseSync {
  makePrivate(file)
  const db = new DatabaseSync(file)
  db.exec(`pragma busy_timeout = ${busyMs}`)
  // Taken with the first write and kept until the end: two signers on one store would vote twice.
  db.exec('pragma locking_mode = exclusive')
  const mode = db.prepare('pragma journal_mode = wal').get()?.['journal_mode']
  if (mode !== 'wal') throw new Error(`Cannot start: ${file} has no write-ahead log.`)
  db.exec('pragma synchronous = full')
  // Pages that many steps change are then copied into the file once for all of them.
  db.exec(`pragma wal_autocheckpoint = ${checkpointPages}`)
  db.exec(`begin immediate; ${schema} commit`)
  checkFormat(db, file)
  return db
}

function makePrivate(file: string): void {
  closeSync(openSync(file, 'a', 0o600))
  chmodSync(file, 0o600)
}

function checkFormat(db: DatabaseSync, file: string): void {
  db.prepare("insert or ignore into meta values ('format', ?)").run(storeFormat)
  const found = db.prepare("select value from meta where name = 'format'").get()?.['value']
  if (found !== storeFormat) throw new Error(`Cannot start: ${file} has another format.`)
}
