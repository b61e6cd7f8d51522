import { fromHex } from '@quorate/core/bytes'
import { Failure } from '@quorate/core/failure'
import { isObject, type Json } from '@quorate/core/json'

/**
 * Readers for values that came out of the strict parser. Each says what was wrong with which member,
 * and an object with a member nobody asked for is refused: what is signed is understood in full.
 */
export type Members = ReadonlyMap<string, Json>

const naturalMax = 2n ** 256n - 1n

/** @throws Failure `request.refused` */
export function readMembers(value: Json | undefined, what: string): Members {
  if (!isObject(value)) throw refused(`${what} is not an object`)
  return new Map(Object.entries(value))
}

/** @throws Failure `request.refused` when there is a member beyond `names` */
export function onlyMembers(members: Members, what: string, names: readonly string[]): void {
  for (const name of members.keys())
    if (!names.includes(name)) throw refused(`${what} has an unknown member ${quoted(name)}`)
}

/**
 * Decimal digits, `0x` with hex digits, or a number JSON carries exactly. Below 2^256.
 * @throws Failure `request.refused`
 */
export function readNatural(value: Json | undefined, what: string): bigint {
  const natural = naturalOf(value)
  if (natural === undefined || natural > naturalMax)
    throw refused(`${what} is not a whole number below 2^256`)
  return natural
}

/**
 * Hex digits in pairs, with or without `0x`.
 * @throws Failure `request.refused`
 */
export function readHex(value: Json | undefined, what: string, sizeMax: number): Uint8Array {
  if (typeof value !== 'string' || !/^(?:0x)?(?:[0-9a-fA-F]{2})*$/.test(value))
    throw refused(`${what} is not hex`)
  const digits = value.startsWith('0x') ? value.slice(2) : value
  if (digits.length / 2 > sizeMax) throw refused(`${what} is longer than ${sizeMax} bytes`)
  return fromHex(digits)
}

/** @throws Failure `request.refused` */
export function readText(value: Json | undefined, what: string, lengthMax: number): string {
  if (typeof value !== 'string' || value.length > lengthMax)
    throw refused(`${what} is not a text of at most ${lengthMax} characters`)
  return value
}

export function refused(reason: string): Failure {
  return new Failure('request.refused', { reason })
}

export function unsupported(reason: string): Failure {
  return new Failure('request.unsupported', { reason })
}

/** A name from outside, short enough for a message. */
export function quoted(name: string): string {
  return JSON.stringify(name.slice(0, 64))
}

function naturalOf(value: Json | undefined): bigint | undefined {
  if (typeof value === 'number')
    return Number.isSafeInteger(value) && value >= 0 ? BigInt(value) : undefined
  if (typeof value !== 'string') return undefined
  // 78 digits, or 64 hex digits, hold every number below 2^256; more would only cost time.
  const written = /^[0-9]{1,78}$/.test(value) || /^0x[0-9a-fA-F]{1,64}$/.test(value)
  return written ? BigInt(value) : undefined
}
