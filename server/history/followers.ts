import { setTimeout as sleep } from 'node:timers/promises'
import type { Chain, Chains } from '../chain/chains.ts'
import type { Database } from '../database/database.ts'
import { follow, type Follower, newFollower } from './follow.ts'

export type FollowLog = {
  warn(context: object, message: string): void
  error(context: object, message: string): void
}
export type FollowDeps = {
  readonly database: Database
  readonly chains: Chains
  readonly log: FollowLog
  readonly now: () => number
}

const pollMs = 700
/** Another server follows, the node does not answer, or people are at work on it. */
const idleMs = 2_000

/** Follows every network that has a node; of several servers, one does at a time. */
export function startFollowers(deps: FollowDeps): { stop(): Promise<void> } {
  const stopping = new AbortController()
  const { signal } = stopping
  const loops = deps.chains.all.map((chain) => loop(deps, newFollower(chain), signal))
  return {
    stop: async () => {
      stopping.abort()
      await Promise.all(loops)
    },
  }
}

async function loop(deps: FollowDeps, follower: Follower, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const delay = await passing(deps, follower)
    try {
      await sleep(delay, undefined, { signal })
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }
}

/** @returns how long to wait for the next look */
async function passing(deps: FollowDeps, follower: Follower): Promise<number> {
  try {
    const passed = await follow(deps, follower)
    if (passed === 'more') return 0
    return passed === 'idle' ? idleMs : pollMs
  } catch (error) {
    deps.log.warn({ err: error, network: networkOf(follower.chain) }, 'a chain was not followed')
    return idleMs
  }
}

function networkOf({ network }: Chain): string {
  return network.id
}
