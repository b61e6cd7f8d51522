import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readlinkSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import pg from 'pg'
import { findPostgres } from './postgres-binaries.ts'
import { choosePostgresUser, type Powers } from './postgres-user.ts'
import { startPostgres } from './postgres.ts'
import { createTestDatabase } from './test-database.ts'

const folder = mkdtempSync(join(tmpdir(), 'quorate-postgres-test-'))
after(() => rmSync(folder, { recursive: true, force: true }))

describe('the embedded PostgreSQL', () => {
  it('syncs commits, listens on a private socket only, and keeps its data', async () => {
    const dataDir = join(folder, 'kept')
    const first = await startPostgres({ dataDir })
    const setting = async (name: string) => (await rows(first.url, `show ${name}`))[0]?.[name]
    assert.equal(await setting('fsync'), 'on')
    assert.equal(await setting('listen_addresses'), '')
    assert.equal(await setting('server_encoding'), 'UTF8')
    const [database] = await rows(
      first.url,
      "select datcollate from pg_database where datname = 'quorate'",
    )
    assert.equal(database?.['datcollate'], 'C')
    await rows(first.url, 'create table kept as select 42 as answer')
    await first.stop()
    assert.equal(await first.exited, 'exit code 0')

    const second = await startPostgres({ dataDir })
    assert.deepEqual(await rows(second.url, 'select * from kept'), [{ answer: 42 }])
    await second.stop()
  })

  it('lets nobody in without the password', async () => {
    const { url, stop } = await startPostgres({ dataDir: join(folder, 'kept') })
    await assert.rejects(rows(url.replace(/:[0-9a-f]{48}@/, ':guess@'), 'select 1'), /password/)
    await stop()
  })

  it('ends a server that an earlier start has left behind on its folder', async () => {
    const dataDir = join(folder, 'kept')
    const leftover = await startPostgres({ dataDir })
    const next = await startPostgres({ dataDir })
    assert.equal(await leftover.exited, 'exit code 0')
    assert.deepEqual(await rows(next.url, 'select * from kept'), [{ answer: 42 }])
    await next.stop()
  })

  it('starts over the lock file of a process number that is now another program', async () => {
    const dataDir = join(folder, 'kept')
    const lock = `${process.pid}\n${dataDir}/cluster\n1\n5432\n/tmp\n\n`
    writeFileSync(join(dataDir, 'cluster', 'postmaster.pid'), lock)
    const next = await startPostgres({ dataDir })
    await next.stop()
  })

  it('mends an installation that came without its links', async () => {
    const root = join(folder, 'unlinked')
    cpSync(findPostgres(undefined).root, root, { recursive: true, verbatimSymlinks: true })
    unlinkSync(join(root, 'lib', 'libicudata.so.60'))
    const found = { root, embedded: true }
    const isRoot = process.getuid?.() === 0
    choosePostgresUser(found, join(folder, 'any'), { ...powers, isRoot })
    assert.equal(readlinkSync(join(root, 'lib', 'libicudata.so.60')), 'libicudata.so.60.2')
  })

  it('says that a folder named by QUORATE_POSTGRES_BIN holds no PostgreSQL', () => {
    assert.throws(() => findPostgres('/usr/share'), /QUORATE_POSTGRES_BIN is not valid: .*postgres/)
  })
})

const powers: Powers = {
  isRoot: true,
  canRunAsNobody: () => true,
  canWriteAsNobody: () => true,
  canRunInNamespace: () => true,
}

describe(
  'for root, PostgreSQL',
  { skip: process.getuid?.() !== 0 && 'only root can show this' },
  () => {
    const choose = (what: Partial<Powers>) =>
      choosePostgresUser(findPostgres(undefined), join(folder, 'rooted'), { ...powers, ...what })

    it('runs as nobody where nobody can reach binaries and data', () => {
      assert.deepEqual(choose({}), { ...choose({}), uid: 65534, copied: false, prefix: [] })
    })

    it('runs from a copy where nobody cannot reach the binaries', () => {
      const user = choose({ canRunAsNobody: () => false })
      assert.ok(user.copied && user.uid === 65534)
      rmSync(user.root, { recursive: true })
    })

    it('runs in a user namespace where nobody cannot reach the data', () => {
      const { uid, prefix } = choose({ canWriteAsNobody: () => false })
      assert.deepEqual({ uid, command: prefix[0] }, { uid: undefined, command: 'unshare' })
    })

    it('says in one sentence what to change when there is no way', () => {
      assert.throws(
        () => choose({ canWriteAsNobody: () => false, canRunInNamespace: () => false }),
        /does not run as root .*: set QUORATE_DATA to a folder outside private homes/,
      )
    })
  },
)

describe('a test database', () => {
  it('is empty, its own, and gone afterwards', async () => {
    const [one, two] = [await createTestDatabase(), await createTestDatabase()]
    await rows(one.url, 'create table mine as select 1 as one')
    await assert.rejects(rows(two.url, 'select * from mine'), /does not exist/)
    await one.drop()
    await assert.rejects(rows(one.url, 'select 1'))
    await two.drop()
  })

  it('is a copy of its template, which is filled once however many ask at once', async () => {
    let fills = 0
    const fill = async (url: string) => {
      fills += 1
      await rows(url, 'create table ready as select 7 as seven')
    }
    const template = { name: `t${process.pid}`, fill }
    const made = await Promise.all([1, 2, 3].map(() => createTestDatabase({ template })))
    for (const { url } of made)
      assert.deepEqual(await rows(url, 'select * from ready'), [{ seven: 7 }])
    assert.equal(fills, 1)
    await Promise.all(made.map(({ drop }) => drop()))
  })
})

async function rows(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows
  } finally {
    await client.end()
  }
}
