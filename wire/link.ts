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
  text,
  u32,
  u64,
  u8,
  union,
} from '@quorate/core/codec'
import type { Decoded } from '@quorate/core/codec'
import { answerCodec, requestCodec } from '@quorate/authority/agreement/exchange'
import { curves, schemes } from '@quorate/authority/key-certificate'
import { signersMax } from '@quorate/authority/manifest'
import { evidenceCodec } from '@quorate/authority/step'
import { streamCodec } from '@quorate/authority/stream'
import { packetCodec } from './packet.ts'

/**
 * Everything that a server and a signer say to each other. The signer dials; then the server asks
 * and the signer answers, each question with a number of the server's. No answer is owed: what is
 * late has failed, and every question may be asked twice.
 */
export const linkProtocol = 'quorate-link/1'
/** The largest question: a lock with a round of a signature between seven signers beside it. */
export const frameBytesMax = 8 * 1024 * 1024

const participants = list(u8, signersMax, 2)
const packets = list(packetCodec, signersMax)

/** Opens or goes on with a ceremony. */
const sessionCall = union({
  /** A signature, under a use that stands in a key's stream at this place. */
  sign: [
    1,
    struct({
      organization: hash32,
      stream: streamCodec,
      seq: u64,
      step: hash32,
      item: u8,
      digest: u8,
      quorum: participants,
      nonce: hash32,
    }),
  ],
  /** The key of this index: each signer judges the request by itself before it says a word. */
  generate: [
    2,
    struct({ organization: hash32, evidence: evidenceCodec, index: u8, nonce: hash32 }),
  ],
  /** The pair setup of two signers for one organization's ECDSA keys. */
  pair: [3, struct({ organization: hash32, participants, nonce: hash32 })],
  /** The other participants' packets of the round that has ended. */
  advance: [4, struct({ ceremony: hash32, packets })],
  /** Nobody goes on with it: what is in memory of it may go. */
  close: [5, struct({ ceremony: hash32 })],
  /** A key ahead of need, which nobody has asked for: of an organization, and of nobody in it. */
  pool: [
    6,
    struct({
      organization: hash32,
      scheme: oneOf(schemes),
      curve: oneOf(curves),
      /** When it was asked for: each signer holds it against its own clock. */
      time: u64,
      nonce: hash32,
    }),
  ],
})
export type SessionCall = Decoded<typeof sessionCall>

const call = union({
  /** A message of the agreement protocol, and a signature's next round that rides along. */
  agree: [
    1,
    struct({
      organization: hash32,
      stream: streamCodec,
      request: requestCodec,
      session: option(sessionCall),
    }),
  ],
  session: [2, struct({ session: sessionCall })],
  ping: [3, struct({})],
})
export type Call = Decoded<typeof call>

const sessionReply = union({
  /** This signer's packet of the next round. */
  packet: [1, struct({ ceremony: hash32, packet: packetCodec })],
  /** A pair is set up, on this side. */
  finished: [2, struct({ ceremony: hash32 })],
  /** A share is sealed and stored: the statement, and this signer's signature over it. */
  certified: [3, struct({ ceremony: hash32, statement: bytes(2048), signature: fixed(64) })],
  /** Nothing was sent and nothing is kept: the request was not one that this signer allows. */
  refused: [4, struct({ reason: text(400) })],
  /** The session is over. Peers in `burned` cannot be signed with until their pair is set up anew. */
  aborted: [
    5,
    struct({
      ceremony: hash32,
      reason: text(200),
      culprits: list(u8, signersMax),
      burned: list(u8, signersMax),
    }),
  ],
  /** No pair setup with these peers for this organization, or a burned one. */
  unpaired: [6, struct({ peers: list(u8, signersMax), burned: list(u8, signersMax) })],
  /** As many are open as there may be: ask again later. Nothing was sent and nothing is kept. */
  busy: [7, struct({})],
  /** It is not open any more, if it ever was. */
  closed: [8, struct({})],
  /** This signer's operator does not let it sign with these. */
  banned: [9, struct({ peers: list(u8, signersMax) })],
})
export type SessionReply = Decoded<typeof sessionReply>

const reply = union({
  agree: [1, struct({ answer: answerCodec, session: option(sessionReply) })],
  session: [2, struct({ session: sessionReply })],
  /** By this signer's clock, in milliseconds since 1970, if it can tell the time. */
  pong: [3, struct({ time: option(u64) })],
  /** The question could not be read or not be answered; what it was about is unchanged. */
  failed: [4, struct({ reason: text(200) })],
  /** More questions are in hand than this signer takes at once. */
  busy: [5, struct({})],
})
export type Reply = Decoded<typeof reply>

/** First frame of a link, from the signer. Who it is, TLS has shown already. */
const hello = struct({ protocol: text(32), manifest: hash32, signer: u8, bootId: fixed(16) })
export type Hello = Decoded<typeof hello>

const frame = union({
  hello: [1, hello],
  call: [2, struct({ number: u32, call })],
  reply: [3, struct({ number: u32, reply })],
})
export type Frame = Decoded<typeof frame>

export function encodeFrame(value: Frame): Uint8Array {
  return encode(frame, value)
}

/** @throws Failure `bytes.malformed` */
export function decodeFrame(encoded: Uint8Array): Frame {
  return decode(frame, encoded)
}
