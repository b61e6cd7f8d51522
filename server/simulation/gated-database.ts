import type { PostgresPool, PostgresPoolClient, PostgresQueryResult } from 'kysely'
import pg from 'pg'
import type { Told } from '@quorate/chains/testing/audit'
import { toHex } from '@quorate/core/bytes'
import { databaseOver, getTypeParser, type Database } from '../database/database.ts'
import type { Fiber, Life, Schedule } from './schedule.ts'

type Given = (text: string, values: readonly unknown[]) => readonly unknown[]
const unchanged: Given = (_, values) => values

export type Connections = {
  readonly statements: pg.Client
  readonly transactions: pg.Client
  readonly end: () => Promise<void>
}

const settings = {
  // Tables begin empty each time: a plan made then would read them whole for ever.
  ...{ enable_seqscan: 'off', plan_cache_mode: 'force_generic_plan' },
  // What a database counts and shows of itself nobody looks at here.
  ...{ jit: 'off', track_activities: 'off', update_process_title: 'off' },
} as const

export async function connect(url: string): Promise<Connections> {
  const open = async () => {
    const client = new pg.Client({
      connectionString: url,
      types: { getTypeParser },
      pipeline: true,
    })
    await client.connect()
    for (const [name, value] of Object.entries(settings))
      await client.query(`set ${name} = ${value}`)
    return client
  }
  const [statements, transactions] = [await open(), await open()]
  const end = async () => {
    await statements.end()
    await transactions.end()
  }
  return { statements, transactions, end }
}

/** What an event says of an entity. */
export type Said = Pick<Told, 'name' | 'status' | 'hash'>
type Result = PostgresQueryResult<unknown>

/**
 * The real database, as each life of a server sees it: every statement waits for its turn, and a
 * server that dies leaves an open transaction to be rolled back, as its connection would.
 *
 * All of them share two connections, which is enough where one transaction is open at a time.
 */
export class GatedDatabase {
  private readonly schedule: Schedule
  private readonly statements: pg.Client
  private readonly transactions: pg.Client
  private isOpen: Life | undefined
  private untold: Said[] = []
  /** Of each event, once the transaction is in force in which it was written. */
  onTold: (said: Said) => void = () => undefined

  constructor({ statements, transactions }: Connections, schedule: Schedule) {
    this.schedule = schedule
    this.statements = statements
    this.transactions = transactions
  }

  /** For a life, or for nobody: then nothing waits. */
  for(life: Life | undefined, given: Given = unchanged): Database {
    return databaseOver({
      statements: this.poolOf(life, given, this.statements),
      transactions: this.poolOf(life, given, this.transactions),
    })
  }

  /** What it has planned for an earlier world decides nothing in this one. */
  async begin(): Promise<void> {
    for (const client of [this.statements, this.transactions]) await client.query('discard plans')
  }

  /** As the database does when a connection is gone. */
  async abandon(life: Life): Promise<void> {
    if (this.isOpen !== life) return
    this.isOpen = undefined
    this.untold = []
    await this.transactions.query('rollback')
  }

  private poolOf(life: Life | undefined, given: Given, client: pg.Client): PostgresPool {
    const query = (text: string, values: readonly unknown[] = []): Promise<Result> => {
      const run = () => this.run(client, text, given(text, values))
      if (life === undefined) return run()
      const isWrite = /^(?:insert|update|delete|commit|with|\s*with)|insert into/.test(text)
      const isFraming = ['begin', 'commit', 'rollback'].includes(text)
      const { fiber } = this.schedule
      const framed = () => this.frame({ life, fiber, text }, run)
      const asked = { side: 'database' as const, isWrite, place: placeOf(text) }
      return this.schedule.call({ ...asked, run: isFraming ? framed : run })
    }
    const connected = { query: query as PostgresPoolClient['query'], release: () => undefined }
    return { options: {}, connect: async () => connected, end: async () => undefined }
  }

  private async frame(
    { life, fiber, text }: { life: Life; fiber: Fiber | undefined; text: string },
    run: () => Promise<Result>,
  ): Promise<Result> {
    // One that was cut off has been rolled back already.
    if (text !== 'begin' && this.isOpen !== life) return noRows
    this.schedule.leaveAlone(text === 'begin' ? fiber : undefined)
    const running = run()
    // Nothing is in its answer, and the statement after it may be on its way already.
    const result = text === 'begin' ? noRows : await running
    this.isOpen = text === 'begin' ? life : undefined
    if (text === 'commit') this.untold.forEach((said) => this.onTold(said))
    this.untold = []
    return result
  }

  private async run(client: pg.Client, text: string, values: readonly unknown[]): Promise<Result> {
    const name = values.length === 0 ? undefined : nameOf(text)
    const asked = { text, values: [...values], ...(name === undefined ? {} : { name }) }
    if (text.startsWith('insert into "outbox"')) this.untold.push(...saidIn(values))
    const result = (await client.query(asked)) as unknown as Result
    const { rows } = result
    return rows.length < 2 || text.includes('order by')
      ? result
      : { ...result, rows: inOrder(rows) }
  }
}

/** A statement is planned once for as long as the connections are there. */
const names = new Map<string, string>()

function nameOf(text: string): string {
  const name = names.get(text) ?? `q${names.size + 1}`
  names.set(text, name)
  return name
}

const noRows = { command: 'SELECT', rowCount: 0, rows: [] } as unknown as Result

const places = new Map<string, string>()

/** The statement's text; lists of any length are one place. */
function placeOf(text: string): string {
  const known = places.get(text)
  if (known !== undefined) return known
  const place = text
    .replaceAll(/\$\d+(?:, \$\d+)*/g, '?')
    .replaceAll(/\s+/g, ' ')
    .trim()
  places.set(text, place)
  return place
}

type Entity = { readonly id: string; readonly status: Told['status']; readonly txHash?: string }

function saidIn(values: readonly unknown[]): readonly Said[] {
  const data = values.find((value) => typeof value === 'string' && value.startsWith('{'))
  if (typeof data !== 'string') return []
  const { transferRequest, transactionRequest } = JSON.parse(data) as Record<string, Entity>
  const entity = transferRequest ?? transactionRequest
  return entity === undefined
    ? []
    : [{ name: entity.id, status: entity.status, hash: entity.txHash }]
}

/** Without an order rows come in any, which a database may choose by what it has done before. */
function inOrder(rows: readonly unknown[]): unknown[] {
  const keyed = rows.map((row) => ({ row, key: Object.values(Object(row)).map(textOf).join(' ') }))
  return keyed.toSorted((a, b) => (a.key < b.key ? -1 : 1)).map(({ row }) => row)
}

function textOf(value: unknown): string {
  return value instanceof Uint8Array ? toHex(value) : String(value)
}
