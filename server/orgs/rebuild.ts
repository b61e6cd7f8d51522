import { sql } from 'kysely'
import { decodeBody } from '@quorate/authority/body'
import { follow, History } from '@quorate/authority/history'
import type { Rules } from '@quorate/authority/reduce/judging'
import { rootOf, streamCodec, streamName } from '@quorate/authority/stream'
import { toHex } from '@quorate/core/bytes'
import { decode } from '@quorate/core/codec'
import type { Subject } from '@quorate/authority/agreement/messages'
import { Ledger, opaqueOf } from '../coordinator/ledger.ts'
import { openDatabase, type Database, type DatabaseTransaction } from '../database/database.ts'
import { liftLimit } from '../database/limit.ts'
import { migrate } from '../database/migrate.ts'
import { applyRoot } from './apply.ts'
import { origins, type Origin } from './derived.ts'

export type Rebuilt = {
  readonly steps: number
  readonly differences: readonly string[]
}

/** Where the rebuilt tables stand until they have been compared. */
const scratch = 'quorate_rebuild'
const stepsPerPage = 32

/**
 * Replays all steps of a database into tables of their own, makes rows of them by the code that
 * makes all rows, and compares what came of it. What holds secrets, mail, or money that is under
 * way follows from no log and is left alone.
 *
 * @param options.write replaces what differs, at once, unless a step does not follow
 * @throws Error when the log has grown meanwhile: a server is running
 */
export async function rebuildDatabase(
  url: string,
  rules: Rules,
  options: { readonly write: boolean },
): Promise<Rebuilt> {
  const broken = (error: Error): never => {
    throw error
  }
  const database = openDatabase(url, broken)
  const beside = openDatabase(withSearchPath(url), broken)
  try {
    await sql.raw(`drop schema if exists ${scratch} cascade`).execute(database)
    await sql.raw(`create schema ${scratch}`).execute(database)
    await migrate(beside)
    const replayed = await replayAll(database, beside, rules)
    if (replayed.differences.length > 0) return replayed
    const differences = await database
      .transaction()
      .setIsolationLevel('repeatable read')
      .execute((transaction) => settle(transaction, replayed.steps, options))
    return { steps: replayed.steps, differences }
  } finally {
    await beside.destroy()
    await sql.raw(`drop schema if exists ${scratch} cascade`).execute(database)
    await database.destroy()
  }
}

function withSearchPath(url: string): string {
  const scratched = new URL(url)
  scratched.searchParams.set('options', `-c search_path=${scratch}`)
  return scratched.toString()
}

async function replayAll(database: Database, beside: Database, rules: Rules): Promise<Rebuilt> {
  const differences: string[] = []
  let steps = 0
  for (const [organization, places] of await placesIn(database)) {
    const history = new History()
    const into = { ledger: new Ledger(beside), history, rules }
    for (const place of places) {
      const replayed = await replay(new Ledger(database), into, place)
      steps += replayed.steps
      if (replayed.reason === undefined) continue
      differences.push(`${organization} ${streamName(place.stream)} ${replayed.reason}`)
      break
    }
    const [place] = places
    if (place !== undefined) await applyRoot(beside, place.organization)
  }
  return { steps, differences }
}

async function replay(
  from: Ledger,
  { ledger, history, rules }: { ledger: Ledger; history: History; rules: Rules },
  place: Subject,
): Promise<{ readonly steps: number; readonly reason?: string }> {
  for (let seq = 0; ;) {
    const page = await from.steps(place, seq, stepsPerPage)
    for (const { body, certificate } of page) {
      const outcome = follow(history, decodeBody(body), certificate, rules)
      if (!outcome.ok) return { steps: seq, reason: `${seq}: ${outcome.reason}` }
      await ledger.keep(place, opaqueOf(body), { certificate, writes: outcome.writes })
      seq += 1
    }
    if (page.length < stepsPerPage) return { steps: seq }
  }
}

/** The streams of each organization, its root first: the others rest on it. */
async function placesIn(database: Database): Promise<ReadonlyMap<string, readonly Subject[]>> {
  const rows = await database
    .selectFrom('steps')
    .select(['organization', 'stream'])
    .distinct()
    .orderBy('organization')
    .orderBy('stream')
    .execute()
  const places = new Map<string, Subject[]>()
  for (const row of rows) {
    const { organization } = row
    const place = { organization, stream: decode(streamCodec, row.stream) }
    const known = places.get(toHex(organization)) ?? []
    places.set(toHex(organization), known)
    if (streamName(place.stream) === streamName(rootOf(organization))) known.unshift(place)
    else known.push(place)
  }
  return places
}

async function settle(
  transaction: DatabaseTransaction,
  steps: number,
  { write }: { readonly write: boolean },
): Promise<readonly string[]> {
  // As long as it takes: nobody waits for this.
  await liftLimit(transaction)
  const { rows } = await sql<{ schema: string; count: number }>`
    select current_schema() as schema, (select count(*) from steps) as count`.execute(transaction)
  const [found] = rows
  if (found === undefined || found.count !== steps)
    throw new Error('The log has grown meanwhile: stop the server first.')
  const differences: string[] = []
  for (const [name, origin] of Object.entries(origins)) {
    if (origin.is !== 'derived') continue
    const table = { name, origin, schema: found.schema }
    const columns = await columnsOf(transaction, table)
    const differing = await differencesIn(transaction, table, columns)
    differences.push(...differing)
    if (write && differing.length > 0) await replace(transaction, table, columns)
  }
  return differences
}

type Derived = {
  readonly name: string
  readonly schema: string
  readonly origin: Extract<Origin, { is: 'derived' }>
}

/** Those that steps say. */
async function columnsOf(
  transaction: DatabaseTransaction,
  { name, schema, origin }: Derived,
): Promise<readonly string[]> {
  const { rows } = await sql<{ name: string }>`
    select column_name as name from information_schema.columns
    where table_schema = ${schema} and table_name = ${name} order by ordinal_position`.execute(
    transaction,
  )
  return rows.map((row) => row.name).filter((column) => !origin.own.includes(column))
}

/** By table, organization and, where rows have one that says nothing of a person, their name. */
async function differencesIn(
  transaction: DatabaseTransaction,
  table: Derived,
  columns: readonly string[],
): Promise<readonly string[]> {
  const { name, schema } = table
  const [left, right] = [rowsIn(table, schema, columns), rowsIn(table, scratch, columns)]
  const label = labelOf(columns)
  const { rows } = await sql
    .raw<{ organization: Uint8Array; label: string; count: number }>(
      `select coalesce(organization, ''::bytea) as organization, min(${label}) as label,
         count(*) as count
       from ((${left} except ${right}) union all (${right} except ${left})) as differing
       group by 1 order by 1`,
    )
    .execute(transaction)
  return rows.map(
    (row) => `${toHex(row.organization)} ${name}${row.label}: ${row.count} rows differ`,
  )
}

const quoted = (columns: readonly string[]) => columns.map((column) => `"${column}"`).join(', ')

function rowsIn({ name, origin }: Derived, schema: string, columns: readonly string[]): string {
  // The organization's own row calls itself `id`.
  const organization = columns.includes('organization') ? '' : ', "id" as organization'
  const where = origin.where.replace('from keys', `from ${schema}.keys`)
  return `select ${quoted(columns)}${organization} from ${schema}."${name}" where ${where}`
}

/** User names and the like are no label: a report goes where they do not. */
function labelOf(columns: readonly string[]): string {
  if (columns.includes('value') && columns.includes('name')) return `' ' || name || ' at ' || seq`
  return columns.includes('id') ? `' ' || encode(id, 'hex')` : `''`
}

async function replace(
  transaction: DatabaseTransaction,
  { name, schema, origin }: Derived,
  columns: readonly string[],
): Promise<void> {
  const statements = [
    `create temp table kept_rows on commit drop as select * from ${schema}."${name}"`,
    `delete from ${schema}."${name}" where ${origin.where}`,
    `insert into ${schema}."${name}" (${quoted(columns)})
     select ${quoted(columns)} from ${scratch}."${name}" where ${origin.where.replace('from keys', `from ${scratch}.keys`)}`,
    ...origin.own.map(
      (column) =>
        `update ${schema}."${name}" as made set "${column}" = kept_rows."${column}" from kept_rows
         where made.organization = kept_rows.organization and made.id = kept_rows.id`,
    ),
    'drop table kept_rows',
  ]
  for (const statement of statements) await sql.raw(statement).execute(transaction)
}
