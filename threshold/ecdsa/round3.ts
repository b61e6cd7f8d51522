import { bytesToBig, equalBytes } from '@quorate/core/bytes'
import { decode, encode } from '@quorate/core/codec'
import { hashOf } from '@quorate/core/hash'
import type { Point } from '../group/group.ts'
import type { Scalar } from '../kernel/numbers.ts'
import type { Inbound, Outcome, Party } from '../session.ts'
import { blame, burn, type Check, only, received } from './abort.ts'
import { pairWith, peersOf, productSid } from './context.ts'
import { curveOf, type EcdsaCurve, signatureX } from './curve.ts'
import { commitTo, messagesOf, type Product } from './messages.ts'
import { isMasked, multiplyAsReceiver, type Two } from './multiplication.ts'
import { gadgetOf } from './pair.ts'
import { type EcdsaRound2, forget, type Multiplying, taken } from './round2.ts'
import { spend } from '../spent.ts'

/** R, which every honest party of the session has computed alike. */
export type EcdsaResult = { readonly noncePoint: Uint8Array }

/** A product message whose every field is a value of its kind. */
type Given = {
  readonly raw: Product
  readonly noncePoint: Point
  readonly keyPoint: Point
  readonly shares: readonly [Point, Point]
  readonly difference: Scalar
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
  const { context, multiplier } = state
  const curve = curveOf(context.curve)
  const { group, scalars } = curve
  const given = readRound2(state, inbox)
  if ('kind' in given) return given
  const products = multiplyAll(state, given)
  if ('kind' in products) return products

  const noncePoint = total(curve, state.noncePoint, given, (peer) => peer.noncePoint)
  const keyPoint = total(curve, state.keyPoint, given, (peer) => peer.keyPoint)
  // Nobody can be named: any of the parts may be the one that is off.
  if (!equalBytes(group.encode(keyPoint), context.publicKey)) return blame('public key')
  const x = signatureX(curve, noncePoint)
  if (x === undefined) return blame('nonce')

  const hash = group.scalarToBytes(group.mod(bytesToBig(context.digest)))
  const [u, v] = shareProducts(state, given, products)
  const [byHash, byX] = [scalars.multiply(hash, multiplier), scalars.multiply(x, v)]
  const body = encode(messagesOf(context.curve).closing, {
    noncePoint: group.toWire(noncePoint),
    view: viewOf(state, given),
    numerator: scalars.add(byHash, byX),
    denominator: u,
  })
  const result = { noncePoint: group.toWire(noncePoint) }
  return { kind: 'done', result, out: [{ to: '*', body }] }
}

/** u_i and v_i: this party's shares of the nonce and of the key, times all multipliers. */
function shareProducts(
  { context, nonce, key, multiplier, peers }: EcdsaRound2,
  given: ReadonlyMap<Party, Given>,
  products: ReadonlyMap<Party, Two>,
): Two {
  const { add, multiply } = curveOf(context.curve).scalars
  const all = [...given.values()].reduce((sum, peer) => add(sum, peer.difference), multiplier)
  return [...products].reduce<Two>(
    ([u, v], [peer, own]) => {
      const { sent } = taken(peers, peer)
      return [add(u, add(sent[0], own[0])), add(v, add(sent[1], own[1]))]
    },
    [multiply(nonce, all), multiply(key, all)],
  )
}

type Aborted = ReturnType<typeof blame>

/** All that can be refused without touching a secret, for all peers, before any secret is touched. */
function readRound2(
  { context, first, echo, peers }: EcdsaRound2,
  inbox: readonly Inbound[],
): ReadonlyMap<Party, Given> | Aborted {
  const curve = curveOf(context.curve)
  const { product } = messagesOf(context.curve)
  const all = new Map<Party, Given>()
  for (const peer of peersOf(context)) {
    const body = only(inbox, peer, context.self)
    if (body === undefined) return blame('inbox', peer)
    const given = received(() => decode(product, body))
    const parsed = given && parse(curve, given)
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

function parse(curve: EcdsaCurve, raw: Product): Given | undefined {
  const { fromWire, scalarFromBytes } = curve.group
  const noncePoint = fromWire(raw.noncePoint)
  const keyPoint = fromWire(raw.keyPoint)
  const nonceShare = fromWire(raw.nonceShare)
  const keyShare = fromWire(raw.keyShare)
  const areScalars = [raw.combined, raw.difference].every(
    (bytes) => scalarFromBytes(bytes) !== undefined,
  )
  if (noncePoint === undefined || keyPoint === undefined) return undefined
  if (nonceShare === undefined || keyShare === undefined) return undefined
  if (!areScalars || !isMasked(curve, raw.masked)) return undefined
  return { raw, noncePoint, keyPoint, shares: [nonceShare, keyShare], difference: raw.difference }
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
  { raw, noncePoint, keyPoint, shares }: Given,
): Two | Check {
  const curve = curveOf(context.curve)
  const pair = pairWith(context, peer)
  const own = taken(peers, peer)
  const sid = productSid(final, pair, { receiver: context.self, sender: peer })
  const gadget = gadgetOf(context.curve, pair)
  const products = multiplyAsReceiver(curve, sid, { ...own, gadget }, raw)
  if (products === undefined) return 'multiplication'
  if (!isProduct(curve, own, { point: noncePoint, theirs: shares[0], mine: products[0] }))
    return 'nonce product'
  if (!isProduct(curve, own, { point: keyPoint, theirs: shares[1], mine: products[1] }))
    return 'key product'
  return products
}

/** χ · point = Γ + d · G: the two shares add up to χ times the point's logarithm. */
function isProduct(
  { group }: EcdsaCurve,
  { factor }: Multiplying,
  { point, theirs, mine }: { readonly point: Point; readonly theirs: Point; readonly mine: Scalar },
): boolean {
  const sum = group.add(theirs, group.multiplyBaseBySecret(mine))
  return group.equal(group.multiplyBySecret(point, factor), sum)
}

function total(
  { group }: EcdsaCurve,
  own: Uint8Array,
  given: ReadonlyMap<Party, Given>,
  part: (given: Given) => Point,
): Point {
  const start = group.fromWire(own) ?? group.identity
  return [...given.values()].reduce((sum, peer) => group.add(sum, part(peer)), start)
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
