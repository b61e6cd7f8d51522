import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import type { BenchPlatform } from './platform.ts'

/** PostgreSQL's log reaches the file through a pipe. */
const loggedWithinMs = 500

/**
 * How PostgreSQL really served the list queries that `request` caused in the running server: its
 * own `auto_explain` says so, with the parameters the server gave. Says which indexes, whether any
 * whole table was read, and how much was: an index can be read from end to end too.
 */
export async function explainRequests(
  { postgresLog }: BenchPlatform,
  database: pg.Client,
  { table, request }: { readonly table: string; readonly request: () => Promise<void> },
): Promise<string> {
  const name = String((await database.query('select current_database()')).rows[0].current_database)
  await database.query(`alter database ${name} set session_preload_libraries = 'auto_explain'`)
  await database.query(`alter database ${name} set auto_explain.log_min_duration = 0`)
  await database.query(`alter database ${name} set auto_explain.log_analyze = on`)
  await database.query(`alter database ${name} set auto_explain.log_timing = off`)
  await database.query(`alter database ${name} set auto_explain.log_buffers = on`)
  await reconnectServer(database)
  const from = readFileSync(postgresLog, 'utf8').length
  try {
    await request()
    await sleep(loggedWithinMs)
  } finally {
    await database.query(`alter database ${name} reset all`)
    await reconnectServer(database)
  }
  return summaryOf(readFileSync(postgresLog, 'utf8').slice(from), table)
}

/** Settings of a database are for new connections; the server opens them as it needs them. */
async function reconnectServer(database: pg.Client): Promise<void> {
  await database.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and pid <> pg_backend_pid() and state = 'idle'`,
  )
  await sleep(loggedWithinMs)
}

/** Entries begin at the left margin; what belongs to one is indented. */
function plansIn(log: string, table: string): readonly string[] {
  // Of an organization, a page at a time: what workers look for is of none.
  const isOfList = new RegExp(
    `Query Text: select [^\\n]* from "${table}" [^\\n]*"organization" = \\$\\d[^\\n]* limit `,
  )
  return log.split(/\n(?=\S)/).filter((entry) => isOfList.test(entry))
}

/** Of the plans of lists of this table, in the order of their queries. */
export function summaryOf(log: string, table: string): string {
  const plans = plansIn(log, table)
  if (plans.length === 0) return 'how PostgreSQL served it is not known: it logged no plan'
  const text = plans.join('\n')
  const all = (form: RegExp) => [...new Set([...text.matchAll(form)].map(([, name]) => name))]
  const scanned = all(/Seq Scan on (\w+)/g)
  const used = all(/(?:Index|Index Only) Scan (?:Backward )?using (\w+)/g)
  const sorts = all(/(Sort Method): /g)
  const whole =
    scanned.length > 0 ? `SEQUENTIAL SCAN of ${scanned.join(', ')}` : 'no sequential scan'
  const sorted = sorts.length > 0 ? ', SORTED' : ', no sort'
  const blocks = plans.map(blocksIn).join(', ')
  return `${whole}${sorted}; by ${used.join(', ')}; 8 kB blocks read: ${blocks}`
}

/** Of the whole query: the plan's topmost node comes first and includes all below it. */
function blocksIn(plan: string): number {
  const [, hit = 0, read = 0] = /Buffers: shared(?: hit=(\d+))?(?: read=(\d+))?/.exec(plan) ?? []
  return Number(hit) + Number(read)
}
