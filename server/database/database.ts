import { setTimeout as sleep } from 'node:timers/promises'
import { Kysely, PostgresDialect, type PostgresPool, type Transaction } from 'kysely'
import pg from 'pg'
import { preparing } from './prepared.ts'
import type { Tables } from './tables.ts'

export type Database = Kysely<Tables>
export type DatabaseTransaction = Transaction<Tables>

/** In each of two pools; more callers wait: PostgreSQL is fastest with a few per core. */
const connectionsMax = 8
const connectMsMax = 5_000

export type Limits = {
  /** After which PostgreSQL breaks a statement off, but where `liftLimit` has lifted it. */
  readonly statementMsMax: number
  /** How much longer its answer may take: whoever does not hear of a statement by then never will. */
  readonly answerMsMax: number
}
/** No statement here reads more than a page of rows. */
const usual: Limits = { statementMsMax: 10_000, answerMsMax: 5_000 }

/** Nothing but statements happens in a transaction, so whoever sends none for so long is gone. */
const idleInTransactionMsMax = 30_000
const keepAliveMs = 10_000
/**
 * A machine that is gone says no goodbye, and what it has locked stays so until PostgreSQL gives it up: in less
 * than a minute, in place of the hours of most systems (PostgreSQL manual, 19.3.2). An `options` of the URL
 * is taken in place of this one.
 */
const givingUp = [
  'tcp_keepalives_idle=10',
  'tcp_keepalives_interval=10',
  'tcp_keepalives_count=3',
  'tcp_user_timeout=40000',
]

/** @param report an idle connection that broke; the pool has dropped it already */
export function openDatabase(
  url: string,
  report: (error: Error) => void,
  { statementMsMax, answerMsMax }: Limits = usual,
): Database {
  const open = () => {
    const pool = new pg.Pool({
      connectionString: url,
      max: connectionsMax,
      connectionTimeoutMillis: connectMsMax,
      statement_timeout: statementMsMax,
      idle_in_transaction_session_timeout: idleInTransactionMsMax,
      // A statement without a limit waits for as long as the other side answers these.
      ...{ keepAlive: true, keepAliveInitialDelayMillis: keepAliveMs },
      options: givingUp.map((setting) => `-c ${setting}`).join(' '),
      types: { getTypeParser },
    })
    pool.on('error', report)
    // One that breaks while somebody has it, between two statements, would else end the process.
    pool.on('connect', (client) => client.on('error', report))
    return preparing(pool, statementMsMax + answerMsMax)
  }
  return databaseOver({ statements: open(), transactions: open() })
}

export function databaseOver(pools: {
  readonly statements: PostgresPool
  readonly transactions: PostgresPool
}): Database {
  const dialectOver = (pool: PostgresPool) => new PostgresDialect({ pool })
  return new TwoPools(dialectOver(pools.statements), dialectOver(pools.transactions))
}

/**
 * Transactions have connections of their own. A transaction that is under way may have to read the
 * log first, by a statement beside it: in one pool, as many such transactions as it has connections
 * would hold them all, and each would wait for one more.
 */
class TwoPools extends Kysely<Tables> {
  private readonly forTransactions: Kysely<Tables>

  constructor(statements: PostgresDialect, transactions: PostgresDialect) {
    super({ dialect: statements })
    this.forTransactions = new Kysely({ dialect: transactions })
  }

  override transaction() {
    return this.forTransactions.transaction()
  }

  override async destroy(): Promise<void> {
    await Promise.all([super.destroy(), this.forTransactions.destroy()])
  }
}

/** Attempts of one transaction, on engines where conflicts are how isolation works. */
const attemptsMax = 8
const backOffMs = 5
/** Serialization failure and deadlock: the same transaction may well succeed a moment later. */
const passing: ReadonlySet<unknown> = new Set(['40001', '40P01'])

/** `run` may run several times: nothing but statements belongs into it. */
export async function inTransaction<T>(
  database: Database,
  run: (transaction: DatabaseTransaction) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await database.transaction().execute(run)
    } catch (error) {
      if (attempt >= attemptsMax || !isPassing(error)) throw error
      await sleep(Math.random() * backOffMs * 2 ** attempt)
    }
  }
}

function isPassing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && passing.has(error.code)
}

const [byteaType, int8Type] = [17, 20]

/** Engines differ in how they send an int8; here it is a number, or the row is not readable. */
export function getTypeParser(
  type: number,
  format?: 'text' | 'binary',
): (value: string) => unknown {
  const usual: (value: string) => unknown = pg.types.getTypeParser(type, format ?? 'text')
  if (type === int8Type) return safeInteger
  if (type === byteaType) return (value) => new Uint8Array(usual(value) as Buffer)
  return usual
}

function safeInteger(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new RangeError('An int8 of the database is too large.')
  return value
}
