import { concat, toUtf8 } from '@quorate/core/bytes'
import { hashOf } from '@quorate/core/hash'
import type { Random } from '../session.ts'
import { group, h3 } from './suite.ts'

export type NoncePair = { readonly hiding: bigint; readonly binding: bigint }

/**
 * The two nonces of one signature. Two signatures with one pair give the key away, so the pair can
 * be taken once; it is in no field that JSON, a log or a structured clone would copy.
 */
export class FrostNonces {
  /** (D, E), for everybody to see. */
  readonly commitment: Uint8Array
  #pair: Uint8Array | undefined

  constructor({ hiding, binding }: NoncePair) {
    this.#pair = concat(group.scalarToBytes(hiding), group.scalarToBytes(binding))
    this.commitment = concat(
      group.encode(group.multiplyBase(hiding)),
      group.encode(group.multiplyBase(binding)),
    )
  }

  /** The first call takes the nonces out and overwrites them; every other finds nothing. */
  take(): NoncePair | undefined {
    const pair = this.#pair
    if (pair === undefined) return undefined
    this.#pair = undefined
    const hiding = group.scalarFromBytes(pair.slice(0, 32))
    const binding = group.scalarFromBytes(pair.slice(32))
    pair.fill(0)
    return hiding === undefined || binding === undefined ? undefined : { hiding, binding }
  }
}

/**
 * Round one, RFC 9591, section 5.1.
 * @param input.hedge whatever makes this call different from all others (session, boot, counter): a
 *   machine restored from a snapshot may be given the same randomness twice
 */
export function frostCommit(
  input: { readonly secret: Uint8Array; readonly hedge: Uint8Array },
  random: Random,
): { readonly nonces: FrostNonces; readonly commitment: Uint8Array } {
  const nonces = new FrostNonces({
    hiding: nonceFrom(hedged('hiding', input.hedge, random(32)), input.secret),
    binding: nonceFrom(hedged('binding', input.hedge, random(32)), input.secret),
  })
  return { nonces, commitment: nonces.commitment }
}

/** nonce_generate of section 4.1, after its randomness has been drawn: H3(randomness ‖ secret). */
export function nonceFrom(randomness: Uint8Array, secret: Uint8Array): bigint {
  return h3(concat(randomness, secret))
}

/** To an observer as random as what the RFC draws: its 32 bytes come out of a hash of 32 bytes. */
function hedged(which: 'hiding' | 'binding', hedge: Uint8Array, fresh: Uint8Array): Uint8Array {
  return hashOf('quorate/frost/nonce/v1', toUtf8(which), fresh, hedge)
}
