import { equalBytes } from '@quorate/core/bytes'
import {
  bytes,
  decode,
  encode,
  fixed,
  hash32,
  list,
  oneOf,
  option,
  struct,
  tag,
  u8,
} from '@quorate/core/codec'
import type { Decoded } from '@quorate/core/codec'
import { sha256 } from '@quorate/core/hash'
import { signersMax } from '@quorate/authority/manifest'

/**
 * What a signer sends into one round of a ceremony, for all the others at once: one signature over
 * every part's hash, so that the server can hand each receiver its own parts alone. The server
 * carries packets; it can delay them, and neither read what is sealed nor change anything.
 */
export const protocols = { dkg: 1, pair: 2, frost: 3, ecdsa: 4, taproot: 5, dh: 6 } as const
export type Protocol = keyof typeof protocols
/** Those in which one says to another what is not for everybody. */
const sealing: ReadonlySet<Protocol> = new Set(['dkg', 'pair', 'ecdsa'])

export function isSealing(protocol: Protocol): boolean {
  return sealing.has(protocol)
}

/** A signature of three rounds between seven signers stays below this; so does pair setup. */
export const partBytesMax = 512 * 1024
export const everybody = 0

const header = struct({
  format: tag('quorate/packet/1'),
  protocol: oneOf(protocols),
  manifest: hash32,
  /** The ceremony's id: key, step, item, participants and nonces are hashed into it. */
  ceremony: hash32,
  round: u8,
  /** Signer's index, 1..n. */
  from: u8,
  /** This sender's X25519 key of this ceremony, where parts are sealed: in round 1, and for it alone. */
  fresh: option(fixed(32)),
})
export type PacketHeader = Decoded<typeof header>

/** `to` is a signer's index, or `everybody`. */
const part = struct({ to: u8, hash: hash32, body: option(bytes(partBytesMax)) })
const packet = struct({
  header,
  parts: list(part, signersMax + 1),
  signature: fixed(64),
})
export type Packet = Decoded<typeof packet>
export const packetCodec = packet
export type Part = { readonly to: number; readonly body: Uint8Array }

const signed = struct({ header, parts: list(struct({ to: u8, hash: hash32 }), signersMax + 1) })

/** @param sign Ed25519 with the sender's identity key */
export function sealPacket(
  head: PacketHeader,
  parts: readonly Part[],
  sign: (message: Uint8Array) => Uint8Array,
): Packet {
  const hashed = parts.map(({ to, body }) => ({ to, hash: sha256(body), body }))
  return {
    header: head,
    parts: hashed,
    signature: sign(encode(signed, { header: head, parts: hashed })),
  }
}

/** The packet as one receiver needs it: others' parts by their hash alone. */
export function packetFor(receiver: number, whole: Packet): Packet {
  const parts = whole.parts.map(({ to, hash, body }) => ({
    to,
    hash,
    body: to === everybody || to === receiver ? body : undefined,
  }))
  return { ...whole, parts }
}

export type Expected = Omit<PacketHeader, 'from' | 'fresh'> & { readonly from: number }
export type Opened = {
  readonly fresh: Uint8Array | undefined
  /** To everybody or to the receiver, in the sender's order. */
  readonly parts: readonly Part[]
}

/**
 * Believes a packet that its sender signed for exactly this place, and in which every part that
 * the receiver needs is there and unchanged.
 * @param verify Ed25519 with the identity key that the manifest gives the sender
 * @returns nothing when any of it is not so
 */
export function openPacket(
  whole: Packet,
  expected: Expected & { readonly self: number },
  verify: (message: Uint8Array, signature: Uint8Array) => boolean,
): Opened | undefined {
  const { header: head, signature } = whole
  const isExpected =
    head.protocol === expected.protocol &&
    equalBytes(head.manifest, expected.manifest) &&
    equalBytes(head.ceremony, expected.ceremony) &&
    head.round === expected.round &&
    head.from === expected.from &&
    (head.round === 1 && isSealing(head.protocol)) === (head.fresh !== undefined)
  if (!isExpected || !verify(encode(signed, whole), signature)) return undefined
  const mine = whole.parts.filter(({ to }) => to === everybody || to === expected.self)
  const parts = mine.flatMap(({ to, hash, body }) =>
    body !== undefined && equalBytes(sha256(body), hash) ? [{ to, body }] : [],
  )
  return parts.length === mine.length ? { fresh: head.fresh, parts } : undefined
}

/** What a sealed part is bound to: the header, which holds sender, round and ceremony. */
export function headerBytes(head: PacketHeader): Uint8Array {
  return encode(header, head)
}

export function encodePacket(value: Packet): Uint8Array {
  return encode(packet, value)
}

/** @throws Failure `bytes.malformed` */
export function decodePacket(encoded: Uint8Array): Packet {
  return decode(packet, encoded)
}
