import { setTimeout as sleep } from 'node:timers/promises'
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
  if (typeof reply === 'string' || !('session' in reply) || reply.session === undefined)
    return reply
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
    return body === undefined ? part : { ...part, body: body.with(-1, (body.at(-1) ?? 0) ^ 1) }
  })
  return { ...packet, parts }
}

/** How a signer answers in ceremonies: it may take its time over it, up to the deadline. */
export type Manner = (
  answer: () => Promise<Answered>,
  about: { readonly asked: SessionCall; readonly deadlineMs: number },
) => Promise<Answered>

/** Links to a cluster in which some have manners of their own in ceremonies. */
export function withManners(links: Links, manners: ReadonlyMap<number, Manner>): Links {
  return {
    ...links,
    call: async (signer, call, deadlineMs) => {
      const manner = manners.get(signer)
      const asked = call.kind === 'ping' ? undefined : call.session
      if (manner === undefined || asked === undefined || asked.kind === 'close')
        return links.call(signer, call, deadlineMs)
      // Two that hold up votes as well would stand still whatever anybody does.
      if (call.kind === 'agree' && manners.size > 1)
        return links.call(signer, { ...call, session: undefined }, deadlineMs)
      return manner(() => links.call(signer, call, deadlineMs), { asked, deadlineMs })
    },
  }
}

/** Far beyond every deadline and every limit of a test: whoever waits for this is seen to. */
export const silenceMs = 60_000

export const silent: Manner = async () => {
  await sleep(silenceMs, undefined, { ref: false })
  return 'timeout'
}

/** Within the deadline that a server would have which only tried one quorum after the other. */
export const slow: Manner = async (answer) => {
  await sleep(0.9 * silenceMs, undefined, { ref: false })
  return answer()
}

/** In time, and only just. */
export const late: Manner = async (answer, { deadlineMs }) => {
  await sleep(deadlineMs * 0.9)
  return answer()
}

export const busyForEver: Manner = async (answer, { asked }) =>
  lyingIn(await answer(), asked, () => ({ kind: 'busy' }))

/** Its operator, or so it says, does not let it sign with any of the others. */
export const banning: Manner = async (answer, { asked }) =>
  lyingIn(await answer(), asked, (said) =>
    asked.kind === 'sign' ? { kind: 'banned', peers: [...asked.quorum] } : said,
  )

/** One bit of every packet's signature is another. */
export const rubbish: Manner = async (answer, { asked }) =>
  lyingIn(await answer(), asked, (said) =>
    said.kind === 'packet' ? { ...said, packet: withFlippedSignature(said.packet) } : said,
  )

function withFlippedSignature(packet: Packet): Packet {
  return { ...packet, signature: packet.signature.with(0, (packet.signature[0] ?? 0) ^ 1) }
}

/** After its first packet it says of all the others that they have sent what is wrong. */
export const accusing: Manner = async (answer, { asked }) =>
  lyingIn(await answer(), asked, (said) => {
    if (asked.kind !== 'advance') return said
    const { ceremony, packets } = asked
    const culprits = packets.map(({ header }) => header.from)
    return { kind: 'aborted', ceremony, reason: 'proof', culprits, burned: [] }
  })
