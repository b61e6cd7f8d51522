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
  /** Of what the world before has left. */
  readonly empty: (tables: readonly string[]) => Promise<void>
  readonly end: () => Promise<void>
}

/** Whole files are made anew, which takes as long as fifty payments; rows that are deleted slow down who looks among them. */
const worldsPerTruncation = 20

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
  let worlds = 0
  const empty = async (tables: readonly string[]) => {
    // One that was broken off may have left a transaction behind.
    await rollBack(transactions)
    const isTruncated = (worlds += 1) % worldsPerTruncation === 0
    if (isTruncated) await statements.query(`truncate ${tables.join(', ')}`)
    else for (const name of tables) await statements.query(`delete from ${name}`)
  }
  const end = async () => {
    await statements.end()
    await transactions.end()
  }
  return { statements, transactions, empty, end }
}

/** What an event says of an entity. */
export type Said = Pick<Told, 'name' | 'status' | 'hash' | 'reason'>
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

  /** As the database does when a connection is gone. */
  async abandon(life: Life): Promise<void> {
    if (this.isOpen !== life) return
    this.isOpen = undefined
    this.untold = []
    await rollBack(this.transactions)
  }

  private poolOf(life: Life | undefined, given: Given, client: pg.Client): PostgresPool {
    const query = (text: string, values: readonly unknown[] = []): Promise<Result> => {
      const run = () => this.run(client, text, given(text, values))
      if (life === undefined) return run()
      const { fiber } = this.schedule
      const { isWrite, isFraming, place } = statementOf(text)
      const framed = () => this.frame({ life, fiber, text }, run)
      const asked = { side: 'database' as const, isWrite, place }
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
    // Nothing is in its answer: it travels with the statement after it.
    if (text === 'begin') this.transactions.connection.stream.cork()
    const running = run()
    const result = text === 'begin' ? noRows : await running
    this.isOpen = text === 'begin' ? life : undefined
    if (text === 'commit') this.untold.forEach((said) => this.onTold(said))
    this.untold = []
    return result
  }

  private async run(client: pg.Client, text: string, values: readonly unknown[]): Promise<Result> {
    const { name, isOrdered, isEvent } = statementOf(text)
    const asked = { text, values: [...values], ...(values.length === 0 ? {} : { name }) }
    if (isEvent) this.untold.push(...saidIn(values))
    const running = client.query(asked)
    if (text !== 'begin') client.connection.stream.uncork()
    const result = (await running) as unknown as Result
    const { rows } = result
    return rows.length < 2 || isOrdered ? result : { ...result, rows: inOrder(rows) }
  }
}

/** Its beginning may still be on this side. */
async function rollBack(transactions: pg.Client): Promise<void> {
  const running = transactions.query('rollback')
  transactions.connection.stream.uncork()
  await running
}

type Statement = {
  /** Under which it is planned once for as long as the connections are there. */
  readonly name: string
  readonly place: string
  readonly isWrite: boolean
  readonly isFraming: boolean
  readonly isOrdered: boolean
  readonly isEvent: boolean
}
const statements = new Map<string, Statement>()

function statementOf(text: string): Statement {
  const known = statements.get(text) ?? {
    name: `q${statements.size + 1}`,
    place: placeOf(text),
    isWrite: /^(?:insert|update|delete|commit|with|\s*with)|insert into/.test(text),
    isFraming: ['begin', 'commit', 'rollback'].includes(text),
    isOrdered: text.includes('order by'),
    isEvent: text.startsWith('insert into "outbox"'),
  }
  statements.set(text, known)
  return known
}

const noRows = { command: 'SELECT', rowCount: 0, rows: [] } as unknown as Result

/** The statement's text; lists of any length are one place. */
function placeOf(text: string): string {
  return text
    .replaceAll(/\$\d+(?:, \$\d+)*/g, '?')
    .replaceAll(/\s+/g, ' ')
    .trim()
}

type Entity = {
  readonly id: string
  readonly status: Told['status']
  readonly txHash?: string
  readonly reason?: string
}

function saidIn(values: readonly unknown[]): readonly Said[] {
  const data = values.find((value) => typeof value === 'string' && value.startsWith('{'))
  if (typeof data !== 'string') return []
  const { transferRequest, transactionRequest } = JSON.parse(data) as Record<string, Entity>
  const entity = transferRequest ?? transactionRequest
  return entity === undefined
    ? []
    : [{ name: entity.id, status: entity.status, hash: entity.txHash, reason: entity.reason }]
}

/** Without an order rows come in any, which a database may choose by what it has done before. */
function inOrder(rows: readonly unknown[]): unknown[] {
  const keyed = rows.map((row) => ({ row, key: Object.values(Object(row)).map(textOf).join(' ') }))
  return keyed.toSorted((a, b) => (a.key < b.key ? -1 : 1)).map(({ row }) => row)
}

function textOf(value: unknown): string {
  return value instanceof Uint8Array ? toHex(value) : String(value)
}
