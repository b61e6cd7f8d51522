import assert from 'node:assert/strict'
import type { CurvePoint, CurvePointCons } from '@noble/curves/abstract/curve.js'
import { weierstrass } from '@noble/curves/abstract/weierstrass.js'
import { ed25519 } from '@noble/curves/ed25519.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { equalBytes } from '@quorate/core/bytes'
import type { Group, GroupName, Point } from './group.ts'
import { scalarsOf } from './scalars.ts'

/** y² = x³ + x + b, with the figures of StarkWare's StarkEx documentation, "STARK curve". */
export const starkCurve = {
  p: 0x800000000000011000000000000000000000000000000000000000000000001n,
  n: 0x800000000000010ffffffffffffffffb781126dcae7b2321e66a241adc64d2fn,
  h: 1n,
  a: 1n,
  b: 0x6f21413efbe40de150e596d72f7a8c5609ad26c15c915c1f4cdfcb99cee9e89n,
  Gx: 0x1ef15c18599971b7beced415a40f0c7deacfd9b0d1819e03d723d8bc943cfcan,
  Gy: 0x5668060aa49730b7be4801df46ec62de53ecd11abe43a32873000c36e8dc1fn,
}
const starkPoint = weierstrass(starkCurve)

/** The same groups on `@noble/curves`: what the native ones are held to, and what clients use. */
export const nobleGroups: Readonly<Record<GroupName, Group>> = {
  secp256k1: weierstrassGroup('secp256k1', secp256k1.Point, 33),
  ed25519: edwardsGroup(),
  stark: weierstrassGroup('stark', starkPoint, 65),
}

/** What both families of curves have, and all that is needed here. */
interface NoblePoint<P extends CurvePoint<unknown, P>> extends CurvePoint<unknown, P> {
  toBytes(compressed?: boolean): Uint8Array
}

type Form<P> = {
  /** To and from the bytes that stand for a point inside this process. */
  readonly hold: (point: P) => Point
  readonly open: (point: Point) => P
}

function arithmetic<P extends NoblePoint<P>>(
  curve: CurvePointCons<P>,
  { hold, open }: Form<P>,
): Omit<Group, 'name' | 'encode' | 'decode' | 'toWire' | 'fromWire' | 'pointSize' | 'wireSize'> {
  const identity = hold(curve.ZERO)
  const isIdentity = (point: Point): boolean => equalBytes(point, identity)
  const scalars = scalarsOf(curve.Fn.ORDER, curve.Fn.isLE === true ? 'little' : 'big')
  const multiplyBase = (secret: bigint): Point =>
    secret === 0n ? identity : hold(curve.BASE.multiply(secret))
  const multiply = (point: Point, secret: bigint): Point =>
    secret === 0n || isIdentity(point) ? identity : hold(open(point).multiply(secret))
  const numberIn = (secret: Uint8Array): bigint => {
    const number = scalars.scalarFromBytes(secret)
    assert(number !== undefined)
    return number
  }
  return {
    ...scalars,
    generator: hold(curve.BASE),
    identity,
    multiplyBase,
    multiply,
    multiplyBaseBySecret: (secret) => multiplyBase(numberIn(secret)),
    multiplyBySecret: (point, secret) => multiply(point, numberIn(secret)),
    multiplyPublic: (point, scalar) => hold(open(point).multiplyUnsafe(scalar)),
    add: (a, b) => hold(open(a).add(open(b))),
    negate: (point) => hold(open(point).negate()),
    equal: equalBytes,
  }
}

function weierstrassGroup<P extends NoblePoint<P>>(
  name: GroupName,
  curve: CurvePointCons<P>,
  wireSize: 33 | 65,
): Group {
  const identity = Uint8Array.of(0)
  const hold = (point: P): Point => (point.is0() ? identity : point.toBytes(false)) as Point
  const open = (point: Point): P => (point.length === 1 ? curve.ZERO : curve.fromBytes(point))
  // fromBytes checks the range of the coordinates and the curve's equation; the cofactor is 1.
  const parse = (bytes: Uint8Array, size: number): Point | undefined =>
    bytes.length === size ? attempt(() => hold(curve.fromBytes(bytes))) : undefined
  const write = (point: Point, size: number): Uint8Array =>
    point.length === 1 ? point.slice() : open(point).toBytes(size === 33)
  return {
    ...arithmetic(curve, { hold, open }),
    name,
    pointSize: 33,
    encode: (point) => write(point, 33),
    decode: (bytes) => parse(bytes, 33),
    wireSize,
    toWire: (point) => write(point, wireSize),
    fromWire: (bytes) => parse(bytes, wireSize),
  }
}

function edwardsGroup(): Group {
  const { Point: curve } = ed25519
  const hold = (point: InstanceType<typeof curve>): Point => point.toBytes() as Point
  const decode = (bytes: Uint8Array): Point | undefined => {
    if (bytes.length !== 32) return undefined
    const point = attempt(() => curve.fromBytes(bytes))
    if (point === undefined || point.is0() || !point.isTorsionFree()) return undefined
    return hold(point)
  }
  return {
    ...arithmetic(curve, { hold, open: (point) => curve.fromBytes(point) }),
    name: 'ed25519',
    pointSize: 32,
    encode: (point) => point.slice(),
    decode,
    wireSize: 32,
    toWire: (point) => point.slice(),
    fromWire: decode,
  }
}

/** noble refuses bytes by throwing an Error; here a refusal is a value. */
function attempt<T>(parse: () => T): T | undefined {
  try {
    return parse()
  } catch (error) {
    assert(error instanceof Error)
    return undefined
  }
}
