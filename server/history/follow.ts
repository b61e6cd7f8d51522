import type { Block, ChainTransfer, HeadChange, Header } from '@quorate/chains/adapter'
import { findBlock, findHeader } from '@quorate/chains/evm/blocks'
import { sql } from 'kysely'
import { checkListings } from '../assets/listed.ts'
import { openBalances, openSomeAnew, watchAll } from '../balances/watch.ts'
import { type Place, setBalancesBack } from '../balances/watch.ts'
import type { Chain } from '../chain/chains.ts'
import { type Database, type DatabaseTransaction, inTransaction } from '../database/database.ts'
import { displaceOutgoing } from '../transfers/displace.ts'
import { conditionText } from './condition.ts'
import { type Follower, keepingLease, requireLease, takeLease } from './follower.ts'
import type { FollowDeps } from './followers.ts'
import { type FindOurs, transfersInBlock } from './read-block.ts'
import { addHistory, setHistoryAside } from './record.ts'
import type { ChainCondition } from './tables.ts'
import { tellSettled } from './tell.ts'
import { learnTokens } from './tokens.ts'
import { Watched } from './watched.ts'

/** Deeper reorganizations than this, beyond finality, end the following. */
export const depthBeyondFinal = 64
/** Written in one transaction, as soon as there are so many; one block may have more. */
const movementsAtOnce = 2_000
/** So many blocks are soon read: all of a local chain, or those since the operator's first one. */
const nearMax = 1_000n
/** How long nothing more is said of a chain that is still too short. */
const quietMs = 60 * 60_000

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
  const lease = (await isWanted(database, chain))
    ? await takeLease(database, follower, now())
    : undefined
  if (lease === undefined) return 'idle'
  return keepingLease(deps, follower, () => look(deps, follower, lease))
}

async function look(
  deps: FollowDeps,
  follower: Follower,
  lease: number,
): Promise<'idle' | 'same' | 'more'> {
  const { database, now } = deps
  const { chain } = follower
  await chain.ready()
  await loadWatched(deps, follower, lease)
  const held = await heldHeaders(database, chain)
  const change =
    held.length === 0 ? await begin(deps, follower) : await chain.adapter.advance(chain.rpc, held)
  if (change.kind === 'younger' || change.kind === 'too-deep') {
    await setCondition(deps, follower, change.kind)
    return 'idle'
  }
  if (change.kind === 'same') {
    await learn(deps, chain, { contracts: [], at: held.at(-1)?.hash })
    await setCondition(deps, follower, null)
    const tellSome = (transaction: DatabaseTransaction) => tellSettled(transaction, follower, now())
    return (await leased(deps, follower, tellSome)) === 'more' ? 'more' : 'same'
  }
  const start = startOf(held, change)
  if (start === undefined) return 'same'
  await open(deps, follower, { at: start, isFirst: held.length === 0 })
  const { seen, added } = await transfersIn(deps, follower, change.added)
  const contracts = seen.flatMap(({ token }) => token?.contract ?? [])
  await learn(deps, chain, { contracts, at: added.at(-1)?.hash ?? start.hash })
  const told = await leased(deps, follower, async (transaction) => {
    await orphan(transaction, chain, { headers: change.orphaned, start, now: now() })
    await add(transaction, chain, added)
    await addHistory(transaction, { network: chain.network.id, before: start }, seen)
    return tellSettled(transaction, follower, now())
  })
  follower.untraced = 0
  await setCondition(deps, follower, null)
  return added.length > 0 || told === 'more' ? 'more' : 'same'
}

async function leased<T>(
  { database, now }: FollowDeps,
  follower: Follower,
  write: (transaction: DatabaseTransaction) => Promise<T>,
): Promise<T> {
  return inTransaction(database, async (transaction) => {
    await requireLease(transaction, follower, now())
    return write(transaction)
  })
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

/**
 * From the operator's first block, or that of a short chain, where it is soon read from there, else from
 * the newest one: what is now is seen at once, and `earlier.ts` reads what was.
 */
async function begin({ log, now }: FollowDeps, follower: Follower): Promise<HeadChange> {
  const { rpc, adapter, network, firstBlock = 0n } = follower.chain
  const newest = await findHeader(rpc, 'latest')
  if (newest === undefined) return adapter.advance(rpc, [])
  if (firstBlock > newest.number) {
    if (now() >= follower.quietUntil) {
      follower.quietUntil = now() + quietMs
      const about = { network: network.id, firstBlock: `${firstBlock}`, newest: `${newest.number}` }
      log.warn(
        about,
        'a chain is not followed before it has come to the first block of the nodes file',
      )
    }
    return { kind: 'same' }
  }
  const isNear = newest.number - firstBlock <= nearMax
  const first = isNear ? await findBlock(rpc, firstBlock) : undefined
  // Where a node has it no more, the reading of what was says so.
  if (first === undefined) return adapter.advance(rpc, [])
  return { kind: 'moved', orphaned: [], added: [first] }
}

/** What tokens say of themselves, and whether it is what the operator says. */
async function learn(
  { database, log, now }: FollowDeps,
  chain: Chain,
  met: { readonly contracts: readonly string[]; readonly at: string | undefined },
): Promise<void> {
  await learnTokens(database, chain, { ...met, now: now() })
  await checkListings(database, chain, { log, now: now() })
}

/** The last block that stays, or the first of all. */
function startOf(
  held: readonly Header[],
  { orphaned, added }: { readonly orphaned: readonly Header[]; readonly added: readonly Header[] },
): Place | undefined {
  const header = held.at(-1 - orphaned.length) ?? added[0]
  return header && { number: Number(header.number), hash: header.hash }
}

/** From here on new wallets are watched, and all of them where nothing is held yet. */
async function open(
  deps: FollowDeps,
  follower: Follower,
  { at, isFirst }: { readonly at: Place; readonly isFirst: boolean },
): Promise<void> {
  const { id: network } = follower.chain.network
  const { watched } = follower
  // Whoever does not know how a transaction ended has to read all addresses again.
  follower.watched = undefined
  // Broken off, it begins again: nothing is held until all of it is done.
  const openSome = async (transaction: DatabaseTransaction) => {
    const isMore = await openSomeAnew(transaction, network)
    await forgetEarlier(transaction, network)
    return isMore
  }
  while (isFirst && (await leased(deps, follower, openSome)));
  while (await hasUnseen(deps.database, network)) {
    const opened = await leased(deps, follower, (transaction) =>
      openBalances(transaction, network, at),
    )
    for (const address of opened) watched?.addresses.add(address)
  }
  follower.watched = watched
}

/** Of a chain that is followed anew. */
async function forgetEarlier(transaction: DatabaseTransaction, network: string): Promise<void> {
  await transaction
    .updateTable('chain_heads')
    .set({ read_from: null, read_after: null })
    .where('network', '=', network)
    .execute()
}

/** All addresses of ours, unless they are in memory already. */
async function loadWatched(
  { database }: FollowDeps,
  follower: Follower,
  leaseCount: number,
): Promise<void> {
  if (follower.watched?.leaseCount === leaseCount) return
  const addresses = new Watched()
  for await (const page of watchAll(database, follower.chain.network.id))
    for (const address of page) addresses.add(address)
  follower.watched = { addresses, leaseCount }
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

/**
 * One block after the other: of what is read, only what is ours is kept, and once that is much, the
 * other blocks are left to the next look.
 */
async function transfersIn(
  deps: FollowDeps,
  follower: Follower,
  blocks: readonly Block[],
): Promise<{ readonly seen: readonly ChainTransfer[]; readonly added: readonly Block[] }> {
  const seen: ChainTransfer[] = []
  const added: Block[] = []
  for (const block of blocks) {
    if (seen.length >= movementsAtOnce) break
    const found = await transfersInBlock(deps, follower, block, oursAmong(deps, follower))
    for (const transfer of found) seen.push(transfer)
    added.push(block)
  }
  return { seen, added }
}

/** The database has the last word about those that memory does not deny: a handful, mostly of none. */
export function oursAmong({ database }: FollowDeps, { chain, watched }: Follower): FindOurs {
  return async (named) => {
    const maybe = [...named].filter((address) => watched?.addresses.mayHave(address) ?? true)
    if (maybe.length === 0) return new Set()
    const ours = await database
      .selectFrom('wallets')
      .select('address')
      .where('network', '=', chain.network.id)
      .where(sql<boolean>`address = any(${maybe}::text[])`)
      .execute()
    return new Set(ours.flatMap(({ address }) => address ?? []))
  }
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
  await setHistoryAside(transaction, { network: network.id, hashes })
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
