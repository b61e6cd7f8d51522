import libsecp256k1 from 'secp256k1/bindings.js'
import { bytesToBig, concat, equalBytes } from '@quorate/core/bytes'
import { decode } from '@quorate/core/codec'
import { secp256k1 } from '../group/secp256k1.ts'
import type { Party } from '../session.ts'
import { received } from './abort.ts'
import { closing } from './messages.ts'

const { add, encode, invertPublic, mod, multiplyPublic, order } = secp256k1
const { decode: pointFrom, scalarFromBytes, scalarToBytes } = secp256k1

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
 * trusts no party: what it returns verifies under the public key, with the lower of the two values of
 * s (BIP 62), or nothing is returned.
 *
 * @param round3 the broadcast of round 3 of each party of the quorum
 */
export function combineEcdsa(input: {
  readonly publicKey: Uint8Array
  readonly digest: Uint8Array
  readonly round3: ReadonlyMap<Party, Uint8Array>
}): Combined {
  const { publicKey, digest, round3 } = input
  const parts: Part[] = []
  for (const [party, body] of round3) {
    const part = readPart(body)
    if (part === undefined) return refuse('malformed', party)
    parts.push(part)
  }
  const [first] = parts
  if (first === undefined || parts.length < 2) return refuse('too few parts')
  for (const { noncePoint, view } of parts)
    if (!equalBytes(view, first.view) || !equalBytes(noncePoint, first.noncePoint))
      return refuse('the parties are not of one mind')

  const r = bytesToBig(first.noncePoint.subarray(1))
  const numerator = mod(parts.reduce((sum, part) => sum + part.numerator, 0n))
  const denominator = mod(parts.reduce((sum, part) => sum + part.denominator, 0n))
  if (r >= order || numerator === 0n || denominator === 0n) return refuse('signature')
  const s = mod(numerator * invertPublic(denominator))
  const negate = s > order / 2n
  const odd = first.noncePoint[0] === 3
  const signature: EcdsaSignature = {
    r: scalarToBytes(r),
    s: scalarToBytes(negate ? order - s : s),
    recid: odd === negate ? 0 : 1,
  }
  return verifies(publicKey, digest, signature) ? { ok: true, signature } : refuse('signature')
}

type Part = {
  readonly noncePoint: Uint8Array
  readonly view: Uint8Array
  readonly numerator: bigint
  readonly denominator: bigint
}

function readPart(body: Uint8Array): Part | undefined {
  const part = received(() => decode(closing, body))
  if (part === undefined) return undefined
  const numerator = scalarFromBytes(part.numerator)
  const denominator = scalarFromBytes(part.denominator)
  if (numerator === undefined || denominator === undefined) return undefined
  return pointFrom(part.noncePoint) && { ...part, numerator, denominator }
}

/** Twice, by two ways: the library's own check, and the nonce point that r, s and recid stand for. */
function verifies(
  publicKey: Uint8Array,
  digest: Uint8Array,
  { r, s, recid }: EcdsaSignature,
): boolean {
  const key = pointFrom(publicKey)
  if (key === undefined || !libsecp256k1.ecdsaVerify(concat(r, s), digest, publicKey)) return false
  const inverse = invertPublic(bytesToBig(s))
  const hash = mod(mod(bytesToBig(digest)) * inverse)
  const point = add(
    multiplyPublic(secp256k1.generator, hash),
    multiplyPublic(key, mod(bytesToBig(r) * inverse)),
  )
  return equalBytes(encode(point), concat(Uint8Array.of(2 + recid), r))
}

function refuse(reason: string, ...culprits: readonly Party[]): Combined {
  return { ok: false, reason, culprits }
}
