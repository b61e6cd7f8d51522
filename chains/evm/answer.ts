import { fromHex } from '@quorate/core/bytes'
import { Failure } from '@quorate/core/failure'
import { parseAddress } from './address.ts'

/**
 * Readers for what a node answers. A node is a stranger: each value is checked for its form, and one
 * that does not have it is no answer.
 */
export type Fields = Readonly<Record<string, unknown>>

/** @throws Failure `chain.refused` */
export function readFields(value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw unreadable('an object')
  return { ...value }
}

/** @throws Failure `chain.refused` */
export function readQuantity(value: unknown): bigint {
  if (typeof value !== 'string' || !/^0x[0-9a-f]{1,64}$/i.test(value))
    throw unreadable('a quantity')
  return BigInt(value)
}

/** @throws Failure `chain.refused` */
export function readHash(value: unknown): `0x${string}` {
  if (typeof value !== 'string' || !/^0x[0-9a-f]{64}$/i.test(value)) throw unreadable('a hash')
  return `0x${value.slice(2).toLowerCase()}`
}

/** @throws Failure `chain.refused` */
export function readBytes(value: unknown): Uint8Array {
  if (typeof value !== 'string' || !/^0x(?:[0-9a-f]{2})*$/i.test(value)) throw unreadable('bytes')
  return fromHex(value.slice(2))
}

/** @throws Failure `chain.refused` */
export function readList(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw unreadable('a list')
  return value
}

/**
 * @returns with its checksum
 * @throws Failure `chain.refused`
 */
export function readAccount(value: unknown): `0x${string}` {
  if (typeof value !== 'string' || !/^0x[0-9a-f]{40}$/i.test(value)) throw unreadable('an address')
  return parseAddress(value.toLowerCase())
}

/**
 * What a transaction pays outright. Tempo's own kind (0x76) is a list of calls: it has nobody whom it is for, and no value
 * either, as that chain has no coin.
 * @throws Failure `chain.refused`
 */
export function readPayment({ type, to, value }: Fields): {
  readonly to?: `0x${string}`
  readonly value: bigint
} {
  const isOfCalls = type === '0x76' && (value === undefined || value === null)
  return {
    // None where a transaction makes a contract.
    ...(to === null || to === undefined ? {} : { to: readAccount(to) }),
    value: isOfCalls ? 0n : readQuantity(value),
  }
}

export function unreadable(expected: string): Failure<'chain.refused'> {
  return new Failure('chain.refused', {
    network: 'evm',
    reason: `the node did not answer with ${expected}`,
  })
}
