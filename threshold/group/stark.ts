import { curveKernel } from '../kernel/curve.ts'
import type { Group, Point } from './group.ts'
import { nobleGroups, starkCurve } from './noble.ts'

const noble = nobleGroups.stark
const kernel = curveKernel(
  { field: { value: starkCurve.p, bits: 251 }, b: starkCurve.b },
  noble.generator,
)

/** Below this an addition chain costs less than the kernel's 252 doublings. */
const smallScalarMax = 64n

const multiplyBaseBySecret: Group['multiplyBaseBySecret'] = (secret) =>
  kernel.multiplyBase(secret) as Point
const multiplyBySecret: Group['multiplyBySecret'] = (point, secret) =>
  kernel.multiply(point, secret) as Point
const add = (a: Point, b: Point): Point => kernel.add(a, b) as Point

/**
 * The Stark curve by the kernel, whose every operation is constant time. Reading and writing of points, which
 * are public, is noble's, with all its checks.
 */
export const stark: Group = {
  ...noble,
  multiplyBase: (scalar) => multiplyBaseBySecret(noble.scalarToBytes(scalar)),
  multiply: (point, scalar) => multiplyBySecret(point, noble.scalarToBytes(scalar)),
  multiplyBaseBySecret,
  multiplyBySecret,
  multiplyPublic: (point, scalar) =>
    scalar <= smallScalarMax
      ? addUp(point, scalar)
      : multiplyBySecret(point, noble.scalarToBytes(scalar)),
  add,
}

function addUp(point: Point, scalar: bigint): Point {
  let sum = noble.identity
  for (const bit of scalar.toString(2)) {
    sum = add(sum, sum)
    if (bit === '1') sum = add(sum, point)
  }
  return sum
}
