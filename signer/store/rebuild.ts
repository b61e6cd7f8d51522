import { existsSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { certificateCodec, isAbout, verifyCertificate } from '@quorate/authority/agreement/messages'
import { decodeBody } from '@quorate/authority/body'
import { isOpaqueStep } from '@quorate/authority/opaque-step'
import { quorumOf } from '@quorate/authority/quorum'
import type { Write } from '@quorate/authority/records'
import { judgeHeads } from '@quorate/authority/reduce/heads'
import type { Rules } from '@quorate/authority/reduce/judging'
import { reduceStep } from '@quorate/authority/reduce/step'
import { noStep } from '@quorate/authority/step'
import { rootOf, streamName, type StreamId } from '@quorate/authority/stream'
import { equalBytes, fromHex, toHex } from '@quorate/core/bytes'
import { decode } from '@quorate/core/codec'
import { logTable } from './log.ts'
import { readerAt } from './reader.ts'
import { blobOf, numberOf, textOf } from './row.ts'
import { openDatabase } from './sqlite.ts'
import type { LogTable, Place, StoredStep } from './store.ts'

export type Rebuilt = {
  readonly steps: number
  readonly records: number
  /** The first difference of each organization: a step that does not follow, or a record. */
  readonly differences: readonly { readonly organization: string; readonly what: string }[]
}

/**
 * Works out from the certified steps of a store, and nothing else, what its records must be, and
 * compares. Certificates, the chain of hashes and heads are verified on the way. Root streams come
 * first: the others rest on them.
 *
 * @param options.write replaces the records, unless a step does not follow: then there is no log to
 *   build from
 * @throws Error when there is no such store, or a signer is running on it
 */
export function rebuildStore(
  file: string,
  rules: Rules,
  options: { readonly write: boolean },
): Rebuilt {
  if (!existsSync(file)) throw new Error(`There is no ${file}.`)
  const db = openDatabase(file)
  try {
    // While the temporary table is there, statements that name no schema mean that one.
    db.exec(`begin immediate;
      create temp table records (
        organization blob, stream text, key text, seq integer, value blob not null,
        primary key (organization, stream, key, seq)
      ) strict, without rowid`)
    const replayed = replayAll(db, rules)
    const differing = differingRecords(db)
    if (options.write && replayed.faults.length === 0)
      db.exec(`delete from main.records;
        insert into main.records select organization, stream, key, seq, value from temp.records`)
    const records = numberOf(count(db, 'temp.records'), 'count')
    db.exec('drop table temp.records; commit')
    const broken = new Set(replayed.faults.map(({ organization }) => organization))
    const others = differing.filter(({ organization }) => !broken.has(organization))
    return { steps: replayed.steps, records, differences: [...replayed.faults, ...others] }
  } finally {
    db.close()
  }
}

type Fault = Rebuilt['differences'][number]

function replayAll(db: DatabaseSync, rules: Rules): { steps: number; faults: readonly Fault[] } {
  const faults: Fault[] = []
  let steps = 0
  const broken = new Set<string>()
  const log = logTable(db)
  const write = db.prepare('insert or replace into temp.records values (?, ?, ?, ?, ?)')
  for (const place of placesOf(db)) {
    const organization = toHex(place.organization)
    const name = streamName(place.stream)
    for (let seq = 0; !broken.has(organization); seq++) {
      const stored = log.stepAt(place, seq)
      if (stored === undefined) break
      const outcome = replay({ log, rules }, place, { ...stored, seq })
      if (typeof outcome === 'string') {
        broken.add(organization)
        faults.push({ organization, what: `step ${name} ${seq}: ${outcome}` })
        break
      }
      for (const { key, value } of outcome) write.run(place.organization, name, key, seq, value)
      // These were written without its knowledge.
      log.forget()
      steps += 1
    }
  }
  return { steps, faults }
}

/** @returns what the step writes, or why it does not follow from those before it */
function replay(
  { log, rules }: { readonly log: LogTable; readonly rules: Rules },
  place: Place,
  stored: StoredStep & { readonly seq: number },
): readonly Write[] | string {
  const { organization } = place
  const { seq, hash, time, body: bytes } = stored
  const { step, evidence } = decodeBody(bytes)
  const previous = seq === 0 ? noStep : log.headAt(place, seq - 1)?.hash
  if (previous === undefined || !equalBytes(step.previous, previous)) return 'it follows another'
  if (!isOpaqueStep(place, { seq, previous, hash, time, bytes })) return 'it is another step'
  const certificate = decode(certificateCodec, stored.certificate)
  const isCertified =
    isAbout(certificate, place) &&
    certificate.seq === seq &&
    equalBytes(certificate.stepHash, hash) &&
    verifyCertificate(certificate, quorumOf(rules.manifest))
  if (!isCertified) return 'no quorum has sealed it'
  const headless = judgeHeads(step, {
    at: (stream, at) => log.headAt({ organization, stream }, at),
  })
  if (headless !== undefined) return headless
  const outcome = reduceStep(step, evidence, readerAt(log, place, step), rules)
  return outcome.ok ? outcome.writes : outcome.reason
}

/** Every stream that has steps: of each organization its root first. */
function placesOf(db: DatabaseSync): readonly Place[] {
  const rows = db.prepare('select distinct organization, stream from main.steps').all()
  const places = rows.map((row): Place => {
    const organization = blobOf(row, 'organization')
    return { organization, stream: streamNamed(textOf(row, 'stream')) }
  })
  const isRoot = ({ organization, stream }: Place) =>
    streamName(stream) === streamName(rootOf(organization))
  return [...places.filter(isRoot), ...places.filter((place) => !isRoot(place))]
}

function streamNamed(name: string): StreamId {
  const [kind = '', id = ''] = name.split('/')
  if (kind !== 'root' && kind !== 'user' && kind !== 'key')
    throw new TypeError('the name of a stored stream is of no known kind')
  return { kind, id: fromHex(id) }
}

function count(db: DatabaseSync, table: string) {
  return db.prepare(`select count(*) as count from ${table}`).get() ?? { count: 0 }
}

/** Records that are kept and do not follow, that follow and are not kept, or are kept otherwise. */
function differingRecords(db: DatabaseSync): readonly Fault[] {
  const rows = db
    .prepare(
      `select organization, min(stream || ' ' || seq || ': ' || key) as what from (
         select * from (select * from main.records except select * from temp.records)
         union all
         select * from (select * from temp.records except select * from main.records)
       ) group by organization`,
    )
    .all()
  return rows.map((row) => ({
    organization: toHex(blobOf(row, 'organization')),
    what: `record ${textOf(row, 'what')}`,
  }))
}
