import { randomBytes } from 'node:crypto'
// Not the package's main entry: that one falls back to a JavaScript curve without a word.
import libsecp256k1 from 'secp256k1/bindings.js'
import { equalBytes } from '@quorate/core/bytes'
import type { Scalar } from '../kernel/numbers.ts'
import type { Group, Point } from './group.ts'
import { scalarsOf } from './scalars.ts'

const scalars = scalarsOf(
  0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n,
  'big',
)
/** SEC 1, 2.3.3: infinity is the single byte zero. All others are held as 04 ‖ x ‖ y. */
const identity = Uint8Array.of(0) as Point
const compressedSize = 33
const zero = new Uint8Array(32)

// Blinds the multiplications of the base point (libsecp256k1, secp256k1_context_randomize).
libsecp256k1.contextRandomize(randomBytes(32))

const isIdentity = (point: Point): boolean => point.length === 1

/** libsecp256k1 (pubkey_create: constant time; ecdh: constant time; tweak_mul: variable time). */
export const secp256k1: Group = {
  ...scalars,
  name: 'secp256k1',
  generator: libsecp256k1.publicKeyCreate(scalars.scalarToBytes(1n), false) as Point,
  identity,
  multiplyBase: (scalar) => multiplyBaseBySecret(scalars.scalarToBytes(scalar)),
  multiply: (point, scalar) => multiplyBySecret(point, scalars.scalarToBytes(scalar)),
  multiplyBaseBySecret,
  multiplyBySecret,
  multiplyPublic(point, scalar) {
    if (scalar === 0n || isIdentity(point)) return identity
    return libsecp256k1.publicKeyTweakMul(point, scalars.scalarToBytes(scalar), false) as Point
  },
  add(a, b) {
    if (isIdentity(a)) return b
    if (isIdentity(b)) return a
    // The binding throws on an infinite sum, and for nothing else once both points are checked.
    if (isOpposite(a, b)) return identity
    return libsecp256k1.publicKeyCombine([a, b], false) as Point
  },
  negate: (point) =>
    isIdentity(point) ? point : (libsecp256k1.publicKeyNegate(point, false) as Point),
  equal: equalBytes,
  pointSize: compressedSize,
  encode,
  decode,
  wireSize: compressedSize,
  toWire: encode,
  fromWire: decode,
}

function multiplyBaseBySecret(secret: Scalar): Point {
  if (equalBytes(secret, zero)) return identity
  return libsecp256k1.publicKeyCreate(secret, false) as Point
}

function multiplyBySecret(point: Point, secret: Scalar): Point {
  if (equalBytes(secret, zero) || isIdentity(point)) return identity
  const out = new Uint8Array(65)
  libsecp256k1.ecdh(point, secret, { hashfn: uncompressed }, out)
  return out as Point
}

function encode(point: Point): Uint8Array {
  return isIdentity(point) ? point.slice() : libsecp256k1.publicKeyConvert(point, true)
}

function decode(bytes: Uint8Array): Point | undefined {
  // By length: libsecp256k1 would take the uncompressed and the hybrid form as well.
  if (bytes.length !== compressedSize || !libsecp256k1.publicKeyVerify(bytes)) return undefined
  return libsecp256k1.publicKeyConvert(bytes, false) as Point
}

/** Same x, other y: on this curve no point is its own opposite. */
function isOpposite(a: Point, b: Point): boolean {
  return equalBytes(a.subarray(1, 33), b.subarray(1, 33)) && !equalBytes(a, b)
}

function uncompressed(x: Uint8Array, y: Uint8Array): Uint8Array {
  const out = new Uint8Array(65)
  out[0] = 4
  out.set(x, 1)
  out.set(y, 33)
  return out
}
