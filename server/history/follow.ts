import type { Block, ChainTransfer, Header } from '@quorate/chains/adapter'
import { findBlock } from '@quorate/chains/evm/blocks'
import { sql } from 'kysely'
import { openBalances, type Place, setBalancesBack, watchOthers } from '../balances/watch.ts'
import type { Chain } from '../chain/chains.ts'
import { type Database, type DatabaseTransaction, inTransaction } from '../database/database.ts'
import { displaceOutgoing } from '../transfers/displace.ts'
import { conditionText } from './condition.ts'
import { type Follower, requireLease, takeLease } from './follower.ts'
import type { FollowDeps } from './followers.ts'
import { type FindOurs, transfersInBlock } from './read-block.ts'
import { addHistory, setHistoryCanonical } from './record.ts'
import type { ChainCondition } from './tables.ts'
import { learnTokens } from './tokens.ts'

/** Deeper reorganizations than this, beyond finality, end the following. */
const depthBeyondFinal = 64
/** A chain this short is a local one: what has happened on it before us is soon read. */
const shortChainMax = 1_000n

/**
 * One look at a chain: what is new is written down together with all that it means, in one
 * transaction; what is gone stops counting. Where it was interrupted, the next look begins.
 */
export async function follow(
  deps: FollowDeps,
  follower: Follower,
): Promise<'idle' | 'same' | 'more'> {
  const { database, now } = deps
  const { chain } = follower
  if (!(await isWanted(database, chain)) || !(await takeLease(database, follower, now())))
    return 'idle'
  await chain.ready()
  const held = await heldHeaders(database, chain)
  const change =
    held.length === 0 ? await begin(chain) : await chain.adapter.advance(chain.rpc, held)
  if (change.kind === 'younger' || change.kind === 'too-deep') {
    await setCondition(deps, follower, change.kind)
    return 'idle'
  }
  if (change.kind === 'same') {
    await learnTokens(database, chain, { contracts: [], now: now() })
    await setCondition(deps, follower, null)
    return 'same'
  }
  const start = startOf(held, change)
  if (start === undefined) return 'same'
  await open(deps, follower, { at: start, isFirst: held.length === 0 })
  const seen = await transfersIn(deps, follower, change.added)
  const contracts = seen.flatMap(({ token }) => token?.contract ?? [])
  await learnTokens(database, chain, { contracts, now: now() })
  await inTransaction(database, async (transaction) => {
    await requireLease(transaction, follower, now())
    await orphan(transaction, chain, { headers: change.orphaned, start, now: now() })
    await add(transaction, chain, change.added)
    const about = { network: chain.network.id, before: start, now: now() }
    await addHistory(transaction, about, seen)
  })
  await setCondition(deps, follower, null)
  return change.added.length > 0 ? 'more' : 'same'
}

/** Nobody's chain is not worth the reading. */
async function isWanted(database: Database, { network }: Chain): Promise<boolean> {
  const wallet = await database
    .selectFrom('wallets')
    .select('id')
    .where('network', '=', network.id)
    .limit(1)
    .executeTakeFirst()
  return wallet !== undefined
}

/** From the first block of a short chain, else from the newest one. */
async function begin({ rpc, adapter }: Chain) {
  const [first, newest] = await Promise.all([findBlock(rpc, 0n), findBlock(rpc, 'latest')])
  if (first === undefined || newest === undefined || newest.number > shortChainMax)
    return adapter.advance(rpc, [])
  return { kind: 'moved' as const, orphaned: [], added: [first] }
}

/** The last block that stays, or the first of all. */
function startOf(
  held: readonly Header[],
  { orphaned, added }: { readonly orphaned: readonly Header[]; readonly added: readonly Header[] },
): Place | undefined {
  const header = held.at(-1 - orphaned.length) ?? added[0]
  return header && { number: Number(header.number), hash: header.hash }
}

/** What wallets hold is told from here on of those that are new, and of all where nothing is held yet. */
async function open(
  { database, now }: FollowDeps,
  follower: Follower,
  { at, isFirst }: { readonly at: Place; readonly isFirst: boolean },
): Promise<void> {
  const { id: network } = follower.chain.network
  const { isComplete } = follower
  if (isComplete && !isFirst && !(await hasUnseen(database, network))) return
  await inTransaction(database, async (transaction) => {
    await requireLease(transaction, follower, now())
    if (!isComplete) await watchOthers(transaction, network)
    await openBalances(transaction, { network, at, which: isFirst ? 'all' : 'unseen' })
  })
  follower.isComplete = true
}

async function hasUnseen(database: Database, network: string): Promise<boolean> {
  const row = await database
    .selectFrom('balances')
    .select('wallet')
    .where('network', '=', network)
    .where('block_number', 'is', null)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

/** Oldest first, as far back as a reorganization may reach. */
async function heldHeaders(database: Database, { network }: Chain): Promise<readonly Header[]> {
  const rows = await database
    .selectFrom('block_headers')
    .selectAll()
    .where('network', '=', network.id)
    .where('canonical', '=', true)
    .orderBy('number', 'desc')
    .limit(network.confirmationsFinal + depthBeyondFinal)
    .execute()
  return rows.toReversed().map(({ number, hash, parent_hash, time }) => ({
    number: BigInt(number),
    hash,
    parentHash: parent_hash,
    timestamp: BigInt(time),
  }))
}

/** One block after the other: of what is read, only what is ours is kept. */
async function transfersIn(
  deps: FollowDeps,
  follower: Follower,
  blocks: readonly Block[],
): Promise<readonly ChainTransfer[]> {
  const { id: network } = follower.chain.network
  const findOurs: FindOurs = (named) => addressesOfOurs(deps.database, network, named)
  const found: ChainTransfer[] = []
  for (const block of blocks)
    found.push(...(await transfersInBlock(deps, follower, block, findOurs)))
  return found
}

/** Asked by those of one block: however many wallets there are, a block names some thousands at most. */
async function addressesOfOurs(
  database: Database,
  network: string,
  named: ReadonlySet<string>,
): Promise<ReadonlySet<string>> {
  if (named.size === 0) return named
  const ours = await database
    .selectFrom('wallets')
    .select('address')
    .where('network', '=', network)
    .where(sql<boolean>`address = any(${[...named]}::text[])`)
    .execute()
  return new Set(ours.flatMap(({ address }) => address ?? []))
}

async function orphan(
  transaction: DatabaseTransaction,
  { network }: Chain,
  gone: { readonly headers: readonly Header[]; readonly start: Place; readonly now: number },
): Promise<void> {
  const { headers, start, now } = gone
  if (headers.length === 0) return
  const hashes = headers.map(({ hash }) => hash)
  await transaction
    .updateTable('block_headers')
    .set({ canonical: false })
    .where('network', '=', network.id)
    .where('hash', 'in', hashes)
    .execute()
  await setHistoryCanonical(transaction, { network: network.id, hashes, canonical: false })
  await setBalancesBack(transaction, network.id, start)
  await displaceOutgoing(transaction, { network: network.id, hashes, now })
}

async function add(
  transaction: DatabaseTransaction,
  { network }: Chain,
  blocks: readonly Block[],
): Promise<void> {
  if (blocks.length === 0) return
  const rows = blocks.map(({ number, hash, parentHash, timestamp }) => ({
    ...{ network: network.id, hash, number: Number(number), parent_hash: parentHash },
    time: Number(timestamp),
    canonical: true,
  }))
  await transaction
    .insertInto('block_headers')
    .values(rows)
    .onConflict((conflict) =>
      // A block may come back after another one has had its place.
      conflict.columns(['network', 'hash']).doUpdateSet({ canonical: true }),
    )
    .execute()
}

async function setCondition(
  { database, log, now }: FollowDeps,
  { chain, holder }: Follower,
  condition: ChainCondition | null,
): Promise<void> {
  const network = chain.network.id
  const changed = await database
    .updateTable('chain_heads')
    .set({ condition, condition_since: condition === null ? null : now() })
    .where('network', '=', network)
    .where('lease_holder', '=', holder)
    .where('condition', condition === null ? 'is not' : 'is distinct from', condition)
    .executeTakeFirst()
  if (changed.numUpdatedRows !== 1n) return
  if (condition === null) return log.warn({ network }, 'the chain is as it was again')
  log.error({ network, condition }, conditionText(condition))
}
