import { concat } from '@quorate/core/bytes'
import { badPoints } from '../group/bad-points.ts'
import type { Group } from '../group/group.ts'
import { ed25519 } from '../group/ed25519.ts'
import type { Field } from './game.ts'

/** What is put in the place of a field's bytes. */
export type Mutation = {
  readonly name: string
  readonly change: (bytes: Uint8Array) => Uint8Array
  /** Its outcome is the same bytes whatever was there. */
  readonly isFixed: boolean
  /** Nobody who is honest can send it: it is no point of the group. */
  readonly isInvalid?: true
}

/** Sizes of entries in fields that hold several. */
const entrySize = 32

/**
 * Everything of threshold-signing's list that can be done to one field by itself: bits, zero, points
 * that are none, numbers at and above the order, and values that are well-formed and wrong.
 */
export function mutationsOf(field: Field, group: Group, integer: boolean): readonly Mutation[] {
  if (integer) return integers
  switch (field.kind) {
    case 'point':
      return [...bits, ...pointsFor(group)]
    case 'scalar':
      return [...bits, ...scalarsFor(group)]
    case 'scalars':
      return [...bits, ...places(scalarsFor(group, 'little'))]
    case 'elements':
      return [...bits, ...places(elements)]
    case 'tag':
    case 'hash':
    case 'bits':
    case 'count':
    case 'index':
      return bits
  }
}

const bits: readonly Mutation[] = [
  { name: 'first bit', change: (bytes) => flipped(bytes, 0, 0x80), isFixed: false },
  { name: 'a bit within', change: (bytes) => flipped(bytes, bytes.length >> 1, 4), isFixed: false },
  { name: 'last bit', change: (bytes) => flipped(bytes, bytes.length - 1, 1), isFixed: false },
  fixedTo('zero', (size) => new Uint8Array(size)),
  fixedTo('ones', (size) => new Uint8Array(size).fill(0xff)),
]

const integers: readonly Mutation[] = [
  fixedTo('0', (size) => new Uint8Array(size)),
  fixedTo('7', (size) => new Uint8Array(size).fill(7, size - 1)),
  fixedTo('8', (size) => new Uint8Array(size).fill(8, size - 1)),
  fixedTo('the highest', (size) => new Uint8Array(size).fill(0xff)),
  { name: 'one more', change: (bytes) => stepped(bytes, 1), isFixed: false },
  { name: 'one less', change: (bytes) => stepped(bytes, -1), isFixed: false },
]

function pointsFor(group: Group): readonly Mutation[] {
  const bad = badPoints(group).filter(({ length }) => length === group.wireSize)
  const other = (
    name: string,
    change: (point: NonNullable<ReturnType<Group['fromWire']>>) => Uint8Array,
  ): Mutation => ({
    name,
    change: (bytes) => {
      const point = group.fromWire(bytes)
      return point === undefined ? bytes : change(point)
    },
    isFixed: false,
  })
  return [
    ...bad.map((point, i) => ({
      ...fixedTo(`bad point ${i}`, () => point),
      isInvalid: true as const,
    })),
    fixedTo('generator', () => group.toWire(group.generator)),
    other('opposite point', (point) => group.toWire(group.negate(point))),
    other('next point', (point) => group.toWire(group.add(point, group.generator))),
  ]
}

function scalarsFor(group: Group, endian?: 'little'): readonly Mutation[] {
  const write = (value: bigint): Uint8Array => {
    const little = endian === 'little' || group.name === 'ed25519'
    const bytes = new Uint8Array(Buffer.from(value.toString(16).padStart(64, '0'), 'hex'))
    return little ? bytes.reverse() : bytes
  }
  const read = (bytes: Uint8Array): bigint | undefined =>
    group.scalarFromBytes(
      endian === 'little' && group.name !== 'ed25519' ? bytes.slice().reverse() : bytes,
    )
  const moved = (name: string, change: (value: bigint) => bigint): Mutation => ({
    name,
    change: (bytes) => {
      const value = read(bytes)
      return value === undefined ? bytes : write(group.mod(change(value)))
    },
    isFixed: false,
  })
  return [
    fixedTo('q', () => write(group.order)),
    fixedTo('q + 1', () => write(group.order + 1n)),
    fixedTo('q - 1', () => write(group.order - 1n)),
    fixedTo('1', () => write(1n)),
    moved('next number', (value) => value + 1n),
    moved('opposite number', (value) => -value),
    // The same residue in a second form, where it fits 32 bytes.
    {
      name: 'plus q',
      change: (bytes) => {
        const value = read(bytes)
        return value === undefined || value + group.order >= 2n ** 256n
          ? bytes
          : write(value + group.order)
      },
      isFixed: false,
    },
  ]
}

/** Of ristretto255 (RFC 9496): a negative, one beyond the field, and the identity. */
const elements: readonly Mutation[] = [
  fixedTo('identity', () => new Uint8Array(32)),
  fixedTo('p', () =>
    concat(Uint8Array.of(0xed), new Uint8Array(30).fill(0xff), Uint8Array.of(0x7f)),
  ),
  fixedTo('a negative', () => concat(Uint8Array.of(1), new Uint8Array(31))),
  fixedTo('a point of Ed25519', () => ed25519.encode(ed25519.generator)),
  fixedTo('generator', () => ristrettoBase),
]

/** RFC 9496, A.1. */
const ristrettoBase = new Uint8Array(
  Buffer.from('e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76', 'hex'),
)

/** The same at the first, at one within and at the last entry. */
function places(mutations: readonly Mutation[]): readonly Mutation[] {
  return mutations.flatMap(({ name, change, isFixed }) =>
    (['first', 'within', 'last'] as const).map((place) => ({
      name: `${name}, ${place}`,
      change: (bytes: Uint8Array) => {
        const count = bytes.length / entrySize
        const at = { first: 0, within: Math.floor(count / 3), last: count - 1 }[place] * entrySize
        return put(bytes, at, change(bytes.slice(at, at + entrySize)))
      },
      isFixed,
    })),
  )
}

function fixedTo(name: string, make: (size: number) => Uint8Array): Mutation {
  return { name, change: (bytes) => make(bytes.length), isFixed: true }
}

function flipped(bytes: Uint8Array, at: number, bit: number): Uint8Array {
  return bytes.map((byte, i) => (i === at ? byte ^ bit : byte))
}

/** A number of so many bytes, around zero. */
function stepped(bytes: Uint8Array, by: 1 | -1): Uint8Array {
  const out = bytes.slice()
  for (let i = out.length - 1; i >= 0; i--) {
    const value = (out[i] ?? 0) + by
    out[i] = value
    if (value >= 0 && value <= 255) break
  }
  return out
}

export function put(body: Uint8Array, at: number, bytes: Uint8Array): Uint8Array {
  return concat(body.slice(0, at), bytes, body.slice(at + bytes.length))
}
