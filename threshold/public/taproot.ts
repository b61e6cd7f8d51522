import { concat } from '@quorate/core/bytes'
import { aggregateWith, type Aggregated, type Aggregation } from '../frost/aggregate.ts'
import { groupOf } from '../group/groups.ts'
import { publicShareOf, signingKeyOf, type Spend } from '../taproot/key.ts'
import { taprootSuite } from '../taproot/suite.ts'
import { verifySchnorr } from './schnorr.ts'

const group = groupOf('secp256k1')

export type { Birth, Spend } from '../taproot/key.ts'

/** Key and public shares are those of key generation: tweaking them is done here. */
export type TaprootAggregation = Aggregation & Spend

/** The last step of a BIP 340 signature, which holds no secret: x(R) ‖ Σ z_i. */
export function taprootAggregate(input: TaprootAggregation): Aggregated {
  const key = signingKeyOf(input)
  if (!key.ok) return { ok: false, culprits: [] }
  return aggregateWith(
    taprootSuite,
    {
      shareOf: (publicShare) => publicShareOf(key, publicShare),
      write: (R, sum) => concat(R.subarray(1), group.scalarToBytes(sum)),
      verify: (publicKey, message, signature) =>
        verifySchnorr(publicKey.slice(1), message, signature),
    },
    { ...input, publicKey: key.publicKey },
  )
}

/**
 * The 32 bytes that a signature of this key verifies under, and that a Taproot address holds: none
 * where the key may not sign in this way.
 */
export function outputKeyOf(spend: Spend): Uint8Array | undefined {
  const key = signingKeyOf(spend)
  return key.ok ? key.publicKey.slice(1) : undefined
}
