import { secp256k1, secp256k1_hasher } from '@noble/curves/secp256k1.js'
import { bytesToBig } from '@quorate/core/bytes'
import { isFailure } from '@quorate/core/failure'
import { sha256, sha512, transcript } from '@quorate/core/hash'
import { decodeDerived, type Derivation } from '@quorate/effects/instruction'

const { Point } = secp256k1
const { Fn } = Point
type Point = InstanceType<typeof Point>

export type DerivationClaim = {
  /** Of the key, compressed, out of its certificate. */
  readonly publicKey: Uint8Array
  readonly domain: Uint8Array
  readonly seed: Uint8Array
  /** What came with the output. */
  readonly proof: Uint8Array
}

/**
 * The 32 bytes that this key gives for this domain and seed, if the proof shows it: without asking a
 * server, and without any knowledge of the signers. The public shares that the proof names need not be
 * anybody's: as they add up to the public key, their multiples add up to the key's (docs/protocols/dh.md).
 */
export function verifyDerivation({
  publicKey,
  domain,
  seed,
  proof,
}: DerivationClaim): Uint8Array | undefined {
  if (domain.length === 0) return undefined
  const input = secp256k1_hasher.hashToCurve(seed, { DST: domain })
  try {
    const derived = decodeDerived(proof)
    const quorum = derived.partials.map(({ signer }) => signer)
    if (quorum.some((signer, i) => signer <= (quorum[i - 1] ?? 0))) return undefined
    const parts = partsOf(derived)
    const key = Point.fromBytes(publicKey)
    const isWhole =
      interpolate(parts, ({ publicShare }) => publicShare).equals(key) &&
      interpolate(parts, ({ result }) => result).equals(Point.fromBytes(derived.point))
    const isProven = parts.every((part) => isPartProven({ sid: derived.sid, key, input }, part))
    return isWhole && isProven ? sha256(derived.point) : undefined
  } catch (error) {
    // noble refuses what is no point or no scalar by an error of no class of its own.
    if (isFailure(error) && !isFailure(error, 'bytes.malformed')) throw error
    return undefined
  }
}

type Part = {
  readonly signer: number
  readonly publicShare: Point
  readonly result: Point
  readonly challenge: bigint
  readonly response: bigint
}

function partsOf({ partials }: Derivation): readonly Part[] {
  return partials.map(({ signer, publicShare, partial }) => ({
    signer,
    publicShare: Point.fromBytes(publicShare),
    result: Point.fromBytes(partial.slice(0, 33)),
    challenge: Fn.fromBytes(partial.slice(33, 65)),
    response: Fn.fromBytes(partial.slice(65)),
  }))
}

type Proven = { readonly sid: Uint8Array; readonly key: Point; readonly input: Point }

function isPartProven({ sid, key, input }: Proven, part: Part): boolean {
  const { signer, publicShare, result, challenge, response } = part
  const back = (base: Point, multiple: Point): Point =>
    base.multiplyUnsafe(response).subtract(multiple.multiplyUnsafe(challenge))
  const points = [publicShare, input, result, back(Point.BASE, publicShare), back(input, result)]
  const encoded = points.map((point) => point.toBytes(true))
  const parts = [sid, key.toBytes(true), Uint8Array.of(signer), ...encoded]
  return Fn.create(bytesToBig(sha512(transcript('quorate/dh/proof/v1', ...parts)))) === challenge
}

/** At zero, in the exponent. */
function interpolate(parts: readonly Part[], pointOf: (part: Part) => Point): Point {
  return parts.reduce((sum, part) => {
    const others = parts.filter((other) => other !== part)
    const weight = others.reduce((product, { signer }) => {
      const distance = Fn.create(BigInt(signer - part.signer))
      return Fn.mul(product, Fn.div(BigInt(signer), distance))
    }, 1n)
    return sum.add(pointOf(part).multiplyUnsafe(weight))
  }, Point.ZERO)
}
