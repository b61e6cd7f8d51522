import type { ChainTransfer } from '@quorate/chains/adapter'
import { findBlock } from '@quorate/chains/evm/blocks'
import { Failure } from '@quorate/core/failure'
import { type Database, inTransaction } from '../database/database.ts'
import { type Follower, requireLease } from '../history/follower.ts'
import type { FollowDeps } from '../history/followers.ts'
import { transfersInBlock } from '../history/read-block.ts'
import { addHistory, addMovements, rowByBalance } from '../history/record.ts'
import { walletRows } from '../wallets/find.ts'
import { balanceAt, unlessForgotten } from './ask.ts'
import type { Due } from './due.ts'
import { findHeld, isHeld } from './held.ts'
import { nextLook, setMark } from './mark.ts'
import { netOf } from './net.ts'
import type { Place } from './watch.ts'

/** A row as it was found to be: `difference` is what history does not know of. */
export type Seen = {
  readonly row: Due
  readonly at: Place
  readonly balance: bigint
  /** At the row's own block; nothing where its watching begins. */
  readonly before: bigint | undefined
  readonly difference: bigint
}
type Point = Place & { readonly balance: bigint }
type Change = { readonly from: Point; readonly to: Point }

/**
 * Read again for one difference, where the node has forgotten in which of them it came about. More
 * would hold up the others; what is in them is written down as what the balance tells.
 */
const rereadMax = 32

/** Of what differs, the first block: the next one has its turn after it. */
export async function settle(deps: FollowDeps, follower: Follower, seen: Seen): Promise<void> {
  const { row, at, balance, before } = seen
  if (before === undefined) {
    const from = { number: -1, hash: '', balance: 0n }
    return enter(deps, follower, { seen, missed: [], change: { from, to: { ...at, balance } } })
  }
  const change = await firstChange(deps.database, follower, { row, at, balance, before })
  const missed = await readAgain(deps, follower, row, change)
  return enter(deps, follower, { seen, missed, change })
}

/**
 * By halves: what a wallet holds at a block in between is as history says, or is not. Where the node
 * has forgotten older states, the first difference is known to be before the oldest that it knows.
 */
async function firstChange(
  database: Database,
  { chain }: Follower,
  { row, at, balance, before }: Omit<Seen, 'difference' | 'before'> & { before: bigint },
): Promise<Change> {
  let from: Point = { number: row.block_number, hash: row.block_hash, balance: before }
  let to: Point = { ...at, balance }
  let forgotten = from.number
  while (to.number - forgotten > 1) {
    const middle = await findHeld(database, row.network, (forgotten + to.number) >> 1)
    const held = middle && (await unlessForgotten(balanceAt(chain, row, middle.hash)))
    if (middle === undefined || held === undefined) {
      forgotten = (forgotten + to.number) >> 1
      continue
    }
    const net = await netOf(database, row, { after: from.number, upTo: middle.number })
    const point = { ...middle, balance: held }
    if (held - from.balance !== net) to = point
    else {
      from = point
      forgotten = point.number
    }
  }
  return { from, to }
}

async function readAgain(
  deps: FollowDeps,
  follower: Follower,
  { network, address }: Due,
  { from, to }: Change,
): Promise<readonly ChainTransfer[]> {
  if (to.number - from.number > rereadMax) return []
  const found: ChainTransfer[] = []
  for (let number = from.number + 1; number <= to.number; number++) {
    const header = await findHeld(deps.database, network, number)
    const block = await findBlock(follower.chain.rpc, BigInt(number))
    if (block === undefined || block.hash !== header?.hash)
      throw new Failure('chain.refused', { network, reason: 'the block has been replaced' })
    const ours = async () => new Set([address])
    for (const transfer of await transfersInBlock(deps, follower, block, ours)) found.push(transfer)
  }
  return found
}

/** Writes down what was missed, and what then is left of the difference. */
async function enter(
  { database, log, now }: FollowDeps,
  follower: Follower,
  found: {
    readonly seen: Seen
    readonly missed: readonly ChainTransfer[]
    readonly change: Change
  },
): Promise<void> {
  const { seen, missed, change } = found
  const { row, at } = seen
  const { network } = row
  const { from, to } = change
  const isWritten = await inTransaction(database, async (transaction) => {
    await requireLease(transaction, follower, now())
    const header = await isHeld(transaction, network, to)
    if (header === undefined) return false
    const about = { network, before: from.number < 0 ? to : from }
    await addHistory(transaction, about, missed)
    const netTo = (upTo: number) => netOf(transaction, row, { after: from.number, upTo })
    const left = to.balance - from.balance - (await netTo(to.number))
    const upToHere = { at: to, balance: to.balance }
    if (left === 0n) {
      await setMark(transaction, row, upToHere)
      return true
    }
    if (row.kind === 'Native') {
      const wallet = await walletRows(transaction, row)
        .where('wallet_id', '=', row.wallet_id)
        .executeTakeFirstOrThrow()
      const seenAt = { ...to, time: header.time }
      const opening = { ...rowByBalance(wallet, seenAt, left), opening: from.number < 0 }
      const movement = { row: opening, wallet }
      await addMovements(transaction, about, [movement])
      await setMark(transaction, row, upToHere)
      return true
    }
    // A token that grows by itself does so in every block: only how much it is by now is kept.
    const total = seen.balance - from.balance - (await netTo(at.number))
    const unexplained = (from.number < 0 ? 0n : BigInt(row.unexplained)) + total
    const dueAt = nextLook(row, now(), false)
    await setMark(transaction, row, { at, balance: seen.balance, unexplained, dueAt })
    return true
  })
  if (!isWritten) return
  const { wallet_id: walletId, kind, contract } = row
  const asset = kind === 'Native' ? kind : contract
  log.warn({ network, walletId, asset, block: to.hash, missed: missed.length }, differed)
}

const differed = 'a balance was not what history said: what it tells is written down'
