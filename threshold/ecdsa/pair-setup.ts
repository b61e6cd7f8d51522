import assert from 'node:assert/strict'
import { equalBytes } from '@quorate/core/bytes'
import { type Decoded, decode, encode, fixed, hash32, struct, tag } from '@quorate/core/codec'
import { hashOf } from '@quorate/core/hash'
import type { Inbound, Outcome, Party, Random } from '../session.ts'
import { blame, burn, only, received } from './abort.ts'
import {
  type ChoiceSecrets,
  choose,
  offer,
  type OfferSecrets,
  receiveKeys,
  sendKeys,
} from './base-ot.ts'
import { sessionRandom } from './cipher.ts'
import type { PairState } from './pair.ts'
import {
  deltaBits,
  elementSize,
  offersSize,
  slotsSize,
  treeCorrectionsSize,
  treeSumsSize,
} from './parameters.ts'
import { multiply, multiplyBase, toScalar } from './ristretto.ts'
import { spend } from '../spent.ts'
import { choicesOf, type Leaves, openTrees, plantTrees } from './tree.ts'

/** `sid`: 32 bytes that no other setup of these two has had. */
export type PairContext = { readonly self: Party; readonly peer: Party; readonly sid: Uint8Array }

const firstMessage = struct({
  format: tag('quorate/ecdsa/pair/1'),
  commitment: hash32,
  exchange: fixed(elementSize),
  offers: fixed(offersSize),
  slots: fixed(slotsSize),
})
const secondMessage = struct({
  format: tag('quorate/ecdsa/pair/2'),
  nonce: hash32,
  salt: hash32,
  corrections: fixed(treeCorrectionsSize),
  sums: fixed(treeSumsSize),
  proof: hash32,
})
const thirdMessage = struct({ format: tag('quorate/ecdsa/pair/3'), confirmation: hash32 })

/** By round. */
export const pairMessages = [firstMessage, secondMessage, thirdMessage] as const

type Secrets = {
  readonly nonce: Uint8Array
  readonly salt: Uint8Array
  readonly exchange: Uint8Array
  readonly offer: OfferSecrets
  readonly choice: ChoiceSecrets
  readonly delta: Uint8Array
}

/** Secret, in memory only. */
export type PairSetup = { readonly context: PairContext } & (
  | { readonly awaits: 1; readonly secrets: Secrets; readonly sent: Uint8Array }
  | {
      readonly awaits: 2
      readonly secrets: Secrets
      readonly first: Exchanged
      readonly sent: Uint8Array
      readonly leaves: Leaves
    }
  | { readonly awaits: 3; readonly pair: PairState }
)
type Exchanged = { readonly mine: Uint8Array; readonly theirs: Uint8Array }
type PairOutcome = Outcome<PairSetup, PairState>

/**
 * The seeds two parties need for every later multiplication, without a dealer: base transfers in both
 * directions (Masny and Rindal 2019), trees with their consistency check (SoftSpoken, section 6), and
 * a commit-and-reveal of the nonces behind the gadget vector and the shares of zero. Three messages
 * each way; both parties run the same program.
 */
export function startPairSetup(context: PairContext, random: Random): PairOutcome {
  const { self, peer, sid } = context
  assert(self !== peer && self > 0 && peer > 0 && sid.length === 32)
  const draw = sessionRandom(random(32), sid, Uint8Array.of(self, peer))
  const delta = draw(deltaBits / 8)
  const secrets: Secrets = {
    nonce: draw(32),
    salt: draw(32),
    exchange: toScalar(draw(64)),
    offer: offer(draw),
    choice: choose(direction(sid, peer, self), choicesOf(delta), draw),
    delta,
  }
  const sent = encode(firstMessage, {
    commitment: commit(context, self, secrets),
    exchange: multiplyBase(secrets.exchange),
    offers: secrets.offer.offers,
    slots: secrets.choice.slots,
  })
  const state: PairSetup = { context, awaits: 1, secrets, sent }
  return { kind: 'next', state, out: [{ to: peer, body: sent }] }
}

export function pairSetupStep(state: PairSetup, inbox: readonly Inbound[]): PairOutcome {
  spend(state)
  const { self, peer } = state.context
  const body = only(inbox, peer, self)
  if (body === undefined) return blame('inbox', peer)
  if (state.awaits === 1) return sendTrees(state, body)
  if (state.awaits === 2) return checkTrees(state, body)
  return finish(state, body)
}

type Awaiting<N extends 1 | 2 | 3> = Extract<PairSetup, { awaits: N }>

function sendTrees({ context, secrets, sent }: Awaiting<1>, body: Uint8Array): PairOutcome {
  const { self, peer, sid } = context
  const theirs = received(() => decode(firstMessage, body))
  if (theirs === undefined) return blame('malformed', peer)
  const towards = direction(sid, self, peer)
  const keys = sendKeys(towards, secrets.offer, theirs.slots)
  if (keys === undefined) return blame('base transfer', peer)
  const { leaves, message } = plantTrees(towards, keys)
  const { nonce, salt } = secrets
  const answer = encode(secondMessage, { nonce, salt, ...message })
  return {
    kind: 'next',
    state: {
      context,
      awaits: 2,
      secrets,
      first: { mine: sent, theirs: body },
      sent: answer,
      leaves,
    },
    out: [{ to: peer, body: answer }],
  }
}

function checkTrees(state: Awaiting<2>, body: Uint8Array): PairOutcome {
  const { context, secrets, first } = state
  const { self, peer, sid } = context
  const theirs = received(() => decode(secondMessage, body))
  if (theirs === undefined) return blame('malformed', peer)
  const { commitment, exchange, offers } = decode(firstMessage, first.theirs)
  if (!equalBytes(commit(context, peer, theirs), commitment)) return blame('commitment', peer)

  const towards = direction(sid, peer, self)
  const shared = multiply(secrets.exchange, exchange)
  const keys = receiveKeys(towards, secrets.choice, offers)
  if (shared === undefined || keys === undefined) return blame('base transfer', peer)
  // Which corrections matter depends on Δ, so a spoilt one is a bet on its bits. This Δ dies if the
  // bet is lost, but a peer that could lose for nothing would come back until it has won.
  const sender = openTrees(towards, secrets.delta, keys, theirs)
  if (sender === undefined) return burn('tree', peer)

  const second = { mine: state.sent, theirs: body }
  const epoch = hashOf('quorate/ecdsa/epoch/v1', sid, ...inOrder(context, first, second))
  const nonces = ordered(context, secrets.nonce, theirs.nonce)
  const pair: PairState = {
    epoch,
    self,
    peer,
    receiver: state.leaves,
    sender,
    zeroSeed: hashOf('quorate/ecdsa/zero-seed/v1', epoch, shared, ...nonces),
    gadgetSeed: hashOf('quorate/ecdsa/gadget-seed/v1', sid, ...nonces),
  }
  return {
    kind: 'next',
    state: { context, awaits: 3, pair },
    out: [{ to: peer, body: confirmationOf(epoch, self) }],
  }
}

function finish({ context, pair }: Awaiting<3>, body: Uint8Array): PairOutcome {
  const { peer } = context
  if (!equalBytes(body, confirmationOf(pair.epoch, peer))) return blame('confirmation', peer)
  return { kind: 'done', result: pair, out: [] }
}

/** Only who has taken the same two messages each way can say it, and says it after its checks. */
function confirmationOf(epoch: Uint8Array, from: Party): Uint8Array {
  const confirmation = hashOf('quorate/ecdsa/pair/confirmation/v1', epoch, Uint8Array.of(from))
  return encode(thirdMessage, { confirmation })
}

/** Of the two directions, the one in which `receiver` receives by the extension. */
function direction(sid: Uint8Array, receiver: Party, sender: Party): Uint8Array {
  return hashOf('quorate/ecdsa/direction/v1', sid, Uint8Array.of(receiver, sender))
}

/** To the nonce that the second message opens. */
export function commit(
  { self, peer, sid }: PairContext,
  from: Party,
  { nonce, salt }: Pick<Decoded<typeof secondMessage>, 'nonce' | 'salt'>,
): Uint8Array {
  const parties = Uint8Array.of(from, from === self ? peer : self)
  return hashOf('quorate/ecdsa/pair/commitment/v1', sid, parties, nonce, salt)
}

function inOrder(context: PairContext, ...rounds: readonly Exchanged[]): readonly Uint8Array[] {
  return rounds.flatMap(({ mine, theirs }) => ordered(context, mine, theirs))
}

/** The lower party's value first, so that both parties hash the same. */
function ordered<T>({ self, peer }: PairContext, mine: T, theirs: T): readonly [T, T] {
  return self < peer ? [mine, theirs] : [theirs, mine]
}
