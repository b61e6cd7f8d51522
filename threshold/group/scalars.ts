import assert from 'node:assert/strict'
import { modulusOf } from '../kernel/modular.ts'
import { type Endian, numberKernel, wideSize, wideSizeMin } from '../kernel/numbers.ts'
import type { Random } from '../session.ts'
import type { Scalars } from './group.ts'

const size = 32

export function scalarsOf(order: bigint, endian: Endian): Scalars {
  const secrets = numberKernel(modulusOf(order), endian)
  const mod = (value: bigint): bigint => {
    const rest = value % order
    return rest < 0n ? rest + order : rest
  }
  const reduce = (wide: Uint8Array): bigint => {
    assert(wide.length >= wideSizeMin)
    return readNumber(wide, endian) % order
  }
  return {
    order,
    mod,
    reduce,
    scalarToBytes(value) {
      assert(value >= 0n && value < order)
      return writeNumber(value, endian)
    },
    scalarFromBytes(bytes) {
      if (bytes.length !== size) return undefined
      const value = readNumber(bytes, endian)
      return value < order ? value : undefined
    },
    secrets,
    randomSecret(random: Random) {
      // So many that the bias of the reduction is below 2^-256.
      const wide = random(wideSize)
      const secret = secrets.reduce(wide)
      wide.fill(0)
      assert(secrets.isScalar(secret), 'the source of randomness is broken')
      return secret
    },
    invertPublic: (value) => invert(mod(value), order),
  }
}

/** By machine words and not by way of hexadecimal text: text of a secret cannot be overwritten. */
function writeNumber(value: bigint, endian: Endian): Uint8Array {
  const out = new Uint8Array(size)
  const view = new DataView(out.buffer)
  let rest = value
  for (let at = 0; at < size; at += 8) {
    view.setBigUint64(
      endian === 'big' ? size - 8 - at : at,
      BigInt.asUintN(64, rest),
      endian === 'little',
    )
    rest >>= 64n
  }
  return out
}

function readNumber(bytes: Uint8Array, endian: Endian): bigint {
  assert(bytes.length % 8 === 0)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  let value = 0n
  for (let at = 0; at < bytes.length; at += 8) {
    const offset = endian === 'big' ? at : bytes.length - 8 - at
    value = (value << 64n) | view.getBigUint64(offset, endian === 'little')
  }
  return value
}

/** Extended Euclid. */
function invert(value: bigint, modulus: bigint): bigint {
  assert(value !== 0n, 'zero has no inverse')
  let [a, b] = [value, modulus]
  let [x, y] = [1n, 0n]
  while (b !== 0n) {
    const quotient = a / b
    ;[a, b] = [b, a - quotient * b]
    ;[x, y] = [y, x - quotient * y]
  }
  return x < 0n ? x + modulus : x
}
