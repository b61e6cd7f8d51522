import { randomUUID } from 'node:crypto'
import type { Block, ChainTransfer, Header, InternalPayment } from '@quorate/chains/adapter'
import { findBlock } from '@quorate/chains/evm/blocks'
import { isFailure } from '@quorate/core/failure'
import { sql } from 'kysely'
import type { Chain } from '../chain/chains.ts'
import { type Database, type DatabaseTransaction, inTransaction } from '../database/database.ts'
import { displaceOutgoing } from '../transfers/displace.ts'
import { conditionText } from './condition.ts'
import type { FollowDeps } from './followers.ts'
import { addHistory, setHistoryCanonical } from './record.ts'
import type { ChainCondition } from './tables.ts'
import { learnTokens } from './tokens.ts'

/** One server's follower of one chain. */
export type Follower = {
  readonly chain: Chain
  readonly holder: string
  /** No traces are asked for until then: the node has none, or takes too long over them. */
  untracedUntil: number
  untraced: number
}

export function newFollower(chain: Chain): Follower {
  return { chain, holder: randomUUID(), untracedUntil: 0, untraced: 0 }
}

/** After it, another server may follow. One look reads a few dozen blocks, each within 10 s at worst. */
const leaseMs = 30_000
/** Blocks are replaced while they are looked at, and then there is no trace of them either: look again. */
const untracedMax = 3
/** A node that keeps no traces now may be another one by then. */
const untracedMs = 60 * 60_000
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
  const { chain, holder } = follower
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
  const seen = await transfersIn(deps, follower, change.added)
  const contracts = seen.flatMap(({ token }) => token?.contract ?? [])
  await learnTokens(database, chain, { contracts, now: now() })
  await inTransaction(database, async (transaction) => {
    await requireLease(transaction, { network: chain.network.id, holder, now: now() })
    await orphan(transaction, chain, change.orphaned, now())
    await add(transaction, chain, change.added)
    await addHistory(transaction, chain.network.id, seen, now())
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

async function takeLease(
  database: Database,
  { chain, holder }: Follower,
  now: number,
): Promise<boolean> {
  const lease = { lease_holder: holder, lease_until: now + leaseMs }
  const row = { network: chain.network.id, ...lease, condition: null, condition_since: null }
  const taken = await database
    .insertInto('chain_heads')
    .values(row)
    .onConflict((conflict) =>
      conflict
        .column('network')
        .doUpdateSet(lease)
        .where((eb) =>
          eb.or([
            eb('chain_heads.lease_holder', '=', holder),
            eb('chain_heads.lease_until', '<', now),
          ]),
        ),
    )
    .executeTakeFirst()
  return taken.numInsertedOrUpdatedRows === 1n
}

/** Two followers never write at once, and one whose lease has passed on writes nothing. */
async function requireLease(
  transaction: DatabaseTransaction,
  lease: { readonly network: string; readonly holder: string; readonly now: number },
): Promise<void> {
  const { network, holder, now } = lease
  const kept = await transaction
    .updateTable('chain_heads')
    .set({ lease_until: now + leaseMs })
    .where('network', '=', network)
    .where('lease_holder', '=', holder)
    .executeTakeFirst()
  if (kept.numUpdatedRows !== 1n) throw new Error('another server follows this chain by now')
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
  const { adapter, rpc, network } = follower.chain
  const found: ChainTransfer[] = []
  for (const block of blocks) {
    const logs = await adapter.tokenLogs(rpc, block)
    const internal = await internalIn(deps, follower, block)
    const sides = [...block.transactions, ...logs, ...internal]
    const named = sides.flatMap(({ from, to }) => [from, to ?? from])
    const ours = await addressesOfOurs(deps.database, network.id, new Set(named))
    if (ours.size === 0) continue
    found.push(...(await adapter.transfersOf(rpc, block, ours)))
    found.push(...adapter.internalTransfersOf(block, internal, ours))
    found.push(...(await adapter.tokenTransfersOf(rpc, { block, logs }, ours)))
  }
  return found
}

/** Without traces all else is seen as ever: what contracts pay on must not hold up what is paid outright. */
async function internalIn(
  { log, now }: FollowDeps,
  follower: Follower,
  block: Block,
): Promise<readonly InternalPayment[]> {
  const { adapter, rpc, network } = follower.chain
  if (now() < follower.untracedUntil) return []
  try {
    const payments = await adapter.internalPayments(rpc, block)
    follower.untraced = 0
    return payments
  } catch (error) {
    if (!isFailure(error, 'chain.refused') && !isFailure(error, 'chain.unavailable')) throw error
    follower.untraced += 1
    if (follower.untraced < untracedMax) throw error
    follower.untraced = 0
    follower.untracedUntil = now() + untracedMs
    log.warn({ err: error, network: network.id }, 'what contracts pay on is not seen: no traces')
    return []
  }
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
  headers: readonly Header[],
  now: number,
): Promise<void> {
  if (headers.length === 0) return
  const hashes = headers.map(({ hash }) => hash)
  await transaction
    .updateTable('block_headers')
    .set({ canonical: false })
    .where('network', '=', network.id)
    .where('hash', 'in', hashes)
    .execute()
  await setHistoryCanonical(transaction, { network: network.id, hashes, canonical: false })
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
