import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { partialsOf } from '../dh/testing/parties.ts'
import type { DhInput } from '../dh/input.ts'
import { generateShares } from '../dkg/ceremony.ts'
import { dhCombine } from '../public/derive.ts'
import { outputKeyOf } from '../public/taproot.ts'
import { dealt, publicOf } from '../taproot/testing/parties.ts'

const random = (size: number): Uint8Array => new Uint8Array(randomBytes(size))

/** What two of three signers make of a domain and a seed, for tests of other rooms that check it. */
export type Made = {
  readonly publicKey: Uint8Array
  readonly sid: Uint8Array
  readonly point: Uint8Array
  readonly output: Uint8Array
  readonly partials: readonly {
    readonly signer: number
    readonly publicShare: Uint8Array
    readonly partial: Uint8Array
  }[]
}

/** @param secret of the whole key; otherwise it is born as shares */
export function makeDerivation(asked: DhInput, secret?: Uint8Array): Made {
  const size = { n: 3, t: 2 }
  const shares =
    secret === undefined
      ? generateShares({ group: 'secp256k1', ...size }, random)
      : dealt({ secret, ...size }, random)
  const [quorum, sid] = [[1, 3], random(32)]
  const partials = partialsOf({ shares, quorum, sid, ...asked }, random)
  const { publicKey, publicShares } = publicOf(shares)
  const made = dhCombine({ publicKey, publicShares, quorum, sid, ...asked, partials })
  assert.ok(made.ok)
  const { point, output } = made
  const parts = [...partials].map(([signer, partial]) => ({
    ...{ signer, partial, publicShare: publicShares.get(signer) ?? new Uint8Array() },
  }))
  return { publicKey, sid, point, output, partials: parts }
}

/** As the signers know it. */
export function taprootOutputKey(
  publicKey: Uint8Array,
  merkleRoot: Uint8Array,
): Uint8Array | undefined {
  return outputKeyOf({ publicKey, birth: 'taproot', merkleRoot })
}
