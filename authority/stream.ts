import { toHex } from '@quorate/core/bytes'
import { hash32, oneOf, struct } from '@quorate/core/codec'
import type { Decoded } from '@quorate/core/codec'

/**
 * Where memory lives: one root stream per organization, one per end user, one per key. Whatever
 * must be unique or exclusive has one home: ownership and rules the root, credentials of end users
 * their own, slots, single use and spending the key's.
 */
export const streamCodec = struct({ kind: oneOf({ root: 1, user: 2, key: 3 }), id: hash32 })
export type StreamId = Decoded<typeof streamCodec>

export function rootOf(organization: Uint8Array): StreamId {
  return { kind: 'root', id: organization }
}

export function keyStream(key: Uint8Array): StreamId {
  return { kind: 'key', id: key }
}

/** For maps: equal streams have equal names. */
export function streamName({ kind, id }: StreamId): string {
  return `${kind}/${toHex(id)}`
}
