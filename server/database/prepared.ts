import type { PostgresPool, PostgresPoolClient, PostgresQueryResult } from 'kysely'
import type pg from 'pg'
import { lifting } from './limit.ts'

/**
 * Texts that are prepared: each connection keeps a plan of each. A server has some three hundred; lists
 * of different lengths are different texts, and whatever comes after this many is planned each time.
 */
const textsMax = 1_000
/** "cached plan must not change result type": another release has changed a table meanwhile. */
const planChanged = '0A000'

/**
 * U+0000 is in no text that PostgreSQL keeps, and no request may have it; a log that somebody else has written
 * may, and what it says has to be applied all the same.
 */
function keepable(value: unknown): unknown {
  if (typeof value === 'string')
    return value.includes('\0') ? value.replaceAll('\0', '\uFFFD') : value
  return Array.isArray(value) ? value.map(keepable) : value
}

/**
 * A pool whose connections plan a statement once and run it often, which saves PostgreSQL half of what a small
 * statement costs (PostgreSQL manual, PREPARE).
 *
 * @param msMax after which a statement without an answer fails, and its connection with it; not within
 * `liftLimit`. PostgreSQL has broken it off before, unless its machine or the way there is gone
 */
export function preparing(pool: pg.Pool, msMax: number): PostgresPool {
  const names = new Map<string, string>()
  let count = 0
  const nameOf = (text: string): string | undefined => {
    const known = names.get(text)
    if (known !== undefined) return known
    if (names.size >= textsMax) return undefined
    const name = `q${(count += 1)}`
    names.set(text, name)
    return name
  }
  const unlimited = new WeakSet<pg.PoolClient>()
  const run = async <R>(client: pg.PoolClient, text: string, values: readonly unknown[]) => {
    // Without parameters it may be several statements, which cannot be prepared.
    const name = values.length === 0 ? undefined : nameOf(text)
    try {
      const asked = { text, values: values.map(keepable), ...(name === undefined ? {} : { name }) }
      const running = unlimited.has(client) ? client.query(asked) : answered(client, asked, msMax)
      const answer = (await running) as unknown as PostgresQueryResult<R>
      if (text === lifting) unlimited.add(client)
      return answer
    } catch (error) {
      // Under another name it is planned anew.
      const isStale = error instanceof Error && 'code' in error && error.code === planChanged
      if (isStale) names.delete(text)
      throw error
    }
  }
  const wrapped = new WeakMap<pg.PoolClient, PostgresPoolClient>()
  const wrap = (client: pg.PoolClient): PostgresPoolClient => {
    const query = ((text: string, values: readonly unknown[]) =>
      run(client, text, values)) as PostgresPoolClient['query']
    const release = (destroy?: boolean) => {
      unlimited.delete(client)
      client.release(destroy)
    }
    return { query, release }
  }
  return {
    options: pool.options,
    end: () => pool.end(),
    connect: async () => {
      const client = await pool.connect()
      const known = wrapped.get(client) ?? wrap(client)
      wrapped.set(client, known)
      return known
    },
  }
}

/** Connections that were cut off: whatever is asked of them afterwards, such as a rollback, fails as well. */
const silent = new WeakMap<pg.PoolClient, Error>()

/** One that is ended while it works is cut off, and the pool makes another. */
async function answered(
  client: pg.PoolClient,
  asked: pg.QueryConfig,
  msMax: number,
): Promise<pg.QueryResult> {
  const deadline = setTimeout(() => {
    silent.set(client, new Error(`the database has not answered for ${msMax} ms`))
    void client.end()
  }, msMax)
  try {
    return await client.query(asked)
  } catch (error) {
    throw silent.get(client) ?? error
  } finally {
    clearTimeout(deadline)
  }
}
