import { toHex, toUtf8 } from '@quorate/core/bytes'
import { sha256 } from '@quorate/core/hash'
import { idOf, nameOf } from '@quorate/core/id'
import { evm } from '@quorate/chains/evm/index'
import { createTestDatabase } from '@quorate/scripts/test-database'
import { openChains } from '../../chain/chains.ts'
import { type Database, openDatabase } from '../../database/database.ts'
import { migrate } from '../../database/migrate.ts'
import { follow } from '../follow.ts'
import { newFollower } from '../follower.ts'
import { fakeChain, type FakeChain } from './fake-chain.ts'
import { addWallet, network, organization } from './payments.ts'

/**
 * Blocks a second with many watched addresses, and what memory they take: a real database, a fake
 * node in the same process. `npm run bench:indexing -- [wallets] [blocks] [transactions] [logs]`.
 */
export async function main(): Promise<void> {
  const [wallets = 1_000, blocks = 100, transactions = 200, logs = 400] = process.argv
    .slice(2)
    .map(Number)
  const home = await createTestDatabase()
  const database = openDatabase(home.url, () => undefined)
  try {
    await migrate(database)
    const ours = await fill(database, wallets)
    await measure(database, { blocks, transactions, logs, ours, every })
  } finally {
    await database.destroy()
    await home.drop()
  }
}

/** Of a hundred movements in a block, one is ours. */
const every = 100
const rowsAtOnce = 2_000

async function fill(into: Database, wallets: number): Promise<readonly string[]> {
  const { key } = await addWallet(into)
  const addresses = Array.from({ length: wallets }, (_, i) =>
    evm.parseAddress(`0x${toHex(sha256(toUtf8(`wallet ${i}`))).slice(24)}`),
  )
  for (let i = 0; i < addresses.length; i += rowsAtOnce)
    await into
      .insertInto('wallets')
      .values(
        addresses.slice(i, i + rowsAtOnce).map((address) => {
          const id = idOf(toUtf8(address), 'wallet')
          const named = { id, wallet_id: nameOf('wallet', id), network, address, key }
          const none = { name: null, external_id: null, owner: null, created_at: 0, tags: '[]' }
          return { organization, ...named, ...none }
        }),
      )
      .execute()
  return addresses
}

async function measure(database: Database, shape: FakeChain): Promise<void> {
  const known = openChains(new Map([[network, { rpcUrl: 'http://127.0.0.1:9' }]])).find(network)
  const rpc = fakeChain(known.network, shape)
  const follower = newFollower({ ...known, rpc, ready: async () => undefined })
  follower.untracedUntil = Infinity
  const warn = (context: object, message: string) => console.warn(message, context)
  const chains = { find: () => known, all: [known] }
  const deps = { database, chains, log: { warn, error: warn }, now: Date.now }
  const before = process.memoryUsage().rss
  const began = performance.now()
  await follow(deps, follower)
  const loaded = performance.now()
  let most = process.memoryUsage().rss
  while ((await follow(deps, follower)) === 'more') most = Math.max(most, process.memoryUsage().rss)
  const seconds = (performance.now() - loaded) / 1000
  const { count } = await database
    .selectFrom('history')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  const mega = (bytes: number) => `${(bytes / 1024 / 1024).toFixed(1)} MB`
  const { ours, blocks, transactions, logs } = shape
  console.log(`${ours.length} watched addresses: read in ${(loaded - began).toFixed(0)} ms,`)
  console.log(`  ${mega(follower.watched?.addresses.bytes ?? 0)} in memory for them`)
  console.log(`${blocks} blocks of ${transactions} transactions and ${logs} logs:`)
  console.log(`  ${((blocks - 1) / seconds).toFixed(1)} blocks/s, ${count} movements written`)
  console.log(`  process: ${mega(before)} before, ${mega(most)} at most`)
}
