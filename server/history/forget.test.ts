import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import type { TestDatabase } from '@quorate/scripts/test-database'
import { sql } from 'kysely'
import { openChains } from '../chain/chains.ts'
import { type Database, openDatabase } from '../database/database.ts'
import { forbidMany } from '../database/testing/bites.ts'
import { createServerDatabase } from '../testing/database.ts'
import { newFollower, takeLease } from './follower.ts'
import { forgetHeaders } from './forget.ts'
import { addWallet, network } from './testing/payments.ts'

const nodes = new Map([[network, { rpcUrl: 'http://127.0.0.1:9', confirmations: 1 }]])
const chain = openChains(nodes).find(network)
const follower = newFollower(chain)
/** Of five minutes each: a week has 2,016 of them. */
const tip = 5_000
const [seconds, now] = [300, tip * 300_000]

describe('headers that nothing rests on any more', () => {
  let home: TestDatabase
  let database: Database
  before(async () => {
    home = await createServerDatabase()
    database = openDatabase(home.url, (error) => assert.fail(error))
    await addWallet(database)
    await forbidMany(database, 'block_headers', 1_000)
  })
  beforeEach(async () => {
    for (const table of ['block_headers', 'history', 'chain_heads'] as const)
      await sql`truncate ${sql.table(table)}`.execute(database)
    await sql`update balances set block_number = null`.execute(database)
    await sql`insert into block_headers (network, hash, number, parent_hash, time, canonical)
      select ${network}, '0x' || i, i, '0x' || (i - 1), i * ${seconds}::int, true
      from generate_series(0, ${tip}::int) i`.execute(database)
    await takeLease(database, follower, now)
  })
  after(async () => {
    await database.destroy()
    await home.drop()
  })

  const forget = (by = follower, at = now) => forgetHeaders({ database, now: () => at }, by)
  async function left(): Promise<{ readonly count: number; readonly from: number }> {
    const { rows } = await sql<{ count: number; from: number }>`
      select count(*) as count, min(number) filter (where number >= 64) as from
      from block_headers`.execute(database)
    assert.ok(rows[0])
    return rows[0]
  }
  async function forgotten(): Promise<number> {
    while ((await forget()) === 'more');
    const { count, from } = await left()
    // The first ones stay, and there is no gap after.
    assert.equal(count, 64 + tip - from + 1)
    return from
  }
  const move = (block: number, hash = `0x${block}`) =>
    sql`insert into history (organization, wallet, id, network, block_hash, block_number, hash,
        index, kind, direction, sender, value, time, canonical, told)
      select organization, id, int4send(${block}), network, ${hash}, ${block}, '0xaa', 0,
        'NativeTransfer', 'In', '0x5a', '1', 0, true, false from wallets`.execute(database)

  it('are deleted after a week, some at a time, also those of no chain any more', async () => {
    await sql`insert into block_headers (network, hash, number, parent_hash, time, canonical)
      values (${network}, '0xold', 100, '0x99', 30000, false)`.execute(database)
    assert.deepEqual([await forget(), (await left()).from], ['more', 100])
    assert.equal(await forgotten(), tip - 7 * 24 * 12)
  })

  it('are none that a reorganization may reach, however old', async () => {
    for (let i = 0; i <= tip; i += 1_000)
      await sql`update block_headers set time = 0
        where number >= ${i} and number < ${i + 1_000}`.execute(database)
    assert.equal(await forgotten(), tip - 1 - 64)
  })

  it('are none since any balance was compared', async () => {
    await sql`update balances set block_number = 700`.execute(database)
    assert.equal(await forgotten(), 700)
  })

  it('are none since a movement that is still to be told of', async () => {
    // Of a chain that was here before.
    await move(70, '0xgone')
    await move(800)
    assert.equal(await forgotten(), 800)
    await sql`update history set told = true`.execute(database)
    assert.equal(await forgotten(), tip - 7 * 24 * 12)
  })

  it('are deleted by nobody but who follows the chain', async () => {
    const other = newFollower(chain)
    assert.equal(await forget(other), 'idle')
    assert.equal(await forget(follower, now + 60_000), 'idle')
    assert.equal((await left()).count, tip + 1)
  })

  it('are none of a chain of which nothing is held', async () => {
    await sql`truncate block_headers`.execute(database)
    assert.equal(await forget(), 'idle')
  })
})
