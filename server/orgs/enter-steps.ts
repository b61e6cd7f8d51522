import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { type RawBuilder, sql } from 'kysely'
import { certificateCodec, type Subject } from '@quorate/authority/agreement/messages'
import { decodeBody } from '@quorate/authority/body'
import { follow, History } from '@quorate/authority/history'
import type { Rules } from '@quorate/authority/reduce/judging'
import { rootOf, streamCodec, streamName } from '@quorate/authority/stream'
import { fromHex, toHex } from '@quorate/core/bytes'
import { decode, encode } from '@quorate/core/codec'
import { isObject, parseJson } from '@quorate/core/json'
import { Ledger, opaqueOf } from '../coordinator/ledger.ts'
import { openDatabase, type Database } from '../database/database.ts'
import { migrate } from '../database/migrate.ts'
import { expectRoot } from './apply.ts'

export type Entered = {
  /** That the database has already. */
  readonly steps: number
  /** That it lacked and that follow; they are in it now if they were to be written. */
  readonly missing: number
  /** Where a stream goes no further, and why. */
  readonly faults: readonly string[]
}

/** Where the steps of the file stand until they have been looked at. */
const scratch = 'quorate_given'
const stepsPerPage = 32

/**
 * Enters the certified steps of a file that a database lacks, as a server keeps those that it has
 * certified itself. Each is believed only if a quorum of the signers has sealed it and it follows by
 * the rules from what stands before it. What else is made of steps, the next start of a server makes.
 *
 * @param file lines as `quorate steps` and `quorate export-log` write them
 * @param options.write or nothing is entered, and it is only said what would be
 * @throws Error when a line is not one of these
 */
export async function enterSteps(
  url: string,
  rules: Rules,
  file: string,
  options: { readonly write: boolean },
): Promise<Entered> {
  const database = openDatabase(url, (error) => {
    throw error
  })
  try {
    await migrate(database)
    await sql.raw(`drop schema if exists ${scratch} cascade`).execute(database)
    await sql.raw(`create schema ${scratch}`).execute(database)
    await sql.raw(`create table ${scratch}.steps (like steps including all)`).execute(database)
    await takeIn(database, file)
    const sum = { steps: 0, missing: 0, faults: [] as string[] }
    for (const places of (await placesIn(database)).values()) {
      const history = new History()
      for (const place of places) {
        const { steps, missing, fault } = await enter({ database, history, rules }, place, options)
        sum.steps += steps
        sum.missing += missing
        if (fault !== undefined) sum.faults.push(fault)
      }
    }
    return sum
  } finally {
    await sql.raw(`drop schema if exists ${scratch} cascade`).execute(database)
    await database.destroy()
  }
}

const given = sql.raw(`${scratch}.steps`)

async function takeIn(database: Database, file: string): Promise<void> {
  const lines = createInterface({ input: createReadStream(file, 'utf8'), crlfDelay: Infinity })
  let number = 0
  for await (const line of lines) {
    number += 1
    const row = rowOf(line, `line ${number} of the file`)
    if (row === undefined) continue
    await sql`insert into ${given} (organization, stream, seq, hash, time, body, certificate)
      values (${row.organization}, ${row.stream}, ${row.seq}, ${row.hash}, ${row.time}, ${row.body},
        ${row.certificate}) on conflict do nothing`.execute(database)
  }
}

/** Nothing of a line that an exported log has besides: its first one, and signatures. */
function rowOf(line: string, where: string) {
  try {
    const read = parseJson(line)
    if (!isObject(read)) throw new Error('no object')
    if (read['step'] === undefined) return undefined
    const { step: said } = read
    if (!isObject(said) || typeof said['body'] !== 'string') throw new Error('no body')
    if (typeof said['certificate'] !== 'string') throw new Error('no certificate')
    const [body, certificate] = [fromHex(said['body']), fromHex(said['certificate'])]
    decode(certificateCodec, certificate)
    const { step, hash } = decodeBody(body)
    const { organization, seq, time } = step
    return {
      organization,
      stream: encode(streamCodec, step.stream),
      seq,
      hash,
      time,
      body,
      certificate,
    }
  } catch (cause) {
    throw new Error(`${where} is no step`, { cause })
  }
}

/** The streams of each organization, its root first: the others rest on it. */
async function placesIn(database: Database): Promise<ReadonlyMap<string, readonly Subject[]>> {
  const { rows } = await sql<{ organization: Uint8Array; stream: Uint8Array }>`
    select organization, stream from steps union select organization, stream from ${given}
    order by organization, stream`.execute(database)
  const places = new Map<string, Subject[]>()
  for (const { organization, stream } of rows) {
    const place = { organization, stream: decode(streamCodec, stream) }
    const known = places.get(toHex(organization)) ?? []
    places.set(toHex(organization), known)
    if (streamName(place.stream) === streamName(rootOf(organization))) known.unshift(place)
    else known.push(place)
  }
  return places
}

type Row = {
  readonly body: Uint8Array
  readonly certificate: Uint8Array
  readonly missing: boolean
}
type Into = { readonly database: Database; readonly history: History; readonly rules: Rules }

async function enter(
  { database, history, rules }: Into,
  place: Subject,
  { write }: { readonly write: boolean },
): Promise<{ readonly steps: number; readonly missing: number; readonly fault?: string }> {
  const ledger = new Ledger(database)
  const count = { steps: 0, missing: 0 }
  for (let seq = 0; ;) {
    const { rows } = await page(place, seq).execute(database)
    for (const { body, certificate: encoded, missing } of rows) {
      const certificate = decode(certificateCodec, encoded)
      const outcome = follow(history, decodeBody(body), certificate, rules)
      if (!outcome.ok) {
        const name = `${toHex(place.organization)} ${streamName(place.stream)} ${seq}`
        return { ...count, fault: `${name}: ${outcome.reason}` }
      }
      if (missing && write) {
        if (seq === 0) await expectRoot(database, place.organization)
        await ledger.keep(place, opaqueOf(body), { certificate, writes: outcome.writes })
      }
      count[missing ? 'missing' : 'steps'] += 1
      seq += 1
    }
    if (rows.length < stepsPerPage) return count
  }
}

/** Where the database has a step, that one counts: a file may hold what was erased since. */
function page({ organization, stream }: Subject, seq: number) {
  const of = (one: RawBuilder<unknown>) =>
    sql`${one}.organization = ${organization} and ${one}.stream = ${encode(streamCodec, stream)}
      and ${one}.seq >= ${seq}`
  return sql<Row>`
    select body, certificate, missing from (
      select seq, body, certificate, false as missing from steps where ${of(sql.raw('steps'))}
      union all
      select seq, body, certificate, true as missing from ${given} as one
      where ${of(sql.raw('one'))} and not exists (select 1 from steps where
        steps.organization = one.organization and steps.stream = one.stream and steps.seq = one.seq)
    ) as either order by seq limit ${stepsPerPage}`
}
