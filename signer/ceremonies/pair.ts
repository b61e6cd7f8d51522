import { rootOf } from '@quorate/authority/stream'
import { toUtf8 } from '@quorate/core/bytes'
import { hashOf } from '@quorate/core/hash'
import type { PairState } from '@quorate/threshold/ecdsa/pair'
import { pairSetupStep, startPairSetup, type PairSetup } from '@quorate/threshold/ecdsa/pair-setup'
import type { Inbound, Outcome, Party } from '@quorate/threshold/session'
import type { SessionCall, SessionReply } from '@quorate/wire/link'
import { aborted, end, refused, type Ceremonies, type Move } from './ceremony.ts'
import type { CeremonyDeps } from './deps.ts'
import { openMail } from './mail.ts'
import { burnPairs, keepPair } from './pairs.ts'

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
): SessionReply {
  const { store, self, clock, random } = deps
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
  if (ceremonies.isFull(now.time)) return { kind: 'busy' }
  const parties = Uint8Array.from(participants)
  const { hash } = self.manifest
  const sid = hashOf('quorate/sid/1', toUtf8('pair'), hash, organization, parties, nonce)
  if (
    store.pairs.countSetup({ organization, peer }, Math.floor(now.time / hourMs)) > setupsPerHourMax
  )
    return refused('too many setups of this pair in an hour')
  if (!store.memory.useSession(sid, never)) return refused('this session has been')
  const setup = { deps, organization, peer, sid, now: now.time }
  const mail = openMail({ self, protocol: 'pair', ceremony: sid, participants })
  const first = startPairSetup({ self: self.index, peer, sid }, random)
  return ceremonies.begin(mail, { expires: now.time + ceremonyMs }, moveOf(setup, first))
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
  readonly now: number
}

function moveOf(setup: Setup, outcome: Outcome<PairSetup, PairState>): Move {
  const { deps, sid } = setup
  if (outcome.kind === 'abort') {
    burnPairs(deps, setup.organization, outcome.abort)
    return end(aborted(sid, outcome.abort))
  }
  if (outcome.kind === 'done')
    return end(
      keepPair(deps, setup, outcome.result, setup.now)
        ? { kind: 'finished', ceremony: sid }
        : refused(forbidden(deps, setup) ?? 'the pair cannot be kept'),
    )
  const { state, out } = outcome
  return { kind: 'next', out, proceed: (inbox) => goOn(setup, state, inbox) }
}

/** Many setups may be under way side by side: a bet that is lost in one is the last in all. */
function goOn(setup: Setup, state: PairSetup, inbox: readonly Inbound[]): Move {
  const reason = forbidden(setup.deps, setup)
  if (reason !== undefined) return end(refused(reason))
  setup.deps.store.pairs.countTest(setup)
  return moveOf(setup, pairSetupStep(state, inbox))
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
