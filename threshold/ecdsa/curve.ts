import assert from 'node:assert/strict'
import { bytesToBig } from '@quorate/core/bytes'
import type { Group, GroupName, Point } from '../group/group.ts'
import { groupOf } from '../group/groups.ts'
import { modulusOf } from '../kernel/modular.ts'
import type { Scalar } from '../kernel/numbers.ts'
import { type ScalarKernel, scalarKernel } from '../kernel/scalars.ts'
import type { Random } from '../session.ts'

export type EcdsaCurveName = 'secp256k1' | 'stark'

/** All in which the protocol's curves differ. */
export type EcdsaCurve = {
  readonly group: Group
  readonly scalars: ScalarKernel
  /**
   * Begins the first session id's label, the gadget's, and the name of every message: what was hashed
   * or sent for one curve is nothing on the other.
   */
  readonly domain: string
  /** Blocks of the cipher for a pad: 128 bits more than the order has, or an order next to 2^256. */
  readonly padBlocks: 2 | 3
  /** What r must be below; on the Stark curve also the inverse of s, for `verifySignature`. */
  readonly max: bigint
  /** What the digest must be below. */
  readonly digestMax: bigint
  /** Of s and its opposite, which verify alike, only the lower is given out. */
  readonly isLowS: boolean
}

/** StarkWare's bound, below which digest, r and the inverse of s must be. */
const starkMax = 2n ** 251n

const curves: Readonly<Record<EcdsaCurveName, EcdsaCurve>> = {
  secp256k1: {
    group: groupOf('secp256k1'),
    scalars: scalarKernel(groupOf('secp256k1').secrets, modulusOf(groupOf('secp256k1').order)),
    domain: 'quorate/ecdsa',
    padBlocks: 2,
    max: groupOf('secp256k1').order,
    digestMax: 2n ** 256n,
    isLowS: true,
  },
  stark: {
    group: groupOf('stark'),
    scalars: scalarKernel(groupOf('stark').secrets, modulusOf(groupOf('stark').order)),
    domain: 'quorate/ecdsa-stark',
    padBlocks: 3,
    max: starkMax,
    digestMax: starkMax,
    isLowS: false,
  },
}

/** Uniform, within 2^-256, and never zero. */
export function randomScalar({ scalars }: EcdsaCurve, draw: Random): Scalar {
  const scalar = scalars.reduce(draw(64))
  assert(scalars.isScalar(scalar), 'the source of randomness is broken')
  return scalar
}

/** Of the groups those that ECDSA has; a caller that comes with another is at fault. */
export function ecdsaCurve(name: GroupName): EcdsaCurveName {
  assert(name !== 'ed25519', 'a curve of ECDSA')
  return name
}

/** Can these bytes be signed? On the Stark curve verifiers take none at or above 2^251. */
export function isDigest(curve: EcdsaCurveName, digest: Uint8Array): boolean {
  return digest.length === 32 && bytesToBig(digest) < curveOf(curve).digestMax
}

export function curveOf(name: EcdsaCurveName): EcdsaCurve {
  return curves[name]
}

/**
 * The signature's r, of a nonce point, which is public. An x at or above the curve's bound, one in
 * 2^127 on secp256k1 and one in 2^55 on the Stark curve, makes no signature that verifiers take.
 */
export function signatureX({ group, max }: EcdsaCurve, point: Point): Uint8Array | undefined {
  // The identity has no x, which reads as zero.
  const x = bytesToBig(group.encode(point).subarray(1))
  return x > 0n && x < max ? group.scalarToBytes(x) : undefined
}
