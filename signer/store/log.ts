import type { DatabaseSync } from 'node:sqlite'
import { newVoter, voterStateCodec, type VoterState } from '@quorate/authority/agreement/voter'
import { streamName } from '@quorate/authority/stream'
import { toHex } from '@quorate/core/bytes'
import { decode, encode } from '@quorate/core/codec'
import type { LogTable } from './store.ts'
import { blobOf, numberOf } from './row.ts'

/** As many streams as are voted on at once, of steps as large as a use of a key; others are read. */
const keptMax = 256
const keptBytesMax = 1 << 16

/** What is undone in the file must be forgotten here: see `forget`. */
export function logTable(db: DatabaseSync): LogTable & { forget(): void } {
  const readVoter = db.prepare('select state from voters where organization = ? and stream = ?')
  const writeVoter = db.prepare('insert or replace into voters values (?, ?, ?)')
  const readStep = db.prepare(
    'select hash, time, body, certificate from steps where organization = ? and stream = ? and seq = ?',
  )
  const readHead = db.prepare(
    'select hash, time from steps where organization = ? and stream = ? and seq = ?',
  )
  const readNewest = db.prepare(
    'select max(seq) as seq from steps where organization = ? and stream = ?',
  )
  const writeStep = db.prepare('insert into steps values (?, ?, ?, ?, ?, ?, ?)')
  const readRecord = db.prepare(
    `select value from records where organization = ? and stream = ? and key = ? and seq <= ?
     order by seq desc limit 1`,
  )
  const writeRecord = db.prepare('insert or replace into records values (?, ?, ?, ?, ?)')
  const kept = new Map<string, VoterState>()
  const keep = (name: string, state: VoterState, size: number): void => {
    kept.delete(name)
    if (size <= keptBytesMax) kept.set(name, state)
    const [oldest] = kept.keys()
    if (kept.size > keptMax && oldest !== undefined) kept.delete(oldest)
  }
  return {
    voter({ organization, stream }) {
      const name = `${toHex(organization)}/${streamName(stream)}`
      const known = kept.get(name)
      if (known !== undefined) return known
      const row = readVoter.get(organization, streamName(stream))
      if (row === undefined) return newVoter
      const encoded = blobOf(row, 'state')
      const state = decode(voterStateCodec, encoded)
      keep(name, state, encoded.length)
      return state
    },
    putVoter({ organization, stream }, state) {
      const encoded = encode(voterStateCodec, state)
      writeVoter.run(organization, streamName(stream), encoded)
      keep(`${toHex(organization)}/${streamName(stream)}`, state, encoded.length)
    },
    forget: () => kept.clear(),
    stepAt({ organization, stream }, seq) {
      const row = readStep.get(organization, streamName(stream), seq)
      if (row === undefined) return undefined
      const [hash, body] = [blobOf(row, 'hash'), blobOf(row, 'body')]
      return { hash, time: numberOf(row, 'time'), body, certificate: blobOf(row, 'certificate') }
    },
    headAt({ organization, stream }, seq) {
      const row = readHead.get(organization, streamName(stream), seq)
      return row && { hash: blobOf(row, 'hash'), time: numberOf(row, 'time') }
    },
    newestSeq({ organization, stream }) {
      const seq = readNewest.get(organization, streamName(stream))?.['seq']
      return typeof seq === 'number' ? seq : -1
    },
    addStep({ organization, stream }, seq, { hash, time, body, certificate }, writes) {
      const name = streamName(stream)
      writeStep.run(organization, name, seq, hash, time, body, certificate)
      // A later write of the same record in one step wins, as it does while the step is reduced.
      for (const { key, value } of writes) writeRecord.run(organization, name, key, seq, value)
    },
    recordAt({ organization, stream }, key, seqMax) {
      const row = readRecord.get(organization, streamName(stream), key, seqMax)
      return row && blobOf(row, 'value')
    },
  }
}
