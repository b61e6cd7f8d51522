import { equalBytes } from '@quorate/core/bytes'
import type { Group, Point } from '../group/group.ts'
import { lagrange } from '../group/polynomial.ts'
import type { Party } from '../session.ts'
import {
  bind,
  type Binding,
  type Commitment,
  commitmentShare,
  readCommitments,
  refusalOf,
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
  /** @param R as the group encodes a point */
  readonly write: (R: Uint8Array, sum: bigint) => Uint8Array
  readonly verify: (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean
}
/** What a party sends in round two: R as it has come to it, and z_i. */
type Answer = { readonly R: Uint8Array; readonly share: bigint }
type Answers = ReadonlyMap<Party, Answer>

/**
 * RFC 9591, section 5.3: R and Σ z_i. The signature is verified before anybody sees it, so that R may be
 * what one of the signers says of it: to work it out takes longer than all the rest. Only when the
 * signature is wrong that is done, to name who spoiled it (5.4). No culprits means that the inputs do
 * not fit one another.
 */
export function aggregateWith(suite: Suite, form: Form, input: Aggregation): Aggregated {
  const { group } = suite
  const { publicKey, quorum, commitments, message, shares } = input
  if (refusalOf(quorum, commitments) !== undefined) return { ok: false, culprits: [] }
  const answers = new Map<Party, Answer>()
  for (const party of quorum) {
    const answer = readAnswer(group, shares.get(party) ?? new Uint8Array())
    if (answer !== undefined) answers.set(party, answer)
  }
  const unreadable = quorum.filter((party) => !answers.has(party))
  if (unreadable.length > 0) return { ok: false, culprits: unreadable }

  const [first] = answers.values()
  if (first === undefined) return { ok: false, culprits: [] }
  const sum = [...answers.values()].reduce((total, { share }) => group.mod(total + share), 0n)
  const signature = form.write(first.R, sum)
  if (form.verify(publicKey, message, signature)) return { ok: true, signature }
  return { ok: false, culprits: culpritsOf(suite, form, input, answers) }
}

/** @returns nothing unless it is one point's length and one number in its one form; the point is not looked at */
export function readAnswer(group: Group, bytes: Uint8Array): Answer | undefined {
  const share = group.scalarFromBytes(bytes.subarray(group.pointSize))
  return share === undefined ? undefined : { R: bytes.slice(0, group.pointSize), share }
}

function culpritsOf(
  suite: Suite,
  form: Form,
  input: Aggregation,
  answers: Answers,
): readonly Party[] {
  const { group } = suite
  const { publicKey, quorum, commitments, message } = input
  const read = readCommitments(group, quorum, commitments)
  if (!read.ok) return read.culprits
  const binding = bind(suite, read.list, { publicKey, message })
  const R = group.encode(binding.groupCommitment)
  const isRight = (commitment: Commitment): boolean => {
    const answer = answers.get(commitment.party)
    return (
      answer !== undefined &&
      equalBytes(answer.R, R) &&
      isShareRight(suite, form, input, { commitment, binding, share: answer.share })
    )
  }
  return read.list.filter((commitment) => !isRight(commitment)).map(({ party }) => party)
}

/** z_i·G = D_i + ρ_i·E_i + c·λ_i·X_i: section 5.4, verify_signature_share. */
function isShareRight(
  suite: Suite,
  form: Form,
  { publicKey, publicShares, quorum, message }: Aggregation,
  {
    commitment,
    binding,
    share,
  }: { readonly commitment: Commitment; readonly binding: Binding; readonly share: bigint },
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
  return group.equal(group.multiplyBase(share), expected)
}
