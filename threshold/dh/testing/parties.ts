import assert from 'node:assert/strict'
import type { KeyShare } from '../../dkg/context.ts'
import type { Party, Random } from '../../session.ts'
import { dhDerive } from '../derive.ts'
import type { DhInput } from '../input.ts'

/** The partial results of a quorum, every party in this process: for tests and measurements. */
export function partialsOf(
  what: DhInput & {
    readonly shares: readonly KeyShare[]
    readonly quorum: readonly Party[]
    readonly sid: Uint8Array
  },
  random: Random,
): ReadonlyMap<Party, Uint8Array> {
  const { shares, quorum, ...asked } = what
  return new Map(
    quorum.map((party) => {
      const keyShare = shares[party - 1]
      assert.ok(keyShare)
      const derived = dhDerive({ keyShare, ...asked }, random)
      assert.ok(derived.ok)
      return [party, derived.partial]
    }),
  )
}
