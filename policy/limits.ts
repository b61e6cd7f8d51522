import { allow, deny, strictest, type Verdict } from './verdict.ts'

export type Limits = {
  /** The most that the effect's fees can take, in the network's smallest unit. */
  readonly feeMax: bigint
  /** The lowest ceiling that applies: of the network, or of the organization beneath it. */
  readonly feeCeiling: bigint
  /** Can nobody tell what the bytes do? */
  readonly raw: boolean
  /** Has the key the right to sign such bytes? */
  readonly rawAllowed: boolean
}

/**
 * The rules no organization can do without, so that they are no setting. The server chooses fees, and a
 * fee is money; bytes that nobody can read pass every other rule unseen.
 */
export function judgeLimits({ feeMax, feeCeiling, raw, rawAllowed }: Limits): Verdict {
  return strictest([
    feeMax <= feeCeiling ? allow : deny(`the fee may reach ${feeMax}, above ${feeCeiling}`),
    !raw || rawAllowed ? allow : deny('the key may not sign bytes whose effect is unknown'),
  ])
}
