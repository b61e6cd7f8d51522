import { Failure, isFailure } from '@quorate/core/failure'
import { type Database, inTransaction } from '../database/database.ts'
import { type Follower, requireLease } from '../history/follower.ts'
import type { FollowDeps } from '../history/followers.ts'
import { isUntraced } from '../history/read-block.ts'
import { balanceAt, unlessForgotten } from './ask.ts'
import { comparedBlock, type Due, dueBalances } from './due.ts'
import { isHeld } from './held.ts'
import { nextLook, postpone, setMark } from './mark.ts'
import { netOf, type Span } from './net.ts'
import { settle, type Seen } from './settle.ts'
import type { Place } from './watch.ts'

/** Of each kind in a turn, which comes once a second at most: what 100,000 wallets cost a node has an end. */
const rowsAtOnce = 16
const quietMs = 60 * 60_000

/**
 * Holds what wallets hold by their history against what the chain says at the same block. Where the
 * two differ, what may have been missed is read again, and what is missing even then is written
 * down as what it is. Nothing waits for this.
 */
export async function compareBalances(
  deps: FollowDeps,
  follower: Follower,
): Promise<'idle' | 'more'> {
  const { database, now } = deps
  const at = await comparedBlock(database, follower, now())
  if (at === undefined) return 'idle'
  const wanted = { at, now: now(), limit: rowsAtOnce }
  const due = await dueBalances(database, follower.chain.network, wanted)
  if (due.length === 0) return 'idle'
  const looked = await Promise.all(due.map((row) => lookAt(deps, follower, { row, at })))
  const seen = looked.flatMap((one) => ('error' in one ? [] : [one]))
  const unseen = looked.flatMap((one) => ('error' in one ? [one] : []))
  if (seen.length === 0) await requireNode(follower, at, unseen)
  for (const one of unseen) await put(deps, follower, one)
  await setMarks(deps, follower, seen)
  for (const one of seen) if (one.difference !== 0n) await settled(deps, follower, one)
  return 'more'
}

/** It is asked again later: a stranger's contract may answer each node otherwise, or none. */
type Unseen = { readonly row: Due; readonly error: unknown }

async function lookAt(
  deps: FollowDeps,
  follower: Follower,
  { row, at }: { readonly row: Due; readonly at: Place },
): Promise<Seen | Unseen> {
  try {
    if (row.balance !== null)
      return await difference(deps.database, follower, { row, at, before: BigInt(row.balance) })
    const opening = { number: row.block_number, hash: row.block_hash }
    return (
      (await unlessForgotten(difference(deps.database, follower, { row, at: opening }))) ??
      (await difference(deps.database, follower, { row, at }))
    )
  } catch (error) {
    return { row, error }
  }
}

/**
 * A node that says nothing of any of them may be away, and then none is put off.
 * @throws what comes of asking it for what no contract has a say in
 */
async function requireNode(
  { chain }: Follower,
  at: Place,
  unseen: readonly Unseen[],
): Promise<void> {
  const [first] = unseen
  const isThere = unseen.some(({ error }) => isFailure(error, 'chain.refused'))
  if (first === undefined || isThere) return
  await chain.adapter.balance(chain.rpc, first.row.address, at.hash)
}

async function difference(
  database: Database,
  { chain }: Follower,
  { row, at, before }: { readonly row: Due; readonly at: Place; readonly before?: bigint },
): Promise<Seen> {
  const balance = await balanceAt(chain, row, at.hash)
  // What was there when the watching began is held against all that history knows of.
  const span = before === undefined ? upTo(at) : { after: row.block_number, upTo: at.number }
  const net = await netOf(database, row, span)
  return { row, at, balance, before, difference: balance - (before ?? 0n) - net }
}

function upTo({ number }: Place): Span {
  return { after: -1, upTo: number }
}

async function put(
  { database, log, now }: FollowDeps,
  follower: Follower,
  { row, error }: Unseen,
): Promise<void> {
  await inTransaction(database, async (transaction) => {
    await requireLease(transaction, follower, now())
    await postpone(transaction, row, now())
  })
  if (now() < follower.quietUntil) return
  follower.quietUntil = now() + quietMs
  const about = { err: error, network: row.network, walletId: row.wallet_id }
  log.warn(about, error instanceof Failure ? unsaid : 'a balance could not be compared')
}

const unsaid = 'the node does not say what wallets hold: their history is not compared'

/** Of those that are as they should be. */
async function setMarks(
  { database, now }: FollowDeps,
  follower: Follower,
  seen: readonly Seen[],
): Promise<void> {
  const good = seen.filter((one) => one.difference === 0n)
  if (good.length === 0) return
  await inTransaction(database, async (transaction) => {
    await requireLease(transaction, follower, now())
    for (const { row, at, balance, before } of good) {
      if ((await isHeld(transaction, row.network, at)) === undefined) continue
      // Earlier movements may have been read since: then it is compared again.
      if (before === undefined && balance !== (await netOf(transaction, row, upTo(at)))) continue
      const dueAt = nextLook(row, now(), isUntraced(follower, now()))
      const opened = before === undefined ? { unexplained: 0n } : { dueAt }
      await setMark(transaction, row, { at, balance, ...opened })
    }
  })
}

/** One that cannot be settled now keeps no other one waiting. */
async function settled(deps: FollowDeps, follower: Follower, seen: Seen): Promise<void> {
  try {
    await settle(deps, follower, seen)
  } catch (error) {
    await put(deps, follower, { row: seen.row, error })
  }
}
