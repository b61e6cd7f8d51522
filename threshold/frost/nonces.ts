import { concat, toUtf8 } from '@quorate/core/bytes'
import { hashOf } from '@quorate/core/hash'
import type { Random } from '../session.ts'
import type { Group } from '../group/group.ts'
import { ed25519Suite, type Suite } from './suite.ts'

export type NoncePair = { readonly hiding: bigint; readonly binding: bigint }

/**
 * The two nonces of one signature. Two signatures with one pair give the key away, so the pair can
 * be taken once; it is in no field that JSON, a log or a structured clone would copy.
 */
export class FrostNonces {
  /** (D, E), for everybody to see. */
  readonly commitment: Uint8Array
  readonly #group: Group
  #pair: Uint8Array | undefined

  constructor(group: Group, { hiding, binding }: NoncePair) {
    this.#group = group
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
    const hiding = this.#group.scalarFromBytes(pair.slice(0, 32))
    const binding = this.#group.scalarFromBytes(pair.slice(32))
    pair.fill(0)
    return hiding === undefined || binding === undefined ? undefined : { hiding, binding }
  }
}

export type Committing = {
  readonly secret: Uint8Array
  /**
   * Whatever makes this call different from all others (session, boot, counter): a machine restored
   * from a snapshot may be given the same randomness twice.
   */
  readonly hedge: Uint8Array
}
export type Committed = { readonly nonces: FrostNonces; readonly commitment: Uint8Array }

/** Round one of Ed25519. */
export function frostCommit(input: Committing, random: Random): Committed {
  return commitWith(ed25519Suite, input, random)
}

/** Round one, RFC 9591, section 5.1. */
export function commitWith(suite: Suite, { secret, hedge }: Committing, random: Random): Committed {
  const nonces = new FrostNonces(suite.group, {
    hiding: nonceFrom(suite, hedged('hiding', hedge, random(32)), secret),
    binding: nonceFrom(suite, hedged('binding', hedge, random(32)), secret),
  })
  return { nonces, commitment: nonces.commitment }
}

/** nonce_generate of section 4.1, after its randomness has been drawn: H3(randomness ‖ secret). */
export function nonceFrom(suite: Suite, randomness: Uint8Array, secret: Uint8Array): bigint {
  return suite.h3(concat(randomness, secret))
}

/** To an observer as random as what the RFC draws: its 32 bytes come out of a hash of 32 bytes. */
function hedged(which: 'hiding' | 'binding', hedge: Uint8Array, fresh: Uint8Array): Uint8Array {
  return hashOf('quorate/frost/nonce/v1', toUtf8(which), fresh, hedge)
}
