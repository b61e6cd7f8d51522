import { encode } from '@quorate/core/codec'
import type { Scalar } from '../kernel/numbers.ts'
import type { Outcome, Party, Random } from '../session.ts'
import { sessionRandom } from './cipher.ts'
import { curveOf, randomScalar } from './curve.ts'
import { checkContext, type EcdsaContext, firstSid, labelOf, pairWith, peersOf } from './context.ts'
import { extendAsReceiver, type Rows } from './extension.ts'
import { commitTo, digestOf, messagesOf } from './messages.ts'
import { extendedSize } from './parameters.ts'
import { toWords } from './words.ts'

/** What this party holds as receiver of the multiplication with one peer. */
export type Receiving = { readonly choice: Uint32Array; readonly rows: Rows }

/** Secret, in memory only. */
export type EcdsaRound1 = {
  readonly context: EcdsaContext
  readonly first: Uint8Array
  readonly announced: Uint8Array
  /** r_i and what opens the commitment to r_i G. */
  readonly nonce: Scalar
  readonly noncePoint: Uint8Array
  readonly salt: Uint8Array
  /** φ_i: what the signature's equation is multiplied by, so that it can be opened in parts. */
  readonly multiplier: Scalar
  readonly receiving: ReadonlyMap<Party, Receiving>
  /** â: one for each multiplication in which this party sends. */
  readonly blinds: ReadonlyMap<Party, Scalar>
}

/**
 * Round 1 of threshold ECDSA: DKLs23 (ePrint 2023/765), protocol 3.6, steps 1 to 3. Each party commits
 * to its nonce point and opens, as receiver, a multiplication with every peer. Both are independent
 * of the message; the digest is bound into every hash all the same.
 */
export function startEcdsa(context: EcdsaContext, random: Random): Outcome<EcdsaRound1, never> {
  checkContext(context)
  const { self, quorum } = context
  const curve = curveOf(context.curve)
  const messages = messagesOf(context.curve)
  const first = firstSid(context)
  const draw = sessionRandom(random(32), first, context.secret, Uint8Array.of(self, ...quorum))
  const ownNonce = draw(32)
  const salt = draw(32)
  const nonce = randomScalar(curve, draw)
  const multiplier = randomScalar(curve, draw)
  const peers = peersOf(context)
  const receiving = new Map<Party, Receiving>()
  const blinds = new Map<Party, Scalar>()
  const direct = peers.map((peer) => {
    const pair = pairWith(context, peer)
    const label = labelOf(first, pair, { receiver: self, sender: peer }, ownNonce)
    const choice = toWords(draw(extendedSize))
    blinds.set(peer, randomScalar(curve, draw))
    const { message, rows } = extendAsReceiver(label, pair.receiver, choice)
    receiving.set(peer, { choice, rows })
    return { to: peer, body: encode(messages.extension, message) }
  })
  const noncePoint = curve.group.toWire(curve.group.multiplyBaseBySecret(nonce))
  const announced = encode(messages.announcement, {
    nonce: ownNonce,
    commitment: commitTo(first, self, noncePoint, salt),
    epochs: peers.map((peer) => pairWith(context, peer).epoch),
    digests: direct.map(({ to, body }) => digestOf(first, self, to, body)),
  })
  const secrets = { nonce, noncePoint, salt, multiplier, receiving, blinds }
  const state = { context, first, announced, ...secrets }
  return { kind: 'next', state, out: [{ to: '*', body: announced }, ...direct] }
}
