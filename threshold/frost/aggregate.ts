import type { Point } from '../group/group.ts'
import { lagrange } from '../group/polynomial.ts'
import type { Party } from '../session.ts'
import {
  bind,
  type Binding,
  type Commitment,
  commitmentShare,
  readCommitments,
} from './commitments.ts'
import type { Suite } from './suite.ts'

export type Aggregation = {
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

/** What is not the same everywhere: how a signature is written, and who says that it holds. */
export type Form = {
  /** X_i of the key that signs, of the one that the public shares belong to. */
  readonly shareOf: (publicShare: Point) => Point
  readonly write: (R: Point, sum: bigint) => Uint8Array
  readonly verify: (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean
}

/**
 * RFC 9591, section 5.3: R and Σ z_i. The signature is verified before anybody sees it; only when it
 * is wrong each share is, to name who spoiled it (5.4). No culprits means that the inputs do not fit
 * one another.
 */
export function aggregateWith(suite: Suite, form: Form, input: Aggregation): Aggregated {
  const { group } = suite
  const { publicKey, quorum, commitments, message, shares } = input
  const read = readCommitments(group, quorum, commitments)
  if (!read.ok) return { ok: false, culprits: read.culprits }
  const scalars = new Map<Party, bigint>()
  for (const party of quorum) {
    const scalar = group.scalarFromBytes(shares.get(party) ?? new Uint8Array())
    if (scalar !== undefined) scalars.set(party, scalar)
  }
  const unreadable = quorum.filter((party) => !scalars.has(party))
  if (unreadable.length > 0) return { ok: false, culprits: unreadable }

  const binding = bind(suite, read.list, { publicKey, message })
  const sum = [...scalars.values()].reduce((total, scalar) => group.mod(total + scalar), 0n)
  const signature = form.write(binding.groupCommitment, sum)
  if (form.verify(publicKey, message, signature)) return { ok: true, signature }
  const culprits = read.list
    .filter((commitment) => !isShareRight(suite, form, input, { commitment, binding, scalars }))
    .map(({ party }) => party)
  return { ok: false, culprits }
}

/** z_i·G = D_i + ρ_i·E_i + c·λ_i·X_i: section 5.4, verify_signature_share. */
function isShareRight(
  suite: Suite,
  form: Form,
  { publicKey, publicShares, quorum, message }: Aggregation,
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
  const { group } = suite
  const { party } = commitment
  const publicShare = group.decode(publicShares.get(party) ?? new Uint8Array())
  if (publicShare === undefined) return false
  const challenge = suite.challengeOf(binding.groupCommitment, publicKey, message)
  const weight = group.mod(challenge * lagrange(group, quorum, party))
  const nonce = commitmentShare(group, commitment, binding.factors)
  const expected = group.add(
    suite.isNegated(binding.groupCommitment) ? group.negate(nonce) : nonce,
    group.multiplyPublic(form.shareOf(publicShare), weight),
  )
  return group.equal(group.multiplyBase(scalars.get(party) ?? 0n), expected)
}
