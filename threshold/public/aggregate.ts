import { concat } from '@quorate/core/bytes'
import {
  bind,
  type Binding,
  type Commitment,
  commitmentShare,
  readCommitments,
} from '../frost/commitments.ts'
import { challengeOf, group } from '../frost/suite.ts'
import { lagrange } from '../group/polynomial.ts'
import type { Party } from '../session.ts'
import { verifySignature } from './verify.ts'

export type FrostAggregation = {
  readonly publicKey: Uint8Array
  readonly publicShares: ReadonlyMap<Party, Uint8Array>
  readonly quorum: readonly Party[]
  readonly commitments: ReadonlyMap<Party, Uint8Array>
  readonly message: Uint8Array
  readonly shares: ReadonlyMap<Party, Uint8Array>
}
export type Aggregated =
  | { readonly ok: true; readonly signature: Uint8Array }
  | { readonly ok: false; readonly culprits: readonly Party[] }

/**
 * RFC 9591, section 5.3: R ‖ Σ z_i. The signature is verified before anybody sees it; only when it
 * is wrong each share is, to name who spoiled it (5.4). No culprits means that the inputs do not fit
 * one another.
 */
export function frostAggregate(input: FrostAggregation): Aggregated {
  const { publicKey, quorum, commitments, message, shares } = input
  const read = readCommitments(quorum, commitments)
  if (!read.ok) return { ok: false, culprits: read.culprits }
  const scalars = new Map<Party, bigint>()
  for (const party of quorum) {
    const scalar = group.scalarFromBytes(shares.get(party) ?? new Uint8Array())
    if (scalar !== undefined) scalars.set(party, scalar)
  }
  const unreadable = quorum.filter((party) => !scalars.has(party))
  if (unreadable.length > 0) return { ok: false, culprits: unreadable }

  const binding = bind(read.list, { publicKey, message })
  const sum = [...scalars.values()].reduce((total, scalar) => group.mod(total + scalar), 0n)
  const signature = concat(group.encode(binding.groupCommitment), group.scalarToBytes(sum))
  if (verifySignature('EdDSA', 'ed25519', publicKey, message, signature))
    return { ok: true, signature }
  const culprits = read.list
    .filter((commitment) => !isShareRight(input, { commitment, binding, scalars }))
    .map(({ party }) => party)
  return { ok: false, culprits }
}

/** z_i·G = D_i + ρ_i·E_i + c·λ_i·X_i: section 5.4, verify_signature_share. */
function isShareRight(
  { publicKey, publicShares, quorum, message }: FrostAggregation,
  {
    commitment,
    binding,
    scalars,
  }: {
    readonly commitment: Commitment
    readonly binding: Binding
    readonly scalars: ReadonlyMap<Party, bigint>
  },
): boolean {
  const { party } = commitment
  const publicShare = group.decode(publicShares.get(party) ?? new Uint8Array())
  if (publicShare === undefined) return false
  const challenge = challengeOf(group.encode(binding.groupCommitment), publicKey, message)
  const weight = group.mod(challenge * lagrange(group, quorum, party))
  const expected = group.add(
    commitmentShare(commitment, binding.factors),
    group.multiplyPublic(publicShare, weight),
  )
  return group.equal(group.multiplyBase(scalars.get(party) ?? 0n), expected)
}
