import type { Block, ChainTransfer } from '@quorate/chains/adapter'
import { findBlock } from '@quorate/chains/evm/blocks'
import { Failure } from '@quorate/core/failure'
import { type Place, compareAnew } from '../balances/watch.ts'
import type { Chain } from '../chain/chains.ts'
import { type Database, type DatabaseTransaction, inTransaction } from '../database/database.ts'
import { settledNumber } from './find.ts'
import { oursAmong } from './follow.ts'
import { type Follower, requireLease } from './follower.ts'
import type { FollowDeps } from './followers.ts'
import { explainOpenings } from './openings.ts'
import { transfersInBlock } from './read-block.ts'
import { addEarlier } from './record.ts'
import { meetTokens } from './tokens.ts'

/** Read and written in one go; the new blocks have their turn beside it. */
const blocksAtOnce = 16
/** And no block more once there are so many. */
const movementsAtOnce = 2_000

/** The lowest block that was read, and the first one that is held. */
type Lowest = {
  readonly number: number
  readonly time: number
  readonly parentHash: string
  readonly held: Place & { readonly time: number }
}

/**
 * Reads what came before the first block that is held, down to the operator's `firstBlock`, newest
 * first: he may have named it, or an earlier one, after the chain was followed. Each turn is written
 * down with how far it came. Nobody is told of these movements: what was there was told of when the
 * watching began, and less of that is now unexplained.
 *
 * @param follower follows the chain at the moment; its traces are another matter
 */
export async function readEarlier(
  deps: FollowDeps,
  follower: Follower,
): Promise<'done' | 'idle' | 'more'> {
  const { database, now } = deps
  const { chain } = follower
  if (chain.firstBlock === undefined) return 'done'
  const lowest = await lowestRead(database, follower, now())
  if (lowest === undefined) return 'idle'
  if (BigInt(lowest.number) <= chain.firstBlock) return 'done'
  await chain.ready()
  const found = await readBelow(deps, follower, lowest)
  await write(deps, follower, { ...found, lowest })
  follower.untraced = 0
  return 'more'
}

/** @returns nothing while another server follows, or what is held may yet be replaced */
async function lowestRead(
  database: Database,
  { chain: { network }, holder }: Follower,
  now: number,
): Promise<Lowest | undefined> {
  const head = await database
    .selectFrom('chain_heads')
    .select(['read_from', 'read_after'])
    .where('network', '=', network.id)
    .where('lease_holder', '=', holder)
    .where('lease_until', '>', now)
    .where('condition', 'is', null)
    .executeTakeFirst()
  const first = await database
    .selectFrom('block_headers')
    .selectAll()
    .where('network', '=', network.id)
    .where('canonical', '=', true)
    .orderBy('number')
    .limit(1)
    .executeTakeFirst()
  if (head === undefined || first === undefined) return undefined
  if (first.number > (await settledNumber(database, network))) return undefined
  const { number, hash, time, parent_hash } = first
  const held = { number, hash, time }
  const { read_from, read_after } = head
  return read_from === null || read_after === null
    ? { ...held, parentHash: parent_hash, held }
    : { number: read_from, time, parentHash: read_after, held }
}

type Found = { readonly blocks: readonly Block[]; readonly seen: readonly ChainTransfer[] }

async function readBelow(deps: FollowDeps, follower: Follower, lowest: Lowest): Promise<Found> {
  const { chain } = follower
  const { firstBlock = 0n } = chain
  const blocks: Block[] = []
  const seen: ChainTransfer[] = []
  let wanted = { number: BigInt(lowest.number) - 1n, hash: lowest.parentHash }
  while (
    wanted.number >= firstBlock &&
    blocks.length < blocksAtOnce &&
    seen.length < movementsAtOnce
  ) {
    const block = await blockNamed(chain, wanted)
    const found = await transfersInBlock(deps, follower, block, oursAmong(deps, follower))
    for (const transfer of found) seen.push(transfer)
    blocks.push(block)
    wanted = { number: block.number - 1n, hash: block.parentHash }
  }
  return { blocks, seen }
}

/** The one that its successor names, and no other. */
async function blockNamed(
  { rpc, network }: Chain,
  { number, hash }: { readonly number: bigint; readonly hash: string },
): Promise<Block> {
  const block = await findBlock(rpc, number)
  if (block?.hash === hash) return block
  const cause = new Error(`the node does not have block ${number}, ${hash}`)
  throw new Failure('chain.unavailable', { network: network.id }, { cause })
}

async function write(
  { database, now }: FollowDeps,
  follower: Follower,
  { blocks, seen, lowest }: Found & { readonly lowest: Lowest },
): Promise<void> {
  const { network } = follower.chain
  const last = blocks.at(-1)
  if (last === undefined) return
  await inTransaction(database, async (transaction) => {
    await requireLease(transaction, follower, now())
    const { held } = lowest
    const about = { network: network.id, before: held }
    const added = await addEarlier(transaction, about, seen)
    await compareAnew(transaction, added)
    const contracts = added.flatMap(({ row }) => row.contract ?? [])
    await meetTokens(transaction, network.id, { contracts, metAt: 0 })
    await explainOpenings(transaction, { movements: added, held, network, now: now() })
    await setLowest(transaction, network.id, { from: lowest, to: last })
  })
}

/** Whoever finds it elsewhere has read what somebody else has read meanwhile. */
async function setLowest(
  transaction: DatabaseTransaction,
  network: string,
  { from, to }: { readonly from: Lowest; readonly to: Block },
): Promise<void> {
  const set = await transaction
    .updateTable('chain_heads')
    .set({ read_from: Number(to.number), read_after: to.parentHash })
    .where('network', '=', network)
    .where((eb) => eb.or([eb('read_from', 'is', null), eb('read_from', '=', from.number)]))
    .executeTakeFirst()
  if (set.numUpdatedRows !== 1n) throw new Error('earlier blocks were read by somebody else')
}
