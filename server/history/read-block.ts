import type {
  Block,
  BlockTransaction,
  ChainTransfer,
  InternalPayment,
} from '@quorate/chains/adapter'
import { Failure, isFailure } from '@quorate/core/failure'
import { noteUnread } from '../balances/watch.ts'
import type { FollowDeps } from './followers.ts'
import { countInVain, type Follower } from './follower.ts'

/** Blocks are replaced while they are looked at, and then there is no trace of them either: look again. */
const untracedMax = 3
/** Logs that no node gives are asked for again as well: it may have been busy. */
const unreadMax = 3
/** A node that keeps no traces now may be another one by then. */
const untracedMs = 60 * 60_000
/** One after the other: what strangers have put into one block says nothing of the node. */
const blocksWithoutTracesMax = 8

/** Which of the addresses that a block names are ours. */
export type FindOurs = (named: ReadonlySet<string>) => Promise<ReadonlySet<string>>

/** What has moved in a block of ours, in every way that the node tells of. */
export async function transfersInBlock(
  deps: Pick<FollowDeps, 'database' | 'log' | 'now'>,
  follower: Follower,
  block: Block,
  findOurs: FindOurs,
): Promise<readonly ChainTransfer[]> {
  const { adapter, rpc } = follower.chain
  const { logs, unread, isWhole } = await adapter.tokenLogs(rpc, block)
  const internal = await internalIn(deps, follower, block)
  const sides = [...block.transactions, ...logs, ...internal]
  const ours = await findOurs(new Set(sides.flatMap(({ from, to }) => [from, to ?? from])))
  const isOurs = ({ from, to }: BlockTransaction) => ours.has(from) || ours.has(to ?? from)
  const isUnread = (transaction: BlockTransaction) => unread.has(transaction.hash)
  if (!isWhole || block.transactions.some((one) => isUnread(one) && isOurs(one)))
    await passUnread(deps, follower, block)
  if (ours.size === 0) return []
  const readable = {
    ...block,
    transactions: block.transactions.filter((transaction) => !isUnread(transaction)),
  }
  return [
    ...(await adapter.transfersOf(rpc, readable, ours)),
    ...adapter.internalTransfersOf(block, internal, ours),
    ...(await adapter.tokenTransfersOf(rpc, { block: readable, logs }, ours)),
  ]
}

/**
 * What is too long for any answer would hold up all that comes after it: after some looks, what it
 * has moved is left to the balances.
 * @throws Failure `chain.refused` before that
 */
async function passUnread(
  { database, log }: Pick<FollowDeps, 'database' | 'log'>,
  { chain: { network }, inVain }: Follower,
  { hash, number }: Block,
): Promise<void> {
  const count = countInVain(inVain.logs, hash)
  if (count < unreadMax)
    throw new Failure('chain.refused', { network: network.id, reason: 'the logs are too long' })
  if (count > unreadMax) return
  const message =
    'a block is passed without all of its receipts: what they tell is seen by balances alone'
  log.error({ network: network.id, block: hash, number: Number(number) }, message)
  await noteUnread(database, network.id, Number(number))
}

export function isUntraced({ untracedUntil }: Follower, now: number): boolean {
  return now < untracedUntil
}

/** Without traces all else is seen as ever: what contracts pay on must not hold up what is paid outright. */
async function internalIn(
  { log, now }: Pick<FollowDeps, 'log' | 'now'>,
  follower: Follower,
  block: Block,
): Promise<readonly InternalPayment[]> {
  const { adapter, rpc, network } = follower.chain
  // Without a coin, contracts have none to pay on.
  if (network.noCoin || isUntraced(follower, now())) return []
  try {
    const payments = await adapter.internalPayments(rpc, block)
    if (block.transactions.length > 0) follower.blocksWithoutTraces = blocksWithoutTracesMax
    return payments
  } catch (error) {
    if (!isFailure(error, 'chain.refused') && !isFailure(error, 'chain.unavailable')) throw error
    const about = { err: error, network: network.id }
    const count = countInVain(follower.inVain.traces, block.hash)
    if (follower.blocksWithoutTraces > 0) {
      if (count < untracedMax) throw error
      if (count > untracedMax) return []
      follower.blocksWithoutTraces -= 1
      log.warn({ ...about, block: block.hash }, 'what contracts pay on in a block is not traced')
      return []
    }
    follower.untraced += 1
    if (follower.untraced < untracedMax) throw error
    follower.untraced = 0
    follower.untracedUntil = now() + untracedMs
    log.warn(about, 'what contracts pay on is seen by balances alone: no traces')
    return []
  }
}
