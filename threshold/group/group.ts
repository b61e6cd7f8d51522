import type { NumberKernel, Scalar } from '../kernel/numbers.ts'
import type { Random } from '../session.ts'

export type GroupName = 'secp256k1' | 'ed25519' | 'stark'

declare const checked: unique symbol
/**
 * An element of the prime-order group, in the form its backend computes with. Only a `Group` makes
 * one, so whoever holds a `Point` holds one that was checked. The bytes are not for the wire.
 */
export type Point = Uint8Array & { readonly [checked]: true }

/**
 * Numbers modulo the order, as 32 bytes: big-endian, for ed25519 little-endian (RFC 8032). A public one
 * is a `bigint`, whose arithmetic takes a time that depends on it; a secret one never is.
 */
export interface Scalars {
  readonly order: bigint
  /** The residue of any whole number, negative ones too. */
  mod(value: bigint): bigint
  /** @param value 0 ≤ value < order */
  scalarToBytes(value: bigint): Uint8Array
  /** Strict: exactly 32 bytes, below the order. Zero is a scalar. */
  scalarFromBytes(bytes: Uint8Array): bigint | undefined
  /** At least 48 bytes to a scalar, so that no residue is favoured by more than 2^-128. */
  reduce(wide: Uint8Array): bigint
  /** Variable time: for public values only. */
  invertPublic(value: bigint): bigint

  /** Arithmetic on secrets, in constant time. */
  readonly secrets: NumberKernel
  /** Uniform, never zero. */
  randomSecret(random: Random): Scalar
}

/**
 * A group of prime order.
 *
 * Multiplications by secrets run in constant time: in the native libraries on secp256k1 and ed25519, in
 * the kernel on the Stark curve.
 */
export interface Group extends Scalars {
  readonly name: GroupName
  readonly generator: Point
  readonly identity: Point

  /** Constant time in `secret`. */
  multiplyBaseBySecret(secret: Scalar): Point
  /** Constant time in `secret`. */
  multiplyBySecret(point: Point, secret: Scalar): Point
  /** A number from 0 to order - 1, which is public. */
  multiplyBase(scalar: bigint): Point
  multiply(point: Point, scalar: bigint): Point
  /** Variable time, and quick for small numbers: public scalars only. */
  multiplyPublic(point: Point, scalar: bigint): Point
  add(a: Point, b: Point): Point
  negate(point: Point): Point
  equal(a: Point, b: Point): boolean

  /** Bytes of a published key: SEC 1 compressed, or RFC 8032. */
  readonly pointSize: number
  encode(point: Point): Uint8Array
  /**
   * Strict: the one canonical encoding of a point on the curve, in the prime-order subgroup, that
   * is not the identity. Anything else is `undefined`.
   */
  decode(bytes: Uint8Array): Point | undefined

  /**
   * The form inside protocol messages. It is `encode`, but on the Stark curve uncompressed: there a
   * square root costs more than a multiplication.
   */
  readonly wireSize: number
  toWire(point: Point): Uint8Array
  /** As strict as `decode`. */
  fromWire(bytes: Uint8Array): Point | undefined
}
