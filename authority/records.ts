import { toHex, toUtf8 } from '@quorate/core/bytes'
import {
  bytes,
  decode,
  encode,
  hash32,
  list,
  natural,
  oneOf,
  option,
  struct,
  text,
  u64,
  u8,
} from '@quorate/core/codec'
import type { Codec } from '@quorate/core/codec'
import { hashOf } from '@quorate/core/hash'
import { keyTerms } from './key-certificate.ts'
import { spkiBytesMax } from './public-key.ts'

/**
 * What a stream's steps add up to: records by name. They are written by the reducer and read by it
 * and by the judge; the rest of the world gets copies. `Table<T>` ties a name to its format.
 */
export type Write = { readonly key: string; readonly value: Uint8Array }
export type Table<T> = { readonly prefix: string; readonly codec: Codec<T> }

/** In the root stream. */
export const organizationTable = table(
  'organization',
  struct({ genesis: hash32, manifest: hash32, rootQuorum: u8, rootMembers: list(hash32, 16) }),
)
export const userTable = table(
  'user',
  struct({
    kind: oneOf({ employee: 1, endUser: 2, serviceAccount: 3 }),
    status: oneOf({ active: 1, inactive: 2, archived: 3 }),
  }),
)
/** By user, then fingerprint: one public key may serve two users and is two credentials. */
export const credentialTable = table(
  'credential',
  struct({
    id: hash32,
    spki: bytes(spkiBytesMax),
    rank: oneOf({ unconfirmed: 0, confirmed: 1 }),
    status: oneOf({ active: 1, inactive: 2 }),
    /** The one token whose bearer this credential speaks for. */
    token: option(hash32),
  }),
)
export const tokenTable = table('token', struct({ user: hash32, expiresAt: u64 }))
export const permissionTable = table(
  'permission',
  struct({ name: text(128), all: oneOf({ no: 0, yes: 1 }), operations: list(text(64), 256) }),
)
/** The permissions assigned to an identity. */
export const grantsTable = table(
  'grants',
  struct({ entries: list(struct({ permission: hash32, assignment: hash32 }), 64) }),
)
/** Wallets of one key: more than one per network is refused, so this bounds itself. */
export const walletsPerKeyMax = 256
export const keyTable = table(
  'key',
  struct({
    terms: keyTerms,
    certificate: hash32,
    publicKey: bytes(33),
    wallets: list(struct({ network: text(64), wallet: hash32 }), walletsPerKeyMax),
  }),
)
export const walletTable = table('wallet', struct({ key: hash32, network: text(64) }))
/** Names on the wire, to full ids: a second object of the same name is invalid. */
export const nameTable = table('name', struct({ id: hash32 }))

/** In every stream that is some request's home: its one slot and digests, for ever. */
export const requestTable = table(
  'request',
  struct({
    slot: option(natural),
    digests: list(hash32, 64),
    fee: natural,
    executeBefore: u64,
    /** Of the newest step in which it was used or renewed: the execution window counts from it. */
    time: u64,
  }),
)
/** In a key's stream, by network and number. */
export const slotTable = table(
  'slot',
  struct({ uses: list(struct({ request: hash32, fee: natural }), 64) }),
)

function table<T>(prefix: string, codec: Codec<T>): Table<T> {
  return { prefix, codec }
}

export function recordKey<T>(
  of: Table<T>,
  ...name: readonly (Uint8Array | string | bigint)[]
): string {
  const parts = name.map((part) => (part instanceof Uint8Array ? toHex(part) : String(part)))
  return [of.prefix, ...parts].join('/')
}

export function encodeRecord<T>(of: Table<T>, value: T): Uint8Array {
  return encode(of.codec, value)
}

/** @throws Failure `bytes.malformed`: the store has changed what was written */
export function decodeRecord<T>(of: Table<T>, value: Uint8Array): T {
  return decode(of.codec, value)
}

/** A step's `written`: over its writes in the order in which the reducer made them. */
export function writtenHash(writes: readonly Write[]): Uint8Array {
  return hashOf('quorate/written/1', ...writes.flatMap(({ key, value }) => [toUtf8(key), value]))
}

export type RecordOf<T> = T extends Table<infer V> ? V : never
