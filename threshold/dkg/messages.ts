import {
  bytes,
  type Codec,
  type Decoded,
  fixed,
  hash32,
  list,
  struct,
  u8,
  union,
} from '@quorate/core/codec'
import type { Group } from '../group/group.ts'
import { partiesMax } from './context.ts'

/** Round 1, broadcast: the commitment to everything in the opening but the echo. */
export const commitmentCodec = struct({ commitment: hash32 })

/**
 * Round 2, broadcast. The vector may be longer on the wire than the threshold allows: the check of
 * its length is the protocol's, with its own name, and not an accident of parsing.
 */
export function openingCodec(group: Group): Codec<Opening> {
  const point = fixed(group.wireSize)
  return struct({
    echo: hash32,
    points: list(point, partiesMax),
    proofNonce: point,
    rho: hash32,
    salt: hash32,
  })
}
export type Opening = {
  readonly echo: Uint8Array
  /** a_0·G to a_{t-1}·G. */
  readonly points: readonly Uint8Array[]
  /** K, the first move of the proof of possession. */
  readonly proofNonce: Uint8Array
  readonly rho: Uint8Array
  readonly salt: Uint8Array
}

/** Round 2, to one party, which the carrier seals: f_i(j). */
export const shareSize = 32

/** Round 3, broadcast: the end of the proof of possession, or an accusation and no proof. */
export const responseCodec = union({
  response: [1, struct({ echo: hash32, proof: fixed(32) })],
  complaint: [2, struct({ echo: hash32, accused: list(u8, partiesMax - 1, 1) })],
})
export type Response = Decoded<typeof responseCodec>

/** After a complaint, broadcast: the shares in dispute in the clear. The key is dead by then. */
export const settlementCodec = struct({
  echo: hash32,
  shares: list(struct({ accuser: u8, share: bytes(shareSize) }), partiesMax - 1),
})
export type Settlement = Decoded<typeof settlementCodec>
