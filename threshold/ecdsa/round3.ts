import { bytesToBig, equalBytes } from '@quorate/core/bytes'
import { decode, encode } from '@quorate/core/codec'
import { hashOf } from '@quorate/core/hash'
import type { Point } from '../group/group.ts'
import { secp256k1 } from '../group/secp256k1.ts'
import type { Inbound, Outcome, Party } from '../session.ts'
import { blame, burn, type Check, only, received } from './abort.ts'
import { pairWith, peersOf, productSid } from './context.ts'
import { closing, commitTo, product, type Product } from './messages.ts'
import { isMasked, multiplyAsReceiver, type Two } from './multiplication.ts'
import { type EcdsaRound2, forget, type Multiplying, taken } from './round2.ts'
import { spend } from './spent.ts'

const { add, decode: pointFrom, encode: pointBytes, equal, mod, multiply, multiplyBase } = secp256k1

/** R, which every honest party of the session has computed alike. */
export type EcdsaResult = { readonly noncePoint: Uint8Array }

/** A product message whose every field is a value of its kind. */
type Given = {
  readonly raw: Product
  readonly noncePoint: Point
  readonly keyPoint: Point
  readonly shares: readonly [Point, Point]
  readonly combined: bigint
  readonly difference: bigint
}

/**
 * Round 3: DKLs23, protocol 3.6, steps 6 to 8. Every answer is checked: the peers saw the same round
 * 1, the nonce points are those committed to, each multiplication was by one factor, that factor is
 * the logarithm of the nonce point and of the key point, and the key points add up to the public key.
 * Only then does this party give its part of the signature, which is what the message goes into: it
 * must not leave before the certificate has been verified.
 */
export function ecdsaRound3(
  state: EcdsaRound2,
  inbox: readonly Inbound[],
): Outcome<never, EcdsaResult> {
  spend(state)
  const outcome = close(state, inbox)
  forget(state.peers)
  return outcome
}

function close(state: EcdsaRound2, inbox: readonly Inbound[]): Outcome<never, EcdsaResult> {
  const { context, nonce, key, multiplier } = state
  const given = readRound2(state, inbox)
  if ('kind' in given) return given
  const products = multiplyAll(state, given)
  if ('kind' in products) return products

  const noncePoint = total(state.noncePoint, given, (peer) => peer.noncePoint)
  const keyPoint = total(state.keyPoint, given, (peer) => peer.keyPoint)
  // Nobody can be named: any of the parts may be the one that is off.
  if (!equalBytes(pointBytes(keyPoint), context.publicKey)) return blame('public key')
  const x = xOf(noncePoint)
  if (x === undefined) return blame('nonce')

  let all = multiplier
  for (const { difference } of given.values()) all += difference
  let [u, v] = [nonce * all, key * all]
  for (const [peer, received] of products) {
    const { sent } = taken(state.peers, peer)
    u += sent[0] + received[0]
    v += sent[1] + received[1]
  }
  const numerator = mod(bytesToBig(context.digest) * multiplier + x * v)
  const body = encode(closing, {
    noncePoint: pointBytes(noncePoint),
    view: viewOf(state, given),
    numerator: secp256k1.scalarToBytes(numerator),
    denominator: secp256k1.scalarToBytes(mod(u)),
  })
  return {
    kind: 'done',
    result: { noncePoint: pointBytes(noncePoint) },
    out: [{ to: '*', body }],
  }
}

type Aborted = ReturnType<typeof blame>

/** All that can be refused without touching a secret, for all peers, before any secret is touched. */
function readRound2(
  { context, first, echo, peers }: EcdsaRound2,
  inbox: readonly Inbound[],
): ReadonlyMap<Party, Given> | Aborted {
  const all = new Map<Party, Given>()
  for (const peer of peersOf(context)) {
    const body = only(inbox, peer, context.self)
    if (body === undefined) return blame('inbox', peer)
    const given = received(() => decode(product, body))
    const parsed = given && parse(given)
    if (parsed === undefined) return blame('malformed', peer)
    all.set(peer, parsed)
  }
  // First of all: under another final sid every later check would fail, and burn honest pairs.
  for (const { raw } of all.values()) if (!equalBytes(raw.echo, echo)) return blame('echo')
  for (const [peer, { raw }] of all) {
    const commitment = commitTo(first, peer, raw.noncePoint, raw.salt)
    if (!equalBytes(commitment, taken(peers, peer).commitment)) return blame('commitment', peer)
  }
  return all
}

function parse(raw: Product): Given | undefined {
  const noncePoint = pointFrom(raw.noncePoint)
  const keyPoint = pointFrom(raw.keyPoint)
  const nonceShare = pointFrom(raw.nonceShare)
  const keyShare = pointFrom(raw.keyShare)
  const combined = secp256k1.scalarFromBytes(raw.combined)
  const difference = secp256k1.scalarFromBytes(raw.difference)
  if (noncePoint === undefined || keyPoint === undefined) return undefined
  if (nonceShare === undefined || keyShare === undefined) return undefined
  if (combined === undefined || difference === undefined || !isMasked(raw.masked)) return undefined
  return { raw, noncePoint, keyPoint, shares: [nonceShare, keyShare], combined, difference }
}

/** This party's shares of the products, peer by peer; all are checked, so that all who fail burn. */
function multiplyAll(
  state: EcdsaRound2,
  given: ReadonlyMap<Party, Given>,
): ReadonlyMap<Party, Two> | Aborted {
  const all = new Map<Party, Two>()
  const failed = new Map<Party, Check>()
  for (const [peer, message] of given) {
    const result = multiplyWith(state, peer, message)
    if (typeof result === 'string') failed.set(peer, result)
    else all.set(peer, result)
  }
  const [reason] = failed.values()
  return reason === undefined ? all : burn(reason, ...failed.keys())
}

function multiplyWith(
  { context, final, peers }: EcdsaRound2,
  peer: Party,
  { raw, noncePoint, keyPoint, shares, combined }: Given,
): Two | Check {
  const pair = pairWith(context, peer)
  const own = taken(peers, peer)
  const sid = productSid(final, pair, { receiver: context.self, sender: peer })
  const secrets = { rows: own.rows, choice: own.choice, gadget: pair.gadget }
  const { masked, proof } = raw
  const products = multiplyAsReceiver(sid, secrets, { masked, combined, proof })
  if (products === undefined) return 'multiplication'
  if (!isProduct(own, noncePoint, shares[0], products[0])) return 'nonce product'
  if (!isProduct(own, keyPoint, shares[1], products[1])) return 'key product'
  return products
}

/** χ · point = Γ + d · G: the two shares add up to χ times the point's logarithm. */
function isProduct({ factor }: Multiplying, point: Point, theirs: Point, own: bigint): boolean {
  return equal(multiply(point, factor), add(theirs, multiplyBase(own)))
}

function total(
  own: Uint8Array,
  given: ReadonlyMap<Party, Given>,
  part: (given: Given) => Point,
): Point {
  const start = pointFrom(own) ?? secp256k1.identity
  return [...given.values()].reduce((sum, peer) => add(sum, part(peer)), start)
}

/** The signature's r. An x at or above the order, one in 2^127, would need a third recovery bit. */
function xOf(point: Point): bigint | undefined {
  const bytes = pointBytes(point)
  const x = bytesToBig(bytes.subarray(1))
  return x > 0n && x < secp256k1.order ? x : undefined
}

function viewOf(
  { context, final, noncePoint, keyPoint }: EcdsaRound2,
  given: ReadonlyMap<Party, Given>,
): Uint8Array {
  const points = context.quorum.flatMap((party) => {
    const peer = given.get(party)?.raw
    return [peer?.noncePoint ?? noncePoint, peer?.keyPoint ?? keyPoint]
  })
  return hashOf('quorate/ecdsa/view/v1', final, ...points)
}
