import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { TestDatabase } from '@quorate/scripts/test-database'
import { sql } from 'kysely'
import { type Database, openDatabase } from '../database/database.ts'
import { rowsRead } from '../database/testing/rows-read.ts'
import { createServerDatabase } from '../testing/database.ts'
import { overBudget } from './budget.ts'

const [organization, feeSponsor] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)]
const day = 24 * 60 * 60_000
const users = 2_000

describe('what a fee sponsor has spent within a day', () => {
  let home: TestDatabase
  let database: Database
  before(async () => {
    home = await createServerDatabase()
    database = openDatabase(home.url, (error) => assert.fail(error))
    // Ten for each user, of which two outbid others for the same request, and one is of the day before.
    await sql`insert into outgoing (organization, id, kind, name, wallet, wallet_id, key, public_key, network,
        address, request, user_id, evidence, execute_before, names_slot, state, attempts, lease_until,
        created_at, bid, sponsored, fee_sponsor, signed, cost)
      select ${organization}, int4send(i), 'sponsorship', i::text, '', '', '', '', '', '', '', 'us-' || i % ${users}::int,
        '', 0, false, 'confirmed', 0, 0, case when i < ${users}::int then 0 else ${day}::int end, i,
        int4send(least(i, 7 * ${users}::int + i % ${users}::int)), ${feeSponsor}, '', '100'
      from generate_series(0, 10 * ${users}::int - 1) i`.execute(database)
    await sql`analyze outgoing`.execute(database)
  })
  after(async () => {
    await database.destroy()
    await home.drop()
  })

  const asked = (some: Database, limits: object, fee: bigint) => {
    const row = { organization, fee_sponsor: feeSponsor, user_id: 'us-7' }
    type Given = Parameters<typeof overBudget>
    return overBudget(
      { database: some, now: day + 1 } as Given[0],
      row as Given[1],
      { record: { limits } } as Given[2],
      fee,
    )
  }

  it('for a user is the dearest of each request, and found without reading what it spent for others', async () => {
    const read = await rowsRead(database, 'outgoing', async (some) => {
      assert.equal(await asked(some, { perUserPerDay: 750n }, 50n), undefined)
      assert.match((await asked(some, { perUserPerDay: 750n }, 51n)) ?? '', /has 50 left for a day/)
    })
    assert.ok(read <= 2 * 10, `${read} were read`)
  })

  it('for all of them is the sum', async () => {
    const perDay = BigInt(users) * 700n
    assert.equal(await asked(database, { perDay: perDay + 9n }, 9n), undefined)
    assert.match((await asked(database, { perDay }, 9n)) ?? '', /has 0 left/)
  })
})
