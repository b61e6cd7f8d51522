import assert from 'node:assert/strict'
import { equalBytes } from '@quorate/core/bytes'
import { hashOf } from '@quorate/core/hash'
import { addToRows } from '../kernel/bits.ts'
import type { Scalar, Weights } from '../kernel/numbers.ts'
import { expand, tweakedHash } from './cipher.ts'
import type { EcdsaCurve } from './curve.ts'
import type { Rows } from './extension.ts'
import { maskedSize, rowCount, scalarSize } from './parameters.ts'
import { asBytes, toWords } from './words.ts'

/** The sender's one message. */
export type ProductMessage = {
  /** ã: for each row and column, pad 0 - pad 1 + factor, least significant byte first. */
  readonly masked: Uint8Array
  /** η */
  readonly combined: Scalar
  /** H(μ) */
  readonly proof: Uint8Array
}

/** By the nonce, and by the part of the key. */
export type Two = readonly [Scalar, Scalar]

/**
 * The vector multiplication of DKLs23 (ePrint 2023/765), protocol 5.2, with ℓ = 2 and ρ = 1. The
 * receiver's factor is the sum of the gadget's entries its choice selects: step 1.
 */
export function factorOf({ scalars }: EcdsaCurve, gadget: Weights, choice: Uint32Array): Scalar {
  return scalars.select(gadget, asBytes(choice))
}

/**
 * Steps 2 to 5, sender's side: a message for the receiver, and shares -Σ g_j α0_j of the products.
 *
 * @param sid names this multiplication alone: the pads must never meet a second choice or factor
 * @param blind â, uniform
 */
export function multiplyAsSender(
  curve: EcdsaCurve,
  sid: Uint8Array,
  secrets: { readonly rows: Rows; readonly delta: Uint8Array; readonly gadget: Weights },
  { factors, blind }: { readonly factors: Two; readonly blind: Scalar },
): { readonly message: ProductMessage; readonly shares: Two } {
  const { rows, delta, gadget } = secrets
  const pads = padsOf(curve, sid, rows)
  const others = padsOf(curve, sid, toWords(addToRows(asBytes(rows), delta)))
  const masked = curve.scalars.mask(pads, others, [...factors, blind])
  const closed = closeMultiplication(curve, sid, { masked, pads, gadget, factors, blind })
  pads.fill(0)
  others.fill(0)
  return closed
}

type Open = {
  readonly masked: Uint8Array
  readonly pads: Uint8Array
  readonly gadget: Weights
  readonly factors: Two
  readonly blind: Scalar
}

/** Steps 4 and 5: the check's answer to the challenge that the masked factors give rise to. */
export function closeMultiplication(
  curve: EcdsaCurve,
  sid: Uint8Array,
  { masked, pads, gadget, factors, blind }: Open,
): { readonly message: ProductMessage; readonly shares: Two } {
  const { group, scalars } = curve
  const theta = thetaOf(curve, sid, masked)
  const combined = factors.reduce(
    (sum, factor, i) =>
      scalars.add(sum, scalars.multiply(factor, group.scalarToBytes(theta[i] ?? 0n))),
    blind,
  )
  const { mu, sums } = scalars.close({ pads, weights: gadget, theta })
  const zero = new Uint8Array(scalarSize)
  const [first, second] = sums
  return {
    message: { masked, combined, proof: proofOf(sid, mu) },
    shares: [scalars.subtract(zero, first), scalars.subtract(zero, second)],
  }
}

/**
 * Steps 6 to 8, receiver's side: shares of the products that with the sender's add up to factor ·
 * chosen.
 * @returns nothing when the sender did not use one factor in all rows, or bet on bits of the choice
 *   and lost: the pair is burned
 */
export function multiplyAsReceiver(
  curve: EcdsaCurve,
  sid: Uint8Array,
  secrets: { readonly rows: Rows; readonly choice: Uint32Array; readonly gadget: Weights },
  { masked, combined, proof }: ProductMessage,
): Two | undefined {
  const pads = padsOf(curve, sid, secrets.rows)
  const theta = thetaOf(curve, sid, masked)
  const chosen = { masked, choice: asBytes(secrets.choice), due: combined }
  const { mu, sums } = curve.scalars.close({ pads, weights: secrets.gadget, theta, chosen })
  pads.fill(0)
  if (!equalBytes(proofOf(sid, mu), proof)) return undefined
  return sums
}

/** Is every entry of a message below the order, as any honest sender's is? Public numbers only. */
export function isMasked({ group }: EcdsaCurve, masked: Uint8Array): boolean {
  if (masked.length !== maskedSize) return false
  const view = new DataView(masked.buffer, masked.byteOffset, masked.length)
  const highest = Number(group.order >> 224n)
  for (let at = 0; at < masked.length; at += scalarSize) {
    // Few numbers begin as the order does, or higher: only those need the exact comparison.
    if (view.getUint32(at + scalarSize - 4, true) < highest) continue
    const entry = masked.slice(at, at + scalarSize).reverse()
    if (group.scalarFromBytes(entry) === undefined) return false
  }
  return true
}

/**
 * Three numbers for each row, least significant byte first. As residues each is within 2^-127 of
 * uniform, which is as near as the rest of the construction needs: 256 bits are enough for an order next
 * to 2^256, any other takes 128 bits more than it has.
 */
export function padsOf(curve: EcdsaCurve, sid: Uint8Array, rows: Rows): Uint8Array {
  const key = hashOf('quorate/ecdsa/multiplication/pads/v1', sid)
  const blocksEach = 3 * curve.padBlocks
  const pads = tweakedHash(key, asBytes(rows), { blocksEach, inputsPerIndex: 1 })
  assert(pads.length === rowCount * blocksEach * 16)
  if (curve.padBlocks === 2) return pads
  const narrowed = curve.scalars.narrow(pads)
  pads.fill(0)
  return narrowed
}

function thetaOf(
  { group }: EcdsaCurve,
  sid: Uint8Array,
  masked: Uint8Array,
): readonly [bigint, bigint] {
  const digest = hashOf('quorate/ecdsa/multiplication/masked/v1', sid, masked)
  const wide = expand(96, 'quorate/ecdsa/multiplication/theta/v1', digest)
  return [group.reduce(wide.subarray(0, 48)), group.reduce(wide.subarray(48))]
}

/** H(μ), where μ_j is the check column plus θ times the others, less what is due in the row. */
function proofOf(sid: Uint8Array, mu: Uint8Array): Uint8Array {
  const proof = hashOf('quorate/ecdsa/multiplication/proof/v1', sid, mu)
  mu.fill(0)
  return proof
}
