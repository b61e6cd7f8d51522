import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import { concat, fromHex, toHex } from '@quorate/core/bytes'
import { generateShares } from '../dkg/ceremony.ts'
import { badPoints } from '../group/bad-points.ts'
import { groupOf } from '../group/groups.ts'
import { quorumsOf } from '../group/quorums.ts'
import { randomNumber } from '../group/testing/oracle.ts'
import { isShareOf, recombine, split } from './sharing.ts'

const random = (size: number): Uint8Array => new Uint8Array(randomBytes(size))

for (const name of ['secp256k1', 'ed25519', 'stark'] as const) {
  const group = groupOf(name)

  describe(`sharing a key of ${name}`, () => {
    const secret = group.scalarToBytes(randomNumber(group, random))
    const { shares, commitments } = split({ group: name, secret, n: 5, t: 3 }, random)
    const publicKey = commitments[0] ?? new Uint8Array()
    const publicShares = new Map(
      shares.map((share, i) => [
        i + 1,
        group.encode(group.multiplyBase(group.scalarFromBytes(share) ?? 0n)),
      ]),
    )
    const some = (parties: readonly number[]): Map<number, Uint8Array> =>
      new Map(parties.map((party) => [party, shares[party - 1] ?? new Uint8Array()]))
    const key = { group: name, publicKey, publicShares }

    it('comes back from any three of five and from no two', () => {
      for (const quorum of quorumsOf(5, 3))
        assert.deepEqual(recombine({ ...key, shares: some(quorum) }), { ok: true, secret })
      for (const quorum of quorumsOf(5, 2))
        assert.deepEqual(recombine({ ...key, shares: some(quorum) }), { ok: false, culprits: [] })
    })

    it('commits to each share, at its own index alone', () => {
      for (const [i, share] of shares.entries()) {
        const check = { group: name, t: 3, party: i + 1, share, commitments }
        assert.ok(isShareOf(check))
        assert.ok(!isShareOf({ ...check, party: ((i + 1) % 5) + 1 }))
      }
    })

    it('commits to exactly as many points as are needed', () => {
      const check = { group: name, t: 3, party: 1, share: shares[0] ?? secret, commitments }
      // A higher polynomial, of which everything else is right: it would take four to sign.
      const higher = split({ group: name, secret, n: 5, t: 4 }, random)
      const share = higher.shares[0] ?? secret
      assert.ok(isShareOf({ ...check, t: 4, share, commitments: higher.commitments }))
      assert.ok(!isShareOf({ ...check, share, commitments: higher.commitments }))
      assert.ok(!isShareOf({ ...check, commitments: commitments.slice(0, 2) }))
      for (const bad of badPoints(group))
        assert.ok(!isShareOf({ ...check, commitments: commitments.with(2, bad) }))
    })

    it('names whose share is wrong', () => {
      const wrong = some([1, 2, 4]).set(2, shares[4] ?? secret)
      assert.deepEqual(recombine({ ...key, shares: wrong }), { ok: false, culprits: [2] })
      const long = some([1, 2, 4]).set(4, concat(secret, Uint8Array.of(0)))
      assert.deepEqual(recombine({ ...key, shares: long }), { ok: false, culprits: [4] })
      const stranger = some([1, 2, 4]).set(9, secret)
      assert.deepEqual(recombine({ ...key, shares: stranger }), { ok: false, culprits: [9] })
    })

    it('splits no zero, nothing beyond the order, and no threshold of one', () => {
      const size = { group: name, n: 3, t: 2 }
      assert.throws(() => split({ ...size, secret: new Uint8Array(32) }, random))
      assert.throws(() => split({ ...size, secret: new Uint8Array(32).fill(255) }, random))
      assert.throws(() => split({ ...size, secret, t: 1 }, random))
      assert.throws(() => split({ ...size, secret, t: 4 }, random))
    })

    it('takes a generated key out again', () => {
      const generated = generateShares({ group: name, n: 3, t: 2 }, random)
      const [first, , third] = generated
      assert.ok(first && third)
      const taken = recombine({
        group: name,
        publicKey: first.publicKey,
        publicShares: new Map(first.publicShares.map((point, i) => [i + 1, point])),
        shares: new Map([
          [1, first.secret],
          [3, third.secret],
        ]),
      })
      assert.ok(taken.ok)
      const scalar = group.scalarFromBytes(taken.secret) ?? 0n
      assert.deepEqual(group.encode(group.multiplyBase(scalar)), first.publicKey)
    })
  })
}

describe('sharing a key', () => {
  it('gives the shares of RFC 9591, appendix E.1', () => {
    const coefficient = fromHex('178199860edd8c62f5212ee91eff1295d0d670ab4ed4506866bae57e7030b204')
    const { shares, commitments } = split(
      {
        group: 'ed25519',
        secret: fromHex('7b1c33d3f5291d85de664833beb1ad469f7fb6025a0ec78b3a790c6e13a98304'),
        n: 3,
        t: 2,
      },
      // Sixty-four bytes are drawn for one coefficient, lowest first.
      () => concat(coefficient, new Uint8Array(32)),
    )
    assert.equal(
      toHex(commitments[0] ?? coefficient),
      '15d21ccd7ee42959562fc8aa63224c8851fb3ec85a3faf66040d380fb9738673',
    )
    assert.deepEqual(shares.map(toHex), [
      '929dcc590407aae7d388761cddb0c0db6f5627aea8e217f4a033f2ec83d93509',
      'a91e66e012e4364ac9aaa405fcafd370402d9859f7b6685c07eed76bf409e80d',
      'd3cb090a075eb154e82fdb4b3cb507f110040905468bb9c46da8bdea643a9a02',
    ])
  })
})
