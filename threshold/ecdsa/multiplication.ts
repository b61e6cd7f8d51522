import { equalBytes } from '@quorate/core/bytes'
import { hashOf } from '@quorate/core/hash'
import { secp256k1 } from '../group/secp256k1.ts'
import { expand, tweakedHash } from './cipher.ts'
import type { Rows } from './extension.ts'
import { areReduced, subtractThenAdd, toBytes, toLimbs, toNumbers } from './limbs.ts'
import { columnCount, maskedSize, rowCount, scalarSize } from './parameters.ts'
import { asBytes, bitAt, toWords, xorInto } from './words.ts'

const { mod } = secp256k1
const rowWords = 4
const padWords = (columnCount * scalarSize) / 4

/** The sender's one message. */
export type ProductMessage = {
  /** ã: for each row and column, pad 0 - pad 1 + factor, least significant byte first. */
  readonly masked: Uint8Array
  /** η */
  readonly combined: bigint
  /** H(μ) */
  readonly proof: Uint8Array
}

/** By the nonce, and by the part of the key. */
export type Two = readonly [bigint, bigint]

/**
 * The vector multiplication of DKLs23 (ePrint 2023/765), protocol 5.2, with ℓ = 2 and ρ = 1. The
 * receiver's factor is the sum of the gadget's entries its choice selects: step 1.
 */
export function factorOf(gadget: readonly bigint[], choice: Uint32Array): bigint {
  return mod(sum(rowCount, (row) => select(bitAt(choice, row), entry(gadget, row))))
}

/**
 * Steps 2 to 5, sender's side: a message for the receiver, and shares -Σ g_j α0_j of the products.
 *
 * @param sid names this multiplication alone: the pads must never meet a second choice or factor
 * @param blind â, uniform
 */
export function multiplyAsSender(
  sid: Uint8Array,
  secrets: { readonly rows: Rows; readonly delta: Uint8Array; readonly gadget: readonly bigint[] },
  factors: Two,
  blind: bigint,
): { readonly message: ProductMessage; readonly shares: Two } {
  const zero = padsOf(sid, secrets.rows)
  const one = padsOf(sid, shifted(secrets.rows, secrets.delta))
  const inputs = Uint32Array.from([...factors, blind].flatMap((input) => [...toLimbs(input)]))
  const masked = asBytes(subtractThenAdd(zero, one, inputs))
  const pads = toNumbers(zero)
  const [first, second] = weigh(secrets.gadget, pads)
  const message = closeMultiplication(sid, { masked, pads, factors, blind })
  return { message, shares: [mod(-first), mod(-second)] }
}

type Open = {
  readonly masked: Uint8Array
  readonly pads: readonly bigint[]
  readonly factors: Two
  readonly blind: bigint
}

/** Steps 4 and 5: the check's answer to the challenge that the masked factors give rise to. */
export function closeMultiplication(
  sid: Uint8Array,
  { masked, pads, factors, blind }: Open,
): ProductMessage {
  const theta = thetaOf(sid, masked)
  const combined = mod(blind + theta[0] * factors[0] + theta[1] * factors[1])
  return { masked, combined, proof: proofOf(sid, theta, pads, () => 0n) }
}

/**
 * Steps 6 to 8, receiver's side: shares of the products that with the sender's add up to factor ·
 * chosen.
 * @returns nothing when the sender did not use one factor in all rows, or bet on bits of the choice
 *   and lost: the pair is burned
 */
export function multiplyAsReceiver(
  sid: Uint8Array,
  secrets: {
    readonly rows: Rows
    readonly choice: Uint32Array
    readonly gadget: readonly bigint[]
  },
  { masked, combined, proof }: ProductMessage,
): Two | undefined {
  const { rows, choice, gadget } = secrets
  const pads = padsOf(sid, rows)
  const nothing = new Uint32Array(pads.length)
  const opened = toNumbers(subtractThenAdd(pads, nothing, chosen(toWords(masked), choice)))
  const theta = thetaOf(sid, masked)
  const due = (row: number): bigint => select(bitAt(choice, row), combined)
  if (!equalBytes(proofOf(sid, theta, opened, due), proof)) return undefined
  return weigh(gadget, opened)
}

/** Is every entry of a message below the order, as any honest sender's is? */
export function isMasked(masked: Uint8Array): boolean {
  return masked.length === maskedSize && areReduced(toWords(masked))
}

/**
 * Three numbers below 2^256 for each row. As residues each is within 2^-127 of uniform, which is as
 * near as the rest of the construction needs.
 */
export function padsOf(sid: Uint8Array, rows: Rows): Uint32Array {
  const key = hashOf('quorate/ecdsa/multiplication/pads/v1', sid)
  return tweakedHash(key, rows, { blocksEach: padWords / 4, inputsPerIndex: 1 })
}

function shifted(rows: Rows, delta: Uint8Array): Rows {
  const secret = toWords(delta)
  const out = rows.slice()
  for (let row = 0; row < rowCount; row++) xorInto(out, row * rowWords, secret, 0, rowWords)
  return out
}

/** What the receiver chose of `masked`: the row where its bit is set, zeros where it is not. */
function chosen(masked: Uint32Array, choice: Uint32Array): Uint32Array {
  for (let row = 0; row < rowCount; row++) {
    const mask = -bitAt(choice, row)
    for (let i = row * padWords; i < (row + 1) * padWords; i++) masked[i] = (masked[i] ?? 0) & mask
  }
  return masked
}

function thetaOf(sid: Uint8Array, masked: Uint8Array): Two {
  const digest = hashOf('quorate/ecdsa/multiplication/masked/v1', sid, masked)
  const wide = expand(96, 'quorate/ecdsa/multiplication/theta/v1', digest)
  return [secp256k1.reduce(wide.subarray(0, 48)), secp256k1.reduce(wide.subarray(48))]
}

/** H(μ), where μ_j is the check column plus θ times the others, less what is due in the row. */
function proofOf(
  sid: Uint8Array,
  theta: Two,
  columns: readonly bigint[],
  due: (row: number) => bigint,
): Uint8Array {
  const line = (row: number): bigint => {
    const at = row * columnCount
    const products = theta[0] * entry(columns, at) + theta[1] * entry(columns, at + 1)
    return mod(products + entry(columns, at + 2) - due(row))
  }
  const mu = toBytes(Array.from({ length: rowCount }, (_, row) => line(row)))
  const proof = hashOf('quorate/ecdsa/multiplication/proof/v1', sid, mu)
  mu.fill(0)
  return proof
}

/** Σ g_j · column_j for the two product columns. */
function weigh(gadget: readonly bigint[], columns: readonly bigint[]): Two {
  const total = (column: number): bigint =>
    mod(sum(rowCount, (row) => entry(gadget, row) * entry(columns, row * columnCount + column)))
  return [total(0), total(1)]
}

function sum(count: number, term: (index: number) => bigint): bigint {
  let total = 0n
  for (let index = 0; index < count; index++) total += term(index)
  return total
}

/** `value` if the bit is set, else zero, by a product and not by a branch. */
function select(bit: number, value: bigint): bigint {
  return BigInt(bit) * value
}

function entry(numbers: readonly bigint[], index: number): bigint {
  return numbers[index] ?? 0n
}
