import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import { attacker, attackOn, dealing } from '../dkg/attacker.ts'
import { type Delivery, runCeremony } from '../dkg/ceremony.ts'
import { clustersUpTo } from '../group/quorums.ts'
import { dkgSizes } from './sizes.ts'

const random = (size: number): Uint8Array => new Uint8Array(randomBytes(size))

describe('sizes of messages', () => {
  it('are those of every honest key generation', () => {
    for (const group of ['secp256k1', 'ed25519', 'stark'] as const)
      for (const { n, t } of clustersUpTo(3)) {
        const sizes = dkgSizes(group, { n, t })
        const carry = (delivery: Delivery): readonly Delivery[] => {
          assert.equal(delivery.body.length, expected(delivery))
          return [delivery]
        }
        const expected = ({ round, to }: Delivery): number | undefined =>
          to !== '*' ? sizes.share : [0, sizes.commitment, sizes.opening, sizes.response][round]
        runCeremony({ group, n, t, sid: random(32), randomOf: () => random, carry })
      }
  })

  it('bound what a dispute says', () => {
    const sizes = dkgSizes('ed25519', { n: 3, t: 2 })
    const wrong = dealing(({ to }) => ({ to, body: new Uint8Array() }))
    let disputed = 0
    attackOn('ed25519', {
      ...wrong,
      carry: (delivery) => {
        const { from, round, body } = delivery
        if (round === 3 && from !== attacker) assert.ok(body.length <= sizes.complaintMax)
        if (round === 4 && from === attacker) assert.equal(body.length, sizes.settlementMax)
        if (round === 4) disputed++
        return [delivery]
      },
    })
    assert.ok(disputed > 0)
  })
})
