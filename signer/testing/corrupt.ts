import { decode, encode } from '@quorate/core/codec'
import { firstSid, type EcdsaContext } from '@quorate/threshold/ecdsa/context'
import { announcement, digestOf, extension } from '@quorate/threshold/ecdsa/messages'
import { everybody, sealPacket, type Packet, type Part } from '@quorate/wire/packet'
import { signAs } from './cluster.ts'
import type { Key } from './keys.ts'
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
  const named = { sid, digest: message, publicKey, n: publicShares.length, t, quorum: call.quorum }
  const first = firstSid(named as EcdsaContext)
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
