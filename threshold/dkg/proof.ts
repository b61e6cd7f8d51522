import type { Group } from '../group/group.ts'
import type { Party } from '../session.ts'
import { type DkgContext, scalarIn } from './context.ts'
import { constantTerm, type Dealer } from './dealer.ts'

type Claim = {
  readonly prover: Party
  readonly rid: Uint8Array
  readonly constant: Uint8Array
  readonly proofNonce: Uint8Array
}

/**
 * c = H(proof; sid, …, rid, i, A_{i,0}, K_i). With the prover's index nobody can show another's
 * proof as his own; with rid nobody can show one from before.
 */
export function proofChallenge(
  group: Group,
  context: DkgContext,
  { prover, rid, constant, proofNonce }: Claim,
): bigint {
  return scalarIn(group, context, 'proof', rid, Uint8Array.of(prover), constant, proofNonce)
}

/** z·G = K + c·A_0. Schnorr 1991; Komlo and Goldberg 2020, figure 1, round 1, step 5. */
export function isProofOfPossession(
  group: Group,
  context: DkgContext,
  claim: {
    readonly prover: Party
    readonly rid: Uint8Array
    readonly dealer: Dealer
    readonly proof: Uint8Array
  },
): boolean {
  const response = group.scalarFromBytes(claim.proof)
  if (response === undefined) return false
  const constant = constantTerm(claim.dealer)
  const { proofNonce } = claim.dealer
  const challenge = proofChallenge(group, context, {
    prover: claim.prover,
    rid: claim.rid,
    constant: group.toWire(constant),
    proofNonce: group.toWire(proofNonce),
  })
  return group.equal(
    group.multiplyBase(response),
    group.add(proofNonce, group.multiplyPublic(constant, challenge)),
  )
}
