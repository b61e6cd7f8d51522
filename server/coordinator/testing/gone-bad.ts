import type { SessionCall, SessionReply } from '@quorate/wire/link'
import { everybody, type Packet } from '@quorate/wire/packet'
import type { Answered, Links } from '../../link/links.ts'

/** What a corrupt signer says in a ceremony, in place of what an honest one would have said. */
export type Lie = (said: SessionReply, asked: SessionCall) => SessionReply

/** Links to a cluster in which one signer has gone bad: it votes as before, and lies in ceremonies. */
export function withLiar(links: Links, liar: number, lie: Lie): Links {
  return {
    ...links,
    call: async (signer, call, deadlineMs) => {
      const reply = await links.call(signer, call, deadlineMs)
      if (signer !== liar || call.kind === 'ping' || call.session === undefined) return reply
      return lyingIn(reply, call.session, lie)
    },
  }
}

function lyingIn(reply: Answered, asked: SessionCall, lie: Lie): Answered {
  if (typeof reply === 'string' || reply.kind === 'pong' || reply.kind === 'failed') return reply
  if (reply.session === undefined) return reply
  if (reply.kind === 'agree') return { ...reply, session: lie(reply.session, asked) }
  return { ...reply, session: lie(reply.session, asked) }
}

/** The lie that changes packets of one round and leaves everything else. */
export function packetLie(round: number, change: (packet: Packet) => Packet): Lie {
  return (said) =>
    said.kind === 'packet' && said.packet.header.round === round
      ? { ...said, packet: change(said.packet) }
      : said
}

export function withFlippedBit(packet: Packet): Packet {
  const parts = packet.parts.map((part) => {
    const body = part.to === everybody ? part.body : undefined
    return body === undefined ? part : { ...part, body: body.with(0, (body[0] ?? 0) ^ 1) }
  })
  return { ...packet, parts }
}
