import assert from 'node:assert/strict'
import type { MessagePort, Worker } from 'node:worker_threads'
import { curves } from '@quorate/authority/key-certificate'
import { signersMax } from '@quorate/authority/manifest'
import { bytes, hash32, list, oneOf, struct, text, u32, u8, union } from '@quorate/core/codec'
import type { Decoded } from '@quorate/core/codec'
import type { Inbound, Outbound } from '@quorate/threshold/session'
import { everybody, partBytesMax } from '@quorate/wire/packet'
import { shareCodec } from '../share.ts'

/**
 * What the two threads of a signer say to each other. Each message is one buffer that changes hands
 * and is overwritten by whoever has read it, so that no secret is left on the way.
 */
const inParts = struct({ from: u8, to: u8, body: bytes(partBytesMax) })
const outParts = struct({ to: u8, body: bytes(partBytesMax) })
/** As many as fit into the packets of one round (`wire/packet.ts`). */
const partsMax = signersMax * (signersMax + 1)
/** A pair has some seven kilobytes. */
const pairBytesMax = 16 * 1024

export const jobCodec = union({
  dkg: [1, struct({ id: u32, group: oneOf(curves), self: u8, n: u8, t: u8, sid: hash32 })],
  pair: [2, struct({ id: u32, self: u8, peer: u8, sid: hash32 })],
  advance: [3, struct({ id: u32, inbox: list(inParts, partsMax) })],
  forget: [4, struct({ id: u32 })],
})
export type Job = Decoded<typeof jobCodec>
/** What there may be to begin with. */
export type Start =
  | Omit<Extract<Job, { kind: 'dkg' }>, 'id'>
  | Omit<Extract<Job, { kind: 'pair' }>, 'id'>

export const answerCodec = union({
  next: [1, struct({ id: u32, out: list(outParts, partsMax) })],
  share: [2, struct({ id: u32, share: shareCodec })],
  /** As `encodePair` has it: to be sealed as it is. */
  pair: [3, struct({ id: u32, epoch: hash32, secret: bytes(pairBytesMax) })],
  abort: [
    4,
    struct({
      id: u32,
      reason: text(200),
      culprits: list(u8, signersMax),
      burned: list(u8, signersMax),
    }),
  ],
})
export type Answer = Decoded<typeof answerCodec>

type In = Decoded<typeof inParts>
type Out = Decoded<typeof outParts>

export function toIn({ from, to, body }: Inbound): In {
  return { from, to: to === '*' ? everybody : to, body }
}

export function fromIn({ from, to, body }: In): Inbound {
  return { from, to: to === everybody ? '*' : to, body }
}

export function toOut({ to, body }: Outbound): Out {
  return { to: to === '*' ? everybody : to, body }
}

export function fromOut({ to, body }: Out): Outbound {
  return { to: to === everybody ? '*' : to, body }
}

/** The buffer itself goes to the other thread: nothing of it stays here, and nothing beside it goes. */
export function handOver(to: Pick<Worker | MessagePort, 'postMessage'>, bytes: Uint8Array): void {
  const { buffer } = bytes
  assert(buffer instanceof ArrayBuffer && buffer.byteLength === bytes.length)
  to.postMessage(bytes, [buffer])
}
