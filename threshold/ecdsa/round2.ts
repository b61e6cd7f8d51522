import assert from 'node:assert/strict'
import { equalBytes } from '@quorate/core/bytes'
import { decode, encode } from '@quorate/core/codec'
import { echoOf } from '../echo.ts'
import type { Scalar } from '../kernel/numbers.ts'
import type { Inbound, Outbound, Outcome, Party } from '../session.ts'
import { blame, burn, only, received } from './abort.ts'
import {
  type EcdsaContext,
  finalSid,
  keyPart,
  labelOf,
  pairWith,
  peersOf,
  productSid,
} from './context.ts'
import { curveOf } from './curve.ts'
import { extendAsSender, type ExtensionMessage, type Rows } from './extension.ts'
import { type Announcement, digestOf, messagesOf } from './messages.ts'
import { factorOf, multiplyAsSender, type Two } from './multiplication.ts'
import { gadgetOf } from './pair.ts'
import type { EcdsaRound1, Receiving } from './round1.ts'
import { spend } from '../spent.ts'

/** What this party holds of its two multiplications with one peer. */
export type Multiplying = Receiving & {
  /** χ, by which the peer's nonce and part of the key are multiplied. */
  readonly factor: Scalar
  /** c^u and c^v, of the multiplication in which this party sends. */
  readonly sent: Two
  readonly commitment: Uint8Array
}

/** Secret, in memory only. */
export type EcdsaRound2 = Pick<
  EcdsaRound1,
  'context' | 'first' | 'nonce' | 'noncePoint' | 'multiplier'
> & {
  readonly final: Uint8Array
  readonly echo: Uint8Array
  /** sk_i and pk_i */
  readonly key: Scalar
  readonly keyPoint: Uint8Array
  readonly peers: ReadonlyMap<Party, Multiplying>
}

type Announced = Announcement & { readonly body: Uint8Array; readonly message: ExtensionMessage }

/**
 * Round 2: DKLs23, protocol 3.6, steps 4 and 5. With all of round 1 at hand the session gets its final
 * id; only under it are the multiplications' pads drawn. Each party checks the peers' extensions,
 * answers their multiplications with its nonce and its part of the key, opens its nonce point and
 * shows what later holds the answers to those points.
 */
export function ecdsaRound2(
  state: EcdsaRound1,
  inbox: readonly Inbound[],
): Outcome<EcdsaRound2, never> {
  spend(state)
  const outcome = answerAll(state, inbox)
  if (outcome.kind === 'abort') forget(state.receiving)
  return outcome
}

/** Overwrites what a party knows as receiver of its multiplications, once it is of no more use. */
export function forget(receiving: ReadonlyMap<Party, Receiving>): void {
  for (const { choice, rows } of receiving.values()) {
    choice.fill(0)
    rows.fill(0)
  }
}

function answerAll(state: EcdsaRound1, inbox: readonly Inbound[]): Outcome<EcdsaRound2, never> {
  const { context, first, announced, nonce, noncePoint, multiplier } = state
  const { self } = context
  const curve = curveOf(context.curve)
  const { group, scalars } = curve
  const peers = peersOf(context)
  const announcements = readRound1(state, inbox)
  if ('kind' in announcements) return announcements
  const rows = extendAll(state, announcements)
  if ('kind' in rows) return rows

  const broadcasts = new Map([[self, announced]])
  for (const [peer, { body }] of announcements) broadcasts.set(peer, body)
  const final = finalSid(first, broadcasts)
  const echo = echoOf(first, 1, broadcasts)
  const key = keyPart(context, final)
  const pointOf = (secret: Scalar): Uint8Array => group.toWire(group.multiplyBaseBySecret(secret))
  const keyPoint = pointOf(key)
  const multiplying = new Map<Party, Multiplying>()
  const out = peers.map((peer): Outbound => {
    const pair = pairWith(context, peer)
    const sid = productSid(final, pair, { receiver: peer, sender: self })
    const gadget = gadgetOf(context.curve, pair)
    const secrets = { rows: taken(rows, peer), delta: pair.sender.delta, gadget }
    const inputs = { factors: [nonce, key], blind: taken(state.blinds, peer) } as const
    const { message, shares } = multiplyAsSender(curve, sid, secrets, inputs)
    const receiving = taken(state.receiving, peer)
    const factor = factorOf(curve, gadget, receiving.choice)
    secrets.rows.fill(0)
    const { commitment } = taken(announcements, peer)
    multiplying.set(peer, { ...receiving, factor, sent: shares, commitment })
    const body = encode(messagesOf(context.curve).product, {
      echo,
      noncePoint,
      salt: state.salt,
      keyPoint,
      ...message,
      nonceShare: pointOf(shares[0]),
      keyShare: pointOf(shares[1]),
      difference: scalars.subtract(multiplier, factor),
    })
    return { to: peer, body }
  })
  const carried = { context, first, nonce, multiplier, final, echo, noncePoint, key, keyPoint }
  return { kind: 'next', state: { ...carried, peers: multiplying }, out }
}

type Aborted = ReturnType<typeof blame>

/** Every peer's two messages, read and held to each other, before any secret meets them. */
function readRound1(
  { context, first }: EcdsaRound1,
  inbox: readonly Inbound[],
): ReadonlyMap<Party, Announced> | Aborted {
  const { self, quorum, t } = context
  const messages = messagesOf(context.curve)
  const announcements = new Map<Party, Announced>()
  for (const peer of peersOf(context)) {
    const body = only(inbox, peer, '*')
    const direct = only(inbox, peer, self)
    if (body === undefined || direct === undefined) return blame('inbox', peer)
    const spoken = received(() => decode(messages.announcement, body))
    const message = received(() => decode(messages.extension, direct))
    if (spoken === undefined || message === undefined || !hasEntries(spoken, t - 1))
      return blame('malformed', peer)
    const place = quorum.filter((party) => party !== peer).indexOf(self)
    // Of two honest parties one may have missed the end of a setup: that must not burn the pair.
    if (!isEntry(spoken.epochs, place, pairWith(context, peer).epoch)) return blame('epoch')
    if (!isEntry(spoken.digests, place, digestOf(first, peer, self, direct)))
      return blame('round 1 digest', peer)
    announcements.set(peer, { ...spoken, body, message })
  }
  return announcements
}

/** Peers that, by what they announce, hold another setup of the pair: what lies behind `epoch`. */
export function partedFrom(context: EcdsaContext, inbox: readonly Inbound[]): readonly Party[] {
  const { self, quorum } = context
  const { announcement } = messagesOf(context.curve)
  return peersOf(context).filter((peer) => {
    const body = only(inbox, peer, '*')
    const spoken = body && received(() => decode(announcement, body))
    const place = quorum.filter((party) => party !== peer).indexOf(self)
    return spoken && !isEntry(spoken.epochs, place, pairWith(context, peer).epoch)
  })
}

function hasEntries({ epochs, digests }: Announcement, count: number): boolean {
  return epochs.length === count && digests.length === count
}

function isEntry(entries: readonly Uint8Array[], place: number, expected: Uint8Array): boolean {
  const entry = entries[place]
  return entry !== undefined && equalBytes(entry, expected)
}

/** The consistency check of every peer's extension: all are made, so that all who fail are named. */
function extendAll(
  { context, first }: EcdsaRound1,
  announcements: ReadonlyMap<Party, Announced>,
): ReadonlyMap<Party, Rows> | Aborted {
  const all = new Map<Party, Rows>()
  const failed: Party[] = []
  for (const [peer, { nonce, message }] of announcements) {
    const pair = pairWith(context, peer)
    const label = labelOf(first, pair, { receiver: peer, sender: context.self }, nonce)
    const rows = extendAsSender(label, pair.sender, message)
    if (rows === undefined) failed.push(peer)
    else all.set(peer, rows)
  }
  return failed.length > 0 ? burn('extension', ...failed) : all
}

/** Every map here has an entry for every peer. */
export function taken<K, V>(map: ReadonlyMap<K, V>, key: K): V {
  const value = map.get(key)
  assert(value !== undefined)
  return value
}
