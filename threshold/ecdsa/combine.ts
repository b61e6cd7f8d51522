import { bytesToBig, concat, equalBytes } from '@quorate/core/bytes'
import { decode } from '@quorate/core/codec'
import type { Point } from '../group/group.ts'
import { verifySignature } from '../public/verify.ts'
import type { Party } from '../session.ts'
import { received } from './abort.ts'
import { curveOf, type EcdsaCurveName, signatureX } from './curve.ts'
import { messagesOf } from './messages.ts'

export type EcdsaSignature = {
  readonly r: Uint8Array
  readonly s: Uint8Array
  readonly recid: 0 | 1
}

export type Combined =
  | { readonly ok: true; readonly signature: EcdsaSignature }
  | { readonly ok: false; readonly reason: string; readonly culprits: readonly Party[] }

/**
 * The signature from the last round's messages: DKLs23, protocol 3.6, step 9. Holds no secret and
 * trusts no party: what it returns verifies under the public key, on secp256k1 with the lower of the
 * two values of s (BIP 62), or nothing is returned. On the Stark curve that is also so, one time in
 * 2^55, if the inverse of s is out of range: then another session, with its own nonce, signs.
 *
 * @param round3 the broadcast of round 3 of each party of the quorum
 */
export function combineEcdsa(input: {
  readonly curve: EcdsaCurveName
  readonly publicKey: Uint8Array
  readonly digest: Uint8Array
  readonly round3: ReadonlyMap<Party, Uint8Array>
}): Combined {
  const { curve, round3 } = input
  const { group, isLowS } = curveOf(curve)
  const { invertPublic, mod, order, scalarToBytes } = group
  const parts: Part[] = []
  for (const [party, body] of round3) {
    const part = readPart(curve, body)
    if (part === undefined) return refuse('malformed', party)
    parts.push(part)
  }
  const [first] = parts
  if (first === undefined || parts.length < 2) return refuse('too few parts')
  for (const { noncePoint, view } of parts)
    if (!equalBytes(view, first.view) || !equalBytes(noncePoint, first.noncePoint))
      return refuse('the parties are not of one mind')

  const r = signatureX(curveOf(curve), first.point)
  const numerator = mod(parts.reduce((sum, part) => sum + part.numerator, 0n))
  const denominator = mod(parts.reduce((sum, part) => sum + part.denominator, 0n))
  if (r === undefined || numerator === 0n || denominator === 0n) return refuse('signature')
  const s = mod(numerator * invertPublic(denominator))
  const negate = isLowS && s > order / 2n
  const odd = group.encode(first.point)[0] === 3
  const signature: EcdsaSignature = {
    r,
    s: scalarToBytes(negate ? order - s : s),
    recid: odd === negate ? 0 : 1,
  }
  return verifies(input, signature) ? { ok: true, signature } : refuse('signature')
}

type Part = {
  readonly noncePoint: Uint8Array
  readonly point: Point
  readonly view: Uint8Array
  readonly numerator: bigint
  readonly denominator: bigint
}

function readPart(curve: EcdsaCurveName, body: Uint8Array): Part | undefined {
  const { fromWire, scalarFromBytes } = curveOf(curve).group
  const part = received(() => decode(messagesOf(curve).closing, body))
  if (part === undefined) return undefined
  const point = fromWire(part.noncePoint)
  const numerator = scalarFromBytes(part.numerator)
  const denominator = scalarFromBytes(part.denominator)
  if (point === undefined || numerator === undefined || denominator === undefined) return undefined
  return { ...part, point, numerator, denominator }
}

/** Twice, by two ways: the curve's own check, and the nonce point that r, s and recid stand for. */
function verifies(
  input: {
    readonly curve: EcdsaCurveName
    readonly publicKey: Uint8Array
    readonly digest: Uint8Array
  },
  { r, s, recid }: EcdsaSignature,
): boolean {
  const { curve, publicKey, digest } = input
  if (!verifySignature('ECDSA', curve, publicKey, digest, concat(r, s))) return false
  const {
    add,
    decode: pointFrom,
    encode,
    generator,
    invertPublic,
    mod,
    multiplyPublic,
  } = curveOf(curve).group
  const key = pointFrom(publicKey)
  if (key === undefined) return false
  const inverse = invertPublic(bytesToBig(s))
  const hash = mod(mod(bytesToBig(digest)) * inverse)
  const point = add(
    multiplyPublic(generator, hash),
    multiplyPublic(key, mod(bytesToBig(r) * inverse)),
  )
  return equalBytes(encode(point), concat(Uint8Array.of(2 + recid), r))
}

function refuse(reason: string, ...culprits: readonly Party[]): Combined {
  return { ok: false, reason, culprits }
}
