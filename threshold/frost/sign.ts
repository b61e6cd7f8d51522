import { concat, equalBytes } from '@quorate/core/bytes'
import type { KeyShare } from '../dkg/context.ts'
import { lagrange } from '../group/polynomial.ts'
import type { Party } from '../session.ts'
import { bind, readCommitments, type Refusal, refused } from './commitments.ts'
import { forgetPair, type FrostNonces, type NoncePair } from './nonces.ts'
import { ed25519Suite, type Suite } from './suite.ts'

export type FrostSigning = {
  readonly keyShare: Pick<KeyShare, 'self' | 'n' | 't' | 'secret' | 'publicKey'>
  readonly quorum: readonly Party[]
  readonly commitments: ReadonlyMap<Party, Uint8Array>
  readonly message: Uint8Array
  readonly nonces: FrostNonces
}
/** @param share R ‖ z_i: the group's commitment, which whoever adds up need not work out again, and its own part */
export type Signed = { readonly ok: true; readonly share: Uint8Array } | Refusal

/** Round two of Ed25519. */
export function frostSign(signing: FrostSigning): Signed {
  return signWith(ed25519Suite, signing)
}

/**
 * Round two, RFC 9591, section 5.2: z_i = d_i + ρ_i·e_i + λ_i·x_i·c. The nonces are gone from here
 * on, whatever comes of it: a refused attempt is not repeated with the same ones.
 */
export function signWith(suite: Suite, signing: FrostSigning): Signed {
  const pair = signing.nonces.take()
  if (pair === undefined) return refused('nonces already used', [])
  const signed = answer(suite, signing, pair)
  forgetPair(pair)
  return signed
}

function answer(suite: Suite, signing: FrostSigning, { hiding, binding }: NoncePair): Signed {
  const { group } = suite
  const { keyShare, quorum, commitments, message, nonces } = signing
  const own = nonces.commitmentOf(keyShare.self)
  const read = readCommitments(group, quorum, commitments, own)
  if (!read.ok) return read
  const refusal = checkQuorum(signing)
  if (refusal !== undefined) return refusal

  const { self, publicKey } = keyShare
  if (!group.secrets.isScalar(keyShare.secret)) return refused('unusable key share', [])
  const { factors, groupCommitment } = bind(suite, read.list, { publicKey, message })
  // Section 3.1: the identity has no encoding.
  if (group.equal(groupCommitment, group.identity)) return refused('identity group commitment', [])
  const challenge = suite.challengeOf(groupCommitment, publicKey, message)
  const sign = suite.isNegated(groupCommitment) ? -1n : 1n
  const weights = [
    group.mod(sign),
    group.mod(sign * (factors.get(self) ?? 0n)),
    group.mod(lagrange(group, quorum, self) * challenge),
  ]
  const share = group.secrets.combine([hiding, binding, keyShare.secret], weights)
  return { ok: true, share: concat(group.encode(groupCommitment), share) }
}

/** What this party knows of its own: the size of a quorum, its index, the commitment it made. */
function checkQuorum({ keyShare, quorum, commitments, nonces }: FrostSigning): Refusal | undefined {
  const { self, n, t } = keyShare
  if (quorum.length !== t) return refused('quorum size', [])
  if (!quorum.every((party) => party <= n)) return refused('unknown party', [])
  const own = commitments.get(self)
  if (own === undefined) return refused('not in the quorum', [])
  if (!equalBytes(own, nonces.commitment)) return refused('own commitment differs', [])
  return undefined
}
