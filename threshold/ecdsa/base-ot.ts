import { hashOf } from '@quorate/core/hash'
import type { Random } from '../session.ts'
import { deltaBits, elementSize } from './parameters.ts'
import {
  add,
  hashToElement,
  isElement,
  multiply,
  multiplyBase,
  subtract,
  toElement,
  toScalar,
} from './ristretto.ts'

/**
 * 128 oblivious transfers of random keys: Masny and Rindal 2019 (ePrint 2019/706), the one-round
 * endemic transfer from Diffie-Hellman, over ristretto255. The two messages may cross. The receiver can open one key of each
 * pair, the sender both; a corrupt party may steer its own keys, which SoftSpoken allows for.
 *
 * The sender's fresh multiple of the base point for every transfer.
 */
export type OfferSecrets = { readonly scalars: readonly Uint8Array[]; readonly offers: Uint8Array }

export function offer(random: Random): OfferSecrets {
  const scalars = Array.from({ length: deltaBits }, () => toScalar(random(64)))
  return { scalars, offers: join(scalars.map(multiplyBase)) }
}

/** The receiver's choice of one slot for every transfer. */
export type ChoiceSecrets = {
  readonly choices: Uint8Array // one byte per transfer, 0 or 1
  readonly scalars: readonly Uint8Array[]
  readonly slots: Uint8Array
}

/** @param choices one byte per transfer, 0 or 1 */
export function choose(context: Uint8Array, choices: Uint8Array, random: Random): ChoiceSecrets {
  const scalars: Uint8Array[] = []
  const slots = Array.from(choices, (choice, index) => {
    const scalar = toScalar(random(64))
    scalars.push(scalar)
    const other = toElement(random(64))
    const own = subtract(multiplyBase(scalar), mask(context, index, choice, other))
    return join([select(choice, own, other), select(choice, other, own)])
  })
  return { choices, scalars, slots: join(slots) }
}

/**
 * Both keys of every transfer, for the sender alone.
 * @returns nothing when the receiver's message is not one an honest receiver can have sent
 */
export function sendKeys(
  context: Uint8Array,
  { scalars, offers }: OfferSecrets,
  slots: Uint8Array,
): readonly (readonly [Uint8Array, Uint8Array])[] | undefined {
  const keys: [Uint8Array, Uint8Array][] = []
  for (const [index, scalar] of scalars.entries()) {
    const zero = elementAt(slots, 2 * index)
    const one = elementAt(slots, 2 * index + 1)
    if (!isElement(zero) || !isElement(one)) return undefined
    const keyOf = (choice: number, own: Uint8Array, other: Uint8Array): Uint8Array | undefined => {
      const shared = multiply(scalar, add(own, mask(context, index, choice, other)))
      return shared && keyFrom({ context, index, choice, zero, one, offers, shared })
    }
    const first = keyOf(0, zero, one)
    const second = keyOf(1, one, zero)
    if (first === undefined || second === undefined) return undefined
    keys.push([first, second])
  }
  return keys
}

/**
 * The chosen key of every transfer, for the receiver.
 * @returns nothing when the sender's message is not one an honest sender can have sent
 */
export function receiveKeys(
  context: Uint8Array,
  { choices, scalars, slots }: ChoiceSecrets,
  offers: Uint8Array,
): readonly Uint8Array[] | undefined {
  const keys: Uint8Array[] = []
  for (const [index, scalar] of scalars.entries()) {
    const shared = multiply(scalar, elementAt(offers, index))
    if (shared === undefined) return undefined
    const zero = elementAt(slots, 2 * index)
    const one = elementAt(slots, 2 * index + 1)
    const choice = choices[index] ?? 0
    keys.push(keyFrom({ context, index, choice, zero, one, offers, shared }))
  }
  return keys
}

/** What a slot lacks to its Diffie-Hellman share: another function for each slot and transfer. */
function mask(context: Uint8Array, index: number, choice: number, other: Uint8Array): Uint8Array {
  const place = Uint8Array.of(index, choice)
  return hashToElement('quorate/ecdsa/base-ot/mask/v1', context, place, other)
}

type KeyInput = {
  readonly context: Uint8Array
  readonly index: number
  readonly choice: number
  readonly zero: Uint8Array
  readonly one: Uint8Array
  readonly offers: Uint8Array
  readonly shared: Uint8Array
}

function keyFrom({ context, index, choice, zero, one, offers, shared }: KeyInput): Uint8Array {
  const place = Uint8Array.of(index, choice)
  const given = elementAt(offers, index)
  return hashOf('quorate/ecdsa/base-ot/key/v1', context, place, zero, one, given, shared)
}

/** `zero` or `one`, by a mask and not by a branch. */
function select(choice: number, zero: Uint8Array, one: Uint8Array): Uint8Array {
  return zero.map((byte, i) => byte ^ ((byte ^ (one[i] ?? 0)) & -choice))
}

function elementAt(elements: Uint8Array, index: number): Uint8Array {
  return elements.subarray(index * elementSize, (index + 1) * elementSize)
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts))
}
