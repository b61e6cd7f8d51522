import type { DatabaseSync } from 'node:sqlite'
import { newVoter, voterStateCodec, type VoterState } from '@quorate/authority/agreement/voter'
import { streamName } from '@quorate/authority/stream'
import { toHex } from '@quorate/core/bytes'
import { decode, encode } from '@quorate/core/codec'
import { Kept } from '@quorate/core/kept'
import type { LogTable, Place, StoredStep } from './store.ts'
import { blobOf, numberOf } from './row.ts'

/** As many streams as are voted on at once, of steps as large as a use of a key; others are read. */
const keptMax = 256
const keptBytesMax = 1 << 16
/** What all these streams are judged by: some twenty records each, most of them the same ones. */
const recordsKept = 4_096
const recordBytesMax = 4_096

type Newest = { readonly seq: number; readonly step: StoredStep }
/** The newest that there is; of `seq` -1 where there is none. */
type NewestRecord = { readonly seq: number; readonly value: Uint8Array | undefined }

/** Of what is undone in the file nothing may stay here: see `forget`. */
export function logTable(db: DatabaseSync): LogTable & { forget(): void } {
  const voters = new Kept<VoterState>(keptMax)
  const newest = new Kept<Newest>(keptMax)
  const records = new Kept<NewestRecord>(recordsKept)
  return {
    ...voterRows(db, voters),
    ...stepRows(db, newest, records),
    recordAt: recordReader(db, records),
    forget() {
      voters.clear()
      newest.clear()
      records.clear()
    },
  }
}

function voterRows(db: DatabaseSync, kept: Kept<VoterState>): Pick<LogTable, 'voter' | 'putVoter'> {
  const read = db.prepare('select state from voters where organization = ? and stream = ?')
  const write = db.prepare('insert or replace into voters values (?, ?, ?)')
  const keep = (name: string, state: VoterState, size: number): void => {
    if (size <= keptBytesMax) kept.put(name, state)
    else kept.drop(name)
  }
  return {
    voter(place) {
      const name = nameOf(place)
      const known = kept.get(name)
      if (known !== undefined) return known
      const row = read.get(place.organization, streamName(place.stream))
      if (row === undefined) return newVoter
      const encoded = blobOf(row, 'state')
      const state = decode(voterStateCodec, encoded)
      keep(name, state, encoded.length)
      return state
    },
    putVoter(place, state) {
      const encoded = encode(voterStateCodec, state)
      write.run(place.organization, streamName(place.stream), encoded)
      keep(nameOf(place), state, encoded.length)
    },
  }
}

type StepRows = Pick<LogTable, 'stepAt' | 'headAt' | 'newestSeq' | 'addStep'>

function stepRows(db: DatabaseSync, kept: Kept<Newest>, records: Kept<NewestRecord>): StepRows {
  const where = 'from steps where organization = ? and stream = ?'
  const readStep = db.prepare(`select hash, time, body, certificate ${where} and seq = ?`)
  const readHead = db.prepare(`select hash, time ${where} and seq = ?`)
  const readNewest = db.prepare(`select max(seq) as seq ${where}`)
  const write = db.prepare('insert into steps values (?, ?, ?, ?, ?, ?, ?)')
  const writeRecord = db.prepare('insert or replace into records values (?, ?, ?, ?, ?)')
  const keptAt = (place: Place, seq: number): StoredStep | undefined => {
    const found = kept.get(nameOf(place))
    return found?.seq === seq ? found.step : undefined
  }
  return {
    stepAt(place, seq) {
      const known = keptAt(place, seq)
      if (known !== undefined) return known
      const row = readStep.get(place.organization, streamName(place.stream), seq)
      if (row === undefined) return undefined
      const [hash, body] = [blobOf(row, 'hash'), blobOf(row, 'body')]
      return { hash, time: numberOf(row, 'time'), body, certificate: blobOf(row, 'certificate') }
    },
    headAt(place, seq) {
      const known = keptAt(place, seq)
      if (known !== undefined) return { hash: known.hash, time: known.time }
      const row = readHead.get(place.organization, streamName(place.stream), seq)
      return row && { hash: blobOf(row, 'hash'), time: numberOf(row, 'time') }
    },
    newestSeq(place) {
      const known = kept.get(nameOf(place))
      if (known !== undefined) return known.seq
      const seq = readNewest.get(place.organization, streamName(place.stream))?.['seq']
      return typeof seq === 'number' ? seq : -1
    },
    addStep(place, seq, step, writes) {
      const { organization } = place
      const [stream, name] = [streamName(place.stream), nameOf(place)]
      const { hash, time, body, certificate } = step
      write.run(organization, stream, seq, hash, time, body, certificate)
      if (body.length <= keptBytesMax) kept.put(name, { seq, step })
      else kept.drop(name)
      // A later write of the same record in one step wins, as it does while the step is reduced.
      for (const { key, value } of writes) {
        writeRecord.run(organization, stream, key, seq, value)
        records.drop(`${name}/${key}`)
      }
    },
  }
}

function recordReader(db: DatabaseSync, kept: Kept<NewestRecord>): LogTable['recordAt'] {
  const read = db.prepare(
    `select value, seq from records where organization = ? and stream = ? and key = ? and seq <= ?
     order by seq desc limit 1`,
  )
  const readAt = ({ organization, stream }: Place, key: string, seqMax: number): NewestRecord => {
    const row = read.get(organization, streamName(stream), key, seqMax)
    return row === undefined
      ? { seq: -1, value: undefined }
      : { seq: numberOf(row, 'seq'), value: blobOf(row, 'value') }
  }
  return (place, key, seqMax) => {
    const name = `${nameOf(place)}/${key}`
    const known = kept.get(name)
    const newest = known ?? readAt(place, key, Number.MAX_SAFE_INTEGER)
    const isSmall = (newest.value?.length ?? 0) <= recordBytesMax
    if (known === undefined && isSmall) kept.put(name, newest)
    return newest.seq <= seqMax ? newest.value : readAt(place, key, seqMax).value
  }
}

function nameOf({ organization, stream }: Place): string {
  return `${toHex(organization)}/${streamName(stream)}`
}
