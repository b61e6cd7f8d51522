import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { sql } from 'kysely'
import { createTestDatabase, type TestDatabase } from '@quorate/scripts/test-database'
import { type Database, inTransaction, openDatabase } from './database.ts'
import { liftLimit } from './limit.ts'

const limits = { statementMsMax: 300, answerMsMax: 300 }
/** So long that nobody could wait for it who has the limit. */
const longerMs = 900

describe('a database that has fallen silent', { timeout: 60_000 }, () => {
  let home: TestDatabase
  let relay: Awaited<ReturnType<typeof openRelay>>
  let database: Database
  before(async () => {
    home = await createTestDatabase()
    relay = await openRelay(home.url)
    database = openDatabase(relay.url, (error) => assert.fail(error), limits)
  })
  after(async () => {
    await database.destroy()
    relay.close()
    await home.drop()
  })

  const one = () => sql<{ n: number }>`select ${1}::int4 as n`.execute(database)

  it('keeps no statement waiting, and is asked over new connections afterwards', async () => {
    await Promise.all(Array.from({ length: 8 }, one))
    relay.silence()
    const asked = await Promise.allSettled(Array.from({ length: 8 }, one))
    for (const { status } of asked) assert.equal(status, 'rejected')
    await assert.rejects(Promise.reject(Object(asked[0]).reason), /has not answered for 600 ms/)
    relay.speak()
    assert.deepEqual((await Promise.all(Array.from({ length: 9 }, one)))[8]?.rows, [{ n: 1 }])
  })

  it('keeps no transaction waiting, whichever of its statements is under way', async () => {
    const silent = inTransaction(database, async (transaction) => {
      relay.silence()
      await sql`select 1`.execute(transaction)
    })
    await assert.rejects(silent, /has not answered/)
    relay.speak()
    // One that nobody has told to commit.
    const uncommitted = inTransaction(database, async () => relay.silence())
    await assert.rejects(uncommitted, /has not answered/)
    relay.speak()
    const read = inTransaction(database, (transaction) => sql`select 1 as n`.execute(transaction))
    assert.deepEqual((await read).rows, [{ n: 1 }])
  })

  it('is waited for where the limit is lifted, in that transaction alone', async () => {
    const sleeping = sql`select pg_sleep(${longerMs / 1000})`
    const lifted = inTransaction(database, async (transaction) => {
      await liftLimit(transaction)
      await sleeping.execute(transaction)
    })
    await lifted
    const again = inTransaction(database, (transaction) => sleeping.execute(transaction))
    await assert.rejects(again, { code: '57014' })
    await assert.rejects(sleeping.execute(database), { code: '57014' })
  })

  it('gives up whoever holds a transaction and is gone, and his machine', async () => {
    const { rows } = await sql<{ name: string; reset_val: string }>`
      select name, reset_val from pg_settings
      where name like 'tcp%' or name = 'idle_in_transaction_session_timeout'
      order by name`.execute(database)
    const settings = Object.fromEntries(rows.map(({ name, reset_val }) => [name, reset_val]))
    assert.deepEqual(settings, {
      idle_in_transaction_session_timeout: '30000',
      tcp_keepalives_count: '3',
      tcp_keepalives_idle: '10',
      tcp_keepalives_interval: '10',
      tcp_user_timeout: '40000',
    })
  })
})

/** Between the server and PostgreSQL: while it is silent it takes everything, and hands nothing on. */
async function openRelay(url: string) {
  const sockets = new Set<Socket>()
  let isSilent = false
  const server = createServer((here) => {
    const there = connect(`${decodeURIComponent(new URL(url).hostname)}/.s.PGSQL.5432`)
    const pairs: readonly (readonly [Socket, Socket])[] = [
      [here, there],
      [there, here],
    ]
    for (const [from, to] of pairs) {
      // Of connections that were silent once nothing is heard again.
      let isDead = false
      sockets.add(from)
      from.on('data', (bytes) => {
        isDead ||= isSilent
        if (!isDead) to.write(bytes)
      })
      from.on('error', () => undefined)
      from.on('close', () => to.destroy())
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { username, password, pathname } = new URL(url)
  const { port } = server.address() as AddressInfo
  return {
    url: `postgresql://${username}:${password}@127.0.0.1:${port}${pathname}`,
    silence: () => (isSilent = true),
    speak: () => (isSilent = false),
    close: () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}
