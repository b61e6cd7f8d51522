import type { Inbound, Outbound, Party } from '@quorate/threshold/session'
import {
  everybody,
  headerBytes,
  isSealing,
  openPacket,
  sealPacket,
  type Packet,
  type PacketHeader,
  type Part,
  type Protocol,
} from '@quorate/wire/packet'
import { makeFreshKey, seal, unseal, type FreshKey } from '@quorate/wire/sealing'
import { verifyAs, type Self } from '../self.ts'

/** The post of one ceremony: who takes part, and under which keys parts are sealed. */
export type Mail = {
  readonly self: Self
  readonly protocol: Protocol
  readonly ceremony: Uint8Array
  /** All of them, this signer too. */
  readonly participants: readonly Party[]
  /** Where nothing is sealed there is none. */
  readonly fresh: FreshKey | undefined
  /** Learnt in round 1. */
  readonly peers: Map<Party, Uint8Array>
}

export function openMail(mail: Omit<Mail, 'fresh' | 'peers'>): Mail {
  const fresh = isSealing(mail.protocol) ? makeFreshKey() : undefined
  return { ...mail, fresh, peers: new Map() }
}

/** @returns nothing when a peer's key is one that seals nothing */
export function pack(mail: Mail, round: number, out: readonly Outbound[]): Packet | undefined {
  const header = headerOf(mail, { round, from: mail.self.index })
  const parts: Part[] = []
  const counts = new Map<Party, number>()
  for (const { to, body } of out) {
    if (to === '*') {
      parts.push({ to: everybody, body })
      continue
    }
    const part = counts.get(to) ?? 0
    counts.set(to, part + 1)
    const sealed = sealFor(mail, { header, to, part }, body)
    if (sealed === undefined) return undefined
    parts.push({ to, body: sealed })
  }
  return sealPacket(header, parts, mail.self.sign)
}

export type Unpacked =
  | { readonly ok: true; readonly inbox: readonly Inbound[] }
  /** What the carrier may have spoilt is nobody's fault. */
  | { readonly ok: false; readonly reason: string; readonly culprits: readonly Party[] }

/** Exactly one packet of this round from each other participant, each signed and whole. */
export function unpack(mail: Mail, round: number, packets: readonly Packet[]): Unpacked {
  const others = mail.participants.filter((party) => party !== mail.self.index)
  const senders = new Set(packets.map(({ header }) => header.from))
  if (packets.length !== others.length || !others.every((party) => senders.has(party)))
    return spoilt('not one packet of each participant')
  const inbox: Inbound[] = []
  for (const packet of packets) {
    const opened = openOne(mail, round, packet)
    if (!opened.ok) return opened
    inbox.push(...opened.inbox)
  }
  return { ok: true, inbox }
}

function openOne(mail: Mail, round: number, packet: Packet): Unpacked {
  const { self, peers } = mail
  const { from } = packet.header
  const expected = { ...headerOf(mail, { round, from }), self: self.index }
  const verify = (message: Uint8Array, signature: Uint8Array) =>
    verifyAs(self.manifest, from, { message, signature })
  const opened = openPacket(packet, expected, verify)
  if (opened === undefined) return spoilt('a packet is not what its sender signed')
  if (opened.fresh !== undefined) peers.set(from, opened.fresh)
  let part = 0
  const inbox: Inbound[] = []
  for (const { to, body } of opened.parts) {
    if (to === everybody) {
      inbox.push({ from, to: '*', body })
      continue
    }
    const plain = unsealFrom(mail, { header: packet.header, part: part++ }, body)
    // Its sender has signed exactly this.
    if (plain === undefined) return spoilt('a sealed part does not open', from)
    inbox.push({ from, to, body: plain })
  }
  return { ok: true, inbox }
}

function spoilt(reason: string, ...culprits: readonly Party[]): Unpacked {
  return { ok: false, reason, culprits }
}

/** Parts of round 1 travel in clear: the keys to seal them under are only on their way. */
function sealFor(
  mail: Mail,
  { header, to, part }: { header: PacketHeader; to: Party; part: number },
  body: Uint8Array,
): Uint8Array | undefined {
  if (header.round === 1) return body
  const peer = mail.peers.get(to)
  return (
    mail.fresh && peer && seal(mail.fresh, peer, { header: headerBytes(header), to, part }, body)
  )
}

function unsealFrom(
  mail: Mail,
  { header, part }: { header: PacketHeader; part: number },
  body: Uint8Array,
): Uint8Array | undefined {
  if (header.round === 1) return body
  const peer = mail.peers.get(header.from)
  const place = { header: headerBytes(header), to: mail.self.index, part }
  return mail.fresh && peer && unseal(mail.fresh, peer, place, body)
}

function headerOf(
  { self, protocol, ceremony, fresh }: Mail,
  { round, from }: { readonly round: number; readonly from: number },
): PacketHeader {
  return {
    protocol,
    manifest: self.manifest.hash,
    ceremony,
    round,
    from,
    fresh: round === 1 && from === self.index ? fresh?.publicKey : undefined,
  }
}
