import { setTimeout as sleep } from 'node:timers/promises'
import { compareBalances } from '../balances/compare.ts'
import type { Chains } from '../chain/chains.ts'
import type { Database } from '../database/database.ts'
import { readEarlier } from './earlier.ts'
import { follow } from './follow.ts'
import { type Follower, newFollower } from './follower.ts'
import { forgetHeaders } from './forget.ts'

export type FollowLog = {
  warn(context: object, message: string): void
  error(context: object, message: string): void
}
export type FollowDeps = {
  readonly database: Database
  readonly chains: Pick<Chains, 'find' | 'all'>
  readonly log: FollowLog
  readonly now: () => number
}

const pollMs = 700
/** Another server follows, the node does not answer, or people are at work on it. */
const idleMs = 2_000

/** So often, a few balances are compared. */
const compareMs = 1_000
/** A bite of old headers takes some milliseconds. */
const forgetMs = 1_000
const forgottenMs = 60 * 60_000
/** Somebody has begun anew by then, at most. */
const doneMs = 60_000
/** A node that fails is asked again after two seconds, then four, and never later than this. */
const troubledMsMax = 60_000

/** Follows every network that has a node; of several servers, one does at a time. */
export function startFollowers(deps: FollowDeps): { stop(): Promise<void> } {
  const stopping = new AbortController()
  const { signal } = stopping
  const loops = deps.chains.all.flatMap((chain) => {
    const follower = newFollower(chain)
    // A node may keep the traces of new blocks alone: what it lacks of old ones is another matter.
    const earlier = { ...newFollower(chain), holder: follower.holder }
    const turns = [
      { turn: () => passing(deps, follower), failed: notFollowed },
      { turn: () => comparing(deps, follower), failed: notFollowed },
      { turn: () => readingEarlier(deps, earlier, follower), failed: notReadEarlier },
      { turn: () => forgetting(deps, follower), failed: notForgotten },
    ]
    return turns.map((turning) => loop(deps, { ...turning, network: chain.network.id }, signal))
  })
  return {
    stop: async () => {
      stopping.abort()
      await Promise.all(loops)
    },
  }
}

const notFollowed = 'a chain was not followed'
const notForgotten = 'old headers of a chain were not deleted'
const notReadEarlier = 'earlier blocks of a chain were not read'

type Turning = {
  readonly network: string
  /** What is said when it fails. */
  readonly failed: string
  /** @returns how long to wait for the next one */
  readonly turn: () => Promise<number>
}

async function loop(
  { log }: FollowDeps,
  { network, turn, failed: message }: Turning,
  signal: AbortSignal,
): Promise<void> {
  for (let failed = 0; !signal.aborted;) {
    const delay = await turn().then(
      (wait) => {
        failed = 0
        return wait
      },
      (error: unknown) => {
        log.warn({ err: error, network }, message)
        return Math.min(idleMs * 2 ** failed++, troubledMsMax)
      },
    )
    await pause(delay, signal)
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal })
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

async function passing(deps: FollowDeps, follower: Follower): Promise<number> {
  const passed = await follow(deps, follower)
  if (passed === 'more') return 0
  return passed === 'idle' ? idleMs : pollMs
}

async function readingEarlier(
  deps: FollowDeps,
  earlier: Follower,
  { watched }: Follower,
): Promise<number> {
  earlier.watched = watched
  const read = await readEarlier(deps, earlier)
  if (read === 'more') return 0
  return read === 'idle' ? idleMs : doneMs
}

async function comparing(deps: FollowDeps, follower: Follower): Promise<number> {
  await compareBalances(deps, follower)
  return compareMs
}

async function forgetting(deps: FollowDeps, follower: Follower): Promise<number> {
  return (await forgetHeaders(deps, follower)) === 'more' ? forgetMs : forgottenMs
}
