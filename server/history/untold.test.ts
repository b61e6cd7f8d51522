import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { createTestDatabase, type TestDatabase } from '@quorate/scripts/test-database'
import { sql } from 'kysely'
import { openChains } from '../chain/chains.ts'
import { type Database, inTransaction, openDatabase } from '../database/database.ts'
import { migrate } from '../database/migrate.ts'
import { newFollower, type Follower } from './follower.ts'
import { tellSettled } from './tell.ts'
import { addWallet, network } from './testing/payments.ts'

const nodes = new Map([[network, { rpcUrl: 'http://127.0.0.1:9', confirmations: 1 }]])
const chain = openChains(nodes).find(network)
const [listed, strange, other] = ['11', '5a', '7c'].map((byte) => `0x${byte.repeat(20)}`)

describe('what is settled and was not told of', () => {
  let home: TestDatabase
  let database: Database
  let follower: Follower
  before(async () => {
    home = await createTestDatabase()
    database = openDatabase(home.url, () => undefined)
    await migrate(database)
    await addWallet(database)
    const said = { kind: 'Erc20', symbol: 'ONE', decimals: 6, checked_at: 1 } as const
    await database
      .insertInto('listed_assets')
      .values({ network, contract: listed ?? '', ...said })
      .execute()
    await sql`insert into block_headers (network, hash, number, parent_hash, time, canonical)
      select ${network}, '0x' || i, i, '0x' || (i - 1), i, true from generate_series(1, 9) i`.execute(
      database,
    )
  })
  beforeEach(async () => {
    follower = newFollower(chain)
    for (const table of ['history', 'outbox', 'token_words'] as const)
      await database.deleteFrom(table).execute()
  })
  after(async () => {
    await database.destroy()
    await home.drop()
  })

  it('is told of at once where it is not much, oldest first, and once', async () => {
    await add(strange, { count: 30, block: 5 })
    await add(null, { count: 1, block: 4 })
    assert.equal(await look(), 'all')
    assert.deepEqual(await told(), { native: 1, [String(strange)]: 30 })
    const events = await database.selectFrom('outbox').select('data').orderBy('id').execute()
    const kinds = events.map(({ data }) => JSON.parse(data).blockchainEvent.kind)
    assert.deepEqual([kinds.length, kinds[0]], [31, 'NativeTransfer'])
    assert.equal(await look(), 'all')
    assert.equal((await database.selectFrom('outbox').select('id').execute()).length, 31)
  })

  it('waits for nothing that one stranger has moved tens of thousands of', async () => {
    await add(strange, { count: 9_000, block: 5 })
    await add(null, { count: 30, block: 7 })
    await add(listed, { count: 30, block: 8 })
    await add(other, { count: 50, block: 6 })
    assert.equal(await look(), 'more')
    const counts = await told()
    assert.deepEqual(
      [counts['native'], counts[String(listed)], counts[String(other)]],
      [30, 30, 20],
    )
    assert.equal(counts[String(strange)], 2_000 - 80)
    while ((await look()) === 'more');
    assert.equal((await told())[String(strange)], 9_000)
  })

  it('has its turn though a stranger has moved as much of each of a hundred contracts', async () => {
    await sql`insert into token_words (network, contract, asked_at)
      values (${network}, ${other}, 1)`.execute(database)
    for (let i = 0; i < 100; i++)
      await add(`0x00${String(i).padStart(38, '0')}`, { count: 200, block: 5 })
    await add(other, { count: 10, block: 7 })
    for (let looks = 0; looks < 3; looks++) assert.equal(await look(), 'more')
    assert.equal((await told())[String(other)], 10)
  })

  it('is of one contract, and of all that is known, told of in its order', async () => {
    await add(strange, { count: 3_000, block: 5 })
    for (const block of [2, 6]) {
      await add(null, { count: 800, block })
      await add(listed, { count: 800, block: block + 1 })
    }
    for (let more = true; more;) {
      more = (await look()) === 'more'
      const { rows } = await sql<{ readonly isLate: boolean | null }>`
        select max(block_number) filter (where told) > min(block_number) filter (where not told) "isLate"
        from history group by coalesce(contract, '') = ${strange}`.execute(database)
      assert.ok(rows.length > 0 && rows.every(({ isLate }) => isLate !== true))
    }
  })

  it('waits some minutes for what its contract says, and no longer', async () => {
    await sql`insert into token_words (network, contract, met_at) values
      (${network}, ${strange}, 1000), (${network}, ${listed}, 1000)`.execute(database)
    await add(strange, { count: 1, block: 5 })
    for (const contract of [null, listed, other]) await add(contract, { count: 1, block: 6 })
    const others = { native: 1, [String(listed)]: 1, [String(other)]: 1 }
    await look(1_001)
    assert.deepEqual(await told(), others, 'what is listed does not wait')
    await look(1_000 + 5 * 60_000 - 1)
    assert.deepEqual(await told(), others)
    await look(1_000 + 5 * 60_000)
    assert.deepEqual(await told(), { ...others, [String(strange)]: 1 })
  })

  it('waits no longer once its contract has answered, and of what is much likewise', async () => {
    await sql`insert into token_words (network, contract, met_at)
      values (${network}, ${strange}, 1000)`.execute(database)
    await add(strange, { count: 30, block: 5 })
    await add(other, { count: 3_000, block: 6 })
    while ((await look(1_001)) === 'more');
    assert.deepEqual(await told(), { [String(other)]: 3_000 })
    await sql`update token_words set asked_at = 2, symbol = 'WRD', decimals = 6`.execute(database)
    await look(1_002)
    const { data } = await database
      .selectFrom('outbox')
      .select('data')
      .orderBy('id', 'desc')
      .limit(1)
      .executeTakeFirstOrThrow()
    const { decimals, metadata } = JSON.parse(data).blockchainEvent
    assert.deepEqual([decimals, metadata.asset.decimals], [6, 6])
  })

  it('is not what is not settled, stopped counting, or is on no chain that is held', async () => {
    await add(null, { count: 1, block: 9 })
    await add(strange, { count: 1, block: 12 })
    await sql`update history set block_number = 1, block_hash = '0xother' where contract is null`.execute(
      database,
    )
    assert.equal(await look(), 'all')
    assert.deepEqual(await told(), {})
  })

  function look(now = 1): Promise<'more' | 'all'> {
    return inTransaction(database, (transaction) => tellSettled(transaction, follower, now))
  }

  async function told(): Promise<Readonly<Record<string, number>>> {
    const { rows } = await sql<{ readonly name: string; readonly count: number }>`
      select coalesce(contract, 'native') as name, count(*)::int4 as count from history
      where told group by 1`.execute(database)
    return Object.fromEntries(rows.map(({ name, count }) => [name, count]))
  }

  async function add(
    contract: string | null | undefined,
    { count, block }: { readonly count: number; readonly block: number },
  ): Promise<void> {
    const kind = contract === null ? 'NativeTransfer' : 'Erc20Transfer'
    await sql`insert into history (organization, wallet, id, network, block_hash, block_number, hash,
        index, kind, direction, sender, recipient, value, fee, contract, token_id, time, canonical,
        opening, told)
      select organization, id, sha256((${String(contract)} || ${block} || '/' || i)::bytea), network,
        '0x' || ${block}::int4, ${block}, '0xaa', i, ${kind}, 'In', address, address, '1', null,
        ${contract}, null, 0, true, false, false
      from wallets, generate_series(1, ${count}) i`.execute(database)
  }
})
