import sodium from 'sodium-native'
import { equalBytes } from '@quorate/core/bytes'
import type { Scalar } from '../kernel/numbers.ts'
import type { Group, Point } from './group.ts'
import { scalarsOf } from './scalars.ts'

const scalars = scalarsOf(
  0x1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3edn,
  'little',
)
const size = 32
const zero = new Uint8Array(size)
/** RFC 8032, 5.1.2: the point (0, 1). */
const identity = new Uint8Array(size) as Point
identity[0] = 1

/** Below this an addition chain costs less than the 250 doublings of libsodium. */
const smallScalarMax = 64n

/** libsodium, all of whose scalar multiplications are constant time. */
export const ed25519: Group = {
  ...scalars,
  name: 'ed25519',
  generator: multiplyBase(1n),
  identity,
  multiplyBase,
  multiply,
  multiplyBaseBySecret,
  multiplyBySecret,
  multiplyPublic: (point, scalar) =>
    scalar <= smallScalarMax ? addUp(point, scalar) : multiply(point, scalar),
  add,
  negate(point) {
    if (equalBytes(point, identity)) return point
    const out = point.slice() as Point
    // The top bit is the sign of x, and no point of odd order but the identity has x = 0.
    out[size - 1] = (out[size - 1] ?? 0) ^ 0x80
    return out
  },
  equal: equalBytes,
  pointSize: size,
  encode,
  decode,
  wireSize: size,
  toWire: encode,
  fromWire: decode,
}

function multiplyBase(scalar: bigint): Point {
  return multiplyBaseBySecret(scalars.scalarToBytes(scalar))
}

function multiply(point: Point, scalar: bigint): Point {
  return multiplyBySecret(point, scalars.scalarToBytes(scalar))
}

function multiplyBaseBySecret(secret: Scalar): Point {
  if (equalBytes(secret, zero)) return identity
  const out = new Uint8Array(size) as Point
  sodium.crypto_scalarmult_ed25519_base_noclamp(out, secret)
  return out
}

function multiplyBySecret(point: Point, secret: Scalar): Point {
  if (equalBytes(secret, zero) || equalBytes(point, identity)) return identity
  const out = new Uint8Array(size) as Point
  sodium.crypto_scalarmult_ed25519_noclamp(out, secret, point)
  return out
}

function add(a: Point, b: Point): Point {
  const out = new Uint8Array(size) as Point
  sodium.crypto_core_ed25519_add(out, a, b)
  return out
}

function addUp(point: Point, scalar: bigint): Point {
  let sum = identity
  for (const bit of scalar.toString(2)) {
    sum = add(sum, sum)
    if (bit === '1') sum = add(sum, point)
  }
  return sum
}

function encode(point: Point): Uint8Array {
  return point.slice()
}

/** libsodium's check covers canonical form, curve, small order and the prime-order subgroup. */
function decode(bytes: Uint8Array): Point | undefined {
  if (bytes.length !== size || !sodium.crypto_core_ed25519_is_valid_point(bytes)) return undefined
  return bytes.slice() as Point
}
