import { concat } from '@quorate/core/bytes'
import { aggregateWith, type Aggregated, type Aggregation } from '../frost/aggregate.ts'
import { ed25519Suite } from '../frost/suite.ts'
import { verifySignature } from './verify.ts'

const { group } = ed25519Suite

/** The last step of an Ed25519 signature, which holds no secret: R ‖ Σ z_i, as in RFC 8032. */
export function frostAggregate(input: Aggregation): Aggregated {
  return aggregateWith(
    ed25519Suite,
    {
      shareOf: (publicShare) => publicShare,
      write: (R, sum) => concat(R, group.scalarToBytes(sum)),
      verify: (publicKey, message, signature) =>
        verifySignature('EdDSA', 'ed25519', publicKey, message, signature),
    },
    input,
  )
}
