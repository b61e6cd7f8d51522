import assert from 'node:assert/strict'
import type { Group } from '../group/group.ts'
import { groupOf } from '../group/groups.ts'
import { type Scalar, type ScalarKernel, scalarKernel } from '../kernel/scalars.ts'
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
  /** What r must be below; on the Stark curve also the digest and the inverse of s. */
  readonly max: bigint
  /** Of s and its opposite, which verify alike, only the lower is given out. */
  readonly isLowS: boolean
}

/** StarkWare's bound, below which digest, r and the inverse of s must be. */
const starkMax = 2n ** 251n

const curves: Readonly<Record<EcdsaCurveName, EcdsaCurve>> = {
  secp256k1: {
    group: groupOf('secp256k1'),
    scalars: scalarKernel({ value: groupOf('secp256k1').order, bits: 256 }),
    domain: 'quorate/ecdsa',
    padBlocks: 2,
    max: groupOf('secp256k1').order,
    isLowS: true,
  },
  stark: {
    group: groupOf('stark'),
    scalars: scalarKernel({ value: groupOf('stark').order, bits: 251 }),
    domain: 'quorate/ecdsa-stark',
    padBlocks: 3,
    max: starkMax,
    isLowS: false,
  },
}

/** Uniform, within 2^-256, and never zero. */
export function randomScalar({ scalars }: EcdsaCurve, draw: Random): Scalar {
  const scalar = scalars.reduce(draw(64))
  assert(scalars.isScalar(scalar), 'the source of randomness is broken')
  return scalar
}

export function curveOf(name: EcdsaCurveName): EcdsaCurve {
  return curves[name]
}
