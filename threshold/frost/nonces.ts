import { concat, toUtf8 } from '@quorate/core/bytes'
import { hashOf } from '@quorate/core/hash'
import type { Party, Random } from '../session.ts'
import type { Group } from '../group/group.ts'
import type { Scalar } from '../kernel/numbers.ts'
import type { Commitment } from './commitments.ts'
import { ed25519Suite, type Suite } from './suite.ts'

export type NoncePair = { readonly hiding: Scalar; readonly binding: Scalar }

/**
 * The two nonces of one signature. Two signatures with one pair give the key away, so the pair can
 * be taken once; it is in no field that JSON, a log or a structured clone would copy.
 */
export class FrostNonces {
  /** (D, E), for everybody to see. */
  readonly commitment: Uint8Array
  readonly #points: Pick<Commitment, 'hiding' | 'binding'>
  #pair: NoncePair | undefined

  constructor(group: Group, pair: NoncePair) {
    this.#pair = pair
    const hiding = group.multiplyBaseBySecret(pair.hiding)
    const binding = group.multiplyBaseBySecret(pair.binding)
    this.#points = { hiding, binding }
    this.commitment = concat(group.encode(hiding), group.encode(binding))
  }

  /** The commitment as whoever signs reads those of the others. */
  commitmentOf(party: Party): Commitment {
    return { party, ...this.#points, bytes: this.commitment }
  }

  /** The first call takes the nonces out, to overwrite them when done; every other finds nothing. */
  take(): NoncePair | undefined {
    const pair = this.#pair
    this.#pair = undefined
    return pair
  }

  /** When nothing will be signed with them. */
  forget(): void {
    forgetPair(this.take())
  }
}

export function forgetPair(pair: NoncePair | undefined): void {
  pair?.hiding.fill(0)
  pair?.binding.fill(0)
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
export function nonceFrom(suite: Suite, randomness: Uint8Array, secret: Uint8Array): Scalar {
  const message = concat(randomness, secret)
  const nonce = suite.h3(message)
  message.fill(0)
  return nonce
}

/** To an observer as random as what the RFC draws: its 32 bytes come out of a hash of 32 bytes. */
function hedged(which: 'hiding' | 'binding', hedge: Uint8Array, fresh: Uint8Array): Uint8Array {
  return hashOf('quorate/frost/nonce/v1', toUtf8(which), fresh, hedge)
}
