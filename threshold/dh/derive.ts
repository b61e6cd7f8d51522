import assert from 'node:assert/strict'
import { sha512, transcript } from '@quorate/core/hash'
import type { KeyShare } from '../dkg/context.ts'
import { type Refusal, refused } from '../frost/commitments.ts'
import { groupOf } from '../group/groups.ts'
import type { Scalar } from '../kernel/numbers.ts'
import type { Random } from '../session.ts'
import { type DhInput, pointOf } from './input.ts'
import { challengeOf, encodePartial } from './proof.ts'

const group = groupOf('secp256k1')

export type Deriving = DhInput & {
  readonly keyShare: Pick<KeyShare, 'self' | 'secret' | 'publicKey' | 'publicShares'>
  /** 32 bytes that name this derivation and no other. */
  readonly sid: Uint8Array
}
export type Derived = { readonly ok: true; readonly partial: Uint8Array } | Refusal

/**
 * The one round: Γ_i = x_i·H and the proof of it. Nothing is awaited from the others, and it is the
 * same for every quorum. DDH-DVRF of Galindo, Liu, Ordean and Wong (ePrint 2020/096), PartialEval.
 */
export function dhDerive({ keyShare, sid, ...asked }: Deriving, random: Random): Derived {
  assert(sid.length === 32)
  const input = pointOf(asked)
  if (input === undefined) return refused('domain or seed', [])
  const { self, publicKey, secret } = keyShare
  const publicShare = group.decode(keyShare.publicShares[self - 1] ?? new Uint8Array())
  if (!group.secrets.isScalar(secret) || publicShare === undefined)
    return refused('unusable key share', [])

  const result = group.multiplyBySecret(input, secret)
  const claim = { sid, publicKey, party: self, publicShare, input, result }
  // Hedged: where the randomness repeats, so does the nonce only for the same claim, whose proof is
  // then the same proof.
  const parts = [random(32), secret, sid, publicKey, group.encode(input)]
  const nonce = nonceOf(transcript('quorate/dh/nonce/v1', ...parts))
  const [A, B] = [group.multiplyBaseBySecret(nonce), group.multiplyBySecret(input, nonce)]
  const challenge = challengeOf(claim, A, B)
  const response = group.secrets.combine([nonce, secret], [1n, challenge])
  nonce.fill(0)
  return { ok: true, partial: encodePartial(result, { challenge, response }) }
}

function nonceOf(seed: Uint8Array): Scalar {
  const wide = sha512(seed)
  const nonce = group.secrets.reduce(wide)
  for (const secret of [seed, wide]) secret.fill(0)
  return nonce
}
