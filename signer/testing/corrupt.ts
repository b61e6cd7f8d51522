import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { decode, encode } from '@quorate/core/codec'
import { firstSid } from '@quorate/threshold/ecdsa/context'
import { digestOf, messagesOf } from '@quorate/threshold/ecdsa/messages'
import { pairSetupStep, startPairSetup } from '@quorate/threshold/ecdsa/pair-setup'
import type { Outbound } from '@quorate/threshold/session'
import type { SessionReply } from '@quorate/wire/link'
import { everybody, packetFor, sealPacket, type Packet, type Part } from '@quorate/wire/packet'
import { openMail, pack, unpack } from '../ceremonies/mail.ts'
import { signAs } from './cluster.ts'
import { told, type Key } from './keys.ts'
import type { SignCall } from './signing.ts'
import type { World } from './world.ts'

/**
 * A corrupt signer's first packet of an ECDSA session with one other: everything in it is in order and
 * signed, but its oblivious transfer lies. Whoever checks it learns that, and the liar learns from
 * the outcome: that is what burns a pair.
 */
export function withLyingExtension(
  world: World,
  {
    key,
    call,
    message,
  }: { readonly key: Key; readonly call: SignCall; readonly message: Uint8Array },
  packet: Packet,
): Packet {
  const { from, ceremony: sid } = packet.header
  const { threshold: t, publicKey, publicShares } = key.statement
  const { announcement, extension } = messagesOf('secp256k1')
  const curve = 'secp256k1' as const
  const named = {
    curve,
    sid,
    digest: message,
    publicKey,
    n: publicShares.length,
    t,
    quorum: call.quorum,
  }
  const first = firstSid(named)
  const to = call.quorum.find((party) => party !== from) ?? 0
  const lie = encode(extension, turned(decode(extension, bodyFor(packet, to))))
  const announced = encode(announcement, {
    ...decode(announcement, bodyFor(packet, everybody)),
    digests: [digestOf(first, from, to, lie)],
  })
  const parts: readonly Part[] = [
    { to: everybody, body: announced },
    { to, body: lie },
  ]
  return sealPacket(packet.header, parts, (signed) => signAs(world.cluster, from, signed))
}

function turned<T extends { readonly proof: Uint8Array }>(message: T): T {
  return { ...message, proof: message.proof.with(0, 1 ^ (message.proof[0] ?? 0)) }
}

function bodyFor({ parts }: Packet, to: number): Uint8Array {
  return parts.find((part) => part.to === to)?.body ?? new Uint8Array()
}

/** A setup between an honest signer and a corrupt one, as far as the corrupt one's word on its trees. */
export type Bet = {
  readonly ceremony: Uint8Array
  /** The packet with the bet in it: the honest one's answer tells how it went. */
  readonly place: () => Promise<SessionReply>
}

/**
 * A corrupt signer spoils corrections of its trees that the other one needs only if certain bits of
 * its Δ are set: whoever is not found out knows those bits.
 *
 * @param bits how many to bet on, at even odds each
 */
export async function betOnDelta(
  world: World,
  { honest, corrupt, bits }: { honest: number; corrupt: number; bits: number },
): Promise<Bet> {
  const { cluster, organization } = world
  const participants = [honest, corrupt].toSorted((a, b) => a - b)
  const random = (size: number) => new Uint8Array(randomBytes(size))
  const opening = { kind: 'pair', organization, participants, nonce: random(32) } as const
  const hello = packetOf(await world.session(honest, opening))
  const { ceremony } = hello.header
  const sign = (message: Uint8Array) => signAs(cluster, corrupt, message)
  const self = { index: corrupt, manifest: cluster.manifest, bootId: random(16), sign }
  const mail = openMail({ self, protocol: 'pair', ceremony, participants })
  const first = startPairSetup({ self: corrupt, peer: honest, sid: ceremony }, random)
  assert(first.kind === 'next')
  const packets = (round: number, out: readonly Outbound[]) => {
    const packet = pack(mail, round, out)
    assert(packet !== undefined)
    return [packetFor(honest, packet)]
  }
  const offered = packets(1, first.out)
  const inbox = unpack(mail, 1, [packetFor(corrupt, hello)])
  assert(inbox.ok)
  const second = pairSetupStep(first.state, inbox.inbox)
  packetOf(await world.session(honest, { kind: 'advance', ceremony, packets: offered }))
  assert(second.kind === 'next')
  const lies = second.out.map(({ to, body }) => ({ to, body: spoilt(body, bits) }))
  const advance = { kind: 'advance', ceremony, packets: packets(2, lies) } as const
  return { ceremony, place: () => world.session(honest, advance) }
}

/** Where the corrections begin in the second message, and how far those of two trees are apart. */
const [correctionsAt, perTree] = [88, 32]

function spoilt(body: Uint8Array, bits: number): Uint8Array {
  const out = body.slice()
  for (let tree = 0; tree < bits; tree++) {
    const at = correctionsAt + tree * perTree
    out[at] = 1 ^ (out[at] ?? 0)
  }
  return out
}

function packetOf(reply: SessionReply): Packet {
  assert(reply.kind === 'packet', told(reply))
  return reply.packet
}
