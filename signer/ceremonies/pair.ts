import assert from 'node:assert/strict'
import { rootOf } from '@quorate/authority/stream'
import { toUtf8 } from '@quorate/core/bytes'
import { hashOf } from '@quorate/core/hash'
import type { Party } from '@quorate/threshold/session'
import type { SessionCall } from '@quorate/wire/link'
import { aborted, refused, type Ceremonies, type Said } from './ceremony.ts'
import type { CeremonyDeps } from './deps.ts'
import { openMail } from './mail.ts'
import { burnPairs, keepPair } from './pairs.ts'
import { work, type Course } from './work.ts'

export type PairCall = Extract<SessionCall, { kind: 'pair' }>

const ceremonyMs = 60_000
/** Nothing in this session's id grows old, so it is remembered for ever. */
const never = Number.MAX_SAFE_INTEGER
const hourMs = 3_600_000
/**
 * Of one pair. An honest server needs one or two; each more costs a tenth of a second of arithmetic,
 * ends what is under way with the pair, and leaves an id of some 50 bytes for ever: at most 14 MB a
 * year for a pair that a server never lets alone.
 */
const setupsPerHourMax = 32

/** What two signers need of each other before an organization's first ECDSA signature. */
export function beginPair(
  deps: CeremonyDeps,
  ceremonies: Ceremonies,
  { organization, participants, nonce }: PairCall,
): Said {
  const { store, self, clock, worker } = deps
  const peer = peerIn(deps, participants)
  if (peer === undefined) return refused('not two signers with this one among them')
  if (store.memory.stopped(organization) !== undefined)
    return refused('the organization stands still')
  if (store.log.newestSeq({ organization, stream: rootOf(organization) }) < 0)
    return refused('there is no such organization')
  if (store.peers.banned().includes(peer)) return { kind: 'banned', peers: [peer] }
  if (store.pairs.find({ organization, peer })?.status === 'burned')
    return { kind: 'unpaired', peers: [peer], burned: [peer] }
  const reason = forbidden(deps, { organization, peer })
  if (reason !== undefined) return refused(reason)
  const now = clock.read()
  if (!now.ok) return refused(now.reason)
  if (ceremonies.isFull(now.time) || worker.isFull()) return { kind: 'busy' }
  const parties = Uint8Array.from(participants)
  const { hash } = self.manifest
  const sid = hashOf('quorate/sid/1', toUtf8('pair'), hash, organization, parties, nonce)
  if (
    store.pairs.countSetup({ organization, peer }, Math.floor(now.time / hourMs)) > setupsPerHourMax
  )
    return refused('too many setups of this pair in an hour')
  if (!store.memory.useSession(sid, never)) return refused('this session has been')
  const course = courseOf({ deps, organization, peer, sid, born: now.time })
  const mail = openMail({ self, protocol: 'pair', ceremony: sid, participants })
  const start = { kind: 'pair', self: self.index, peer, sid } as const
  return ceremonies.begin(mail, { expires: now.time + ceremonyMs }, work(worker, start, course))
}

function peerIn({ self }: CeremonyDeps, participants: readonly Party[]): Party | undefined {
  const [low, high, ...others] = participants
  if (low === undefined || high === undefined || others.length > 0) return undefined
  if (low < 1 || low >= high || high > self.manifest.signers.length) return undefined
  if (low === self.index) return high
  return high === self.index ? low : undefined
}

type Setup = {
  readonly deps: CeremonyDeps
  readonly organization: Uint8Array
  readonly peer: Party
  readonly sid: Uint8Array
  /** When it began. */
  readonly born: number
}

/**
 * Many setups may be under way side by side: a bet that is lost in one is the last in all. What has been
 * worked out by then goes unheard, and nothing of it is kept.
 */
function courseOf(setup: Setup): Course {
  const { deps, organization, sid } = setup
  return {
    sid,
    forbidden: () => forbidden(deps, setup),
    onRound: () => deps.store.pairs.countTest(setup),
    ending: (answer) => {
      if (answer.kind === 'abort') {
        const late = forbidden(deps, setup)
        burnPairs(deps, organization, answer)
        return late === undefined ? aborted(sid, answer) : refused(late)
      }
      assert(answer.kind === 'pair')
      return keepPair(deps, setup, answer)
        ? { kind: 'finished', ceremony: sid }
        : refused(forbidden(deps, setup) ?? 'the pair cannot be kept')
    },
  }
}

/**
 * A burned pair is an operator's to look at. Any other may be replaced at a server's wish, in use or
 * not: else a server could hold back the last packet to one side, and leave two honest signers with
 * halves of different setups for ever. It is no new chance to guess: what was learnt of the old
 * secret is worth nothing for the new one, and whoever has ever lost a bet has burned the pair.
 */
function forbidden({ store }: CeremonyDeps, of: Pick<Setup, 'organization' | 'peer'>) {
  // What an old copy has forgotten may be that this pair is burned.
  if (store.memory.number('restored') === 1) return 'this store is an old one'
  const isBurned = store.pairs.find(of)?.status === 'burned'
  return isBurned ? 'the pair is burned: an operator must look at it' : undefined
}
