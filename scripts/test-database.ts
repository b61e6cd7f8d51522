import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { type RunningPostgres, startPostgres } from './postgres.ts'
import { testClusterUrl } from './settings.ts'

export type TestDatabase = { readonly url: string; drop(): Promise<void> }

export type Template = {
  /** One per schema. Databases that name it are copies of one that `fill` filled. */
  readonly name: string
  readonly fill: (url: string) => Promise<void>
}

/**
 * An empty database for one test file, or a copy of a template: on the cluster that `npm test`
 * started for the whole run, else on one of this process that ends with it.
 */
export async function createTestDatabase(
  options: { readonly template?: Template } = {},
): Promise<TestDatabase> {
  const cluster = await enterCluster()
  try {
    const name = `test_${randomBytes(8).toString('hex')}`
    const { template } = options
    if (template !== undefined) await makeTemplate(cluster.url, template)
    const source = template === undefined ? 'template0' : templateName(template)
    await runSql(cluster.url, `create database ${name} template ${source}`)
    const drop = async () => {
      await dropDatabase(cluster.url, name)
      await cluster.leave()
    }
    return { url: databaseUrl(cluster.url, name), drop }
  } catch (error) {
    await cluster.leave()
    throw error
  }
}

const templateName = ({ name }: Template) => {
  if (!/^[a-z0-9_]{1,40}$/.test(name)) throw new Error(`${name} cannot name a template`)
  return `template_${name}`
}

/** Whoever comes first fills it; the others wait. Test files are processes, so the lock is in SQL. */
async function makeTemplate(clusterUrl: string, template: Template): Promise<void> {
  const name = templateName(template)
  const client = new pg.Client({ connectionString: clusterUrl })
  await client.connect()
  try {
    await client.query('select pg_advisory_lock(hashtext($1))', [name])
    const found = await client.query('select 1 from pg_database where datname = $1', [name])
    if (found.rowCount === 1) return
    const draft = `${name}_draft`
    await client.query(`drop database if exists ${draft} with (force)`)
    await client.query(`create database ${draft} template template0`)
    await template.fill(databaseUrl(clusterUrl, draft))
    await client.query(`alter database ${draft} rename to ${name}`)
  } finally {
    await client.end()
  }
}

/** A client that has said goodbye may still be there for a moment; one that has not is cut off. */
async function dropDatabase(clusterUrl: string, name: string): Promise<void> {
  const client = new pg.Client({ connectionString: clusterUrl })
  await client.connect()
  try {
    const deadline = Date.now() + goodbyeMsMax
    const count = 'select count(*)::int as count from pg_stat_activity where datname = $1'
    while ((await client.query(count, [name])).rows[0].count > 0 && Date.now() < deadline)
      await sleep(20)
    await client.query(`drop database if exists ${name} with (force)`)
  } finally {
    await client.end()
  }
}
const goodbyeMsMax = 2_000

const databaseUrl = (clusterUrl: string, name: string) => clusterUrl.replace(/[^/]*$/, name)

async function runSql(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}

type Cluster = { readonly url: string; leave(): Promise<void> }

async function enterCluster(): Promise<Cluster> {
  const shared = testClusterUrl(process.env)
  if (shared !== undefined) return { url: shared, leave: async () => undefined }
  guests += 1
  own ??= startTestCluster()
  return { url: (await own).url, leave: leaveOwnCluster }
}

let own: Promise<RunningPostgres> | undefined
let guests = 0

async function leaveOwnCluster(): Promise<void> {
  guests -= 1
  if (guests > 0 || own === undefined) return
  const ending = own
  own = undefined
  await (await ending).stop()
}

/** Nothing here outlives the run, so nothing waits for the disk. */
export async function startTestCluster(binDir?: string): Promise<RunningPostgres> {
  const folder = mkdtempSync(join(tmpdir(), 'quorate-test-'))
  const remove = () => rmSync(folder, { recursive: true, force: true })
  try {
    const settings = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }
    const cluster = await startPostgres({ dataDir: join(folder, 'pg'), binDir, settings })
    return { ...cluster, stop: () => cluster.stop().then(remove) }
  } catch (error) {
    remove()
    throw error
  }
}
