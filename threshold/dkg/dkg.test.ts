import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import { toHex } from '@quorate/core/bytes'
import { groupOf } from '../group/groups.ts'
import { lagrange } from '../group/polynomial.ts'
import { clustersUpTo, quorumsOf } from '../group/quorums.ts'
import type { Party } from '../session.ts'
import { generateShares } from './ceremony.ts'
import type { KeyShare } from './context.ts'
import { startDkg } from './round1.ts'

const random = (size: number): Uint8Array => new Uint8Array(randomBytes(size))
/** Seven parties are run where somebody asks for it: the cost grows with n³. */
const nMax = Number(process.env['QUORATE_TEST_PARTIES'] ?? 5)

for (const name of ['secp256k1', 'ed25519', 'stark'] as const) {
  describe(`key generation on ${name}`, () => {
    for (const { n, t } of clustersUpTo(nMax))
      it(`gives ${n} parties one key, of which ${t} shares are needed`, () => {
        const shares = generateShares({ group: name, n, t }, random)
        const [first] = shares
        assert.ok(first)
        for (const share of shares) {
          assert.deepEqual({ ...share, self: 0, secret: 0 }, { ...first, self: 0, secret: 0 })
          assert.equal(share.publicShares.length, n)
        }
        for (const quorum of quorumsOf(n, t))
          assert.deepEqual(interpolated(shares, quorum), first.publicKey)
        const tooFew = quorumsOf(n, t - 1).map((quorum) => toHex(interpolated(shares, quorum)))
        assert.ok(!tooFew.includes(toHex(first.publicKey)))
      })
  })
}

describe('key generation', () => {
  it('takes nothing but 2 ≤ t ≤ n ≤ 7, an index among them and a whole session id', () => {
    const good = { group: 'secp256k1', self: 1, n: 3, t: 2, sid: random(32) } as const
    assert.equal(startDkg(good, random).kind, 'next')
    for (const wrong of [
      { t: 1 },
      { t: 4 },
      { n: 8 },
      { self: 0 },
      { self: 4 },
      { self: 1.5 },
      { sid: random(31) },
    ])
      assert.throws(() => startDkg({ ...good, ...wrong }, random))
  })

  it('gives another key, chain code and transcript every time', () => {
    const pair = { group: 'ed25519', n: 2, t: 2 } as const
    const [a, b] = [generateShares(pair, random)[0], generateShares(pair, random)[0]]
    assert.ok(a && b)
    assert.notDeepEqual(a.publicKey, b.publicKey)
    assert.notDeepEqual(a.chainCode, b.chainCode)
    assert.notDeepEqual(a.transcript, b.transcript)
  })
})

function interpolated(shares: readonly KeyShare[], quorum: readonly Party[]): Uint8Array {
  const group = groupOf(shares[0]?.group ?? 'secp256k1')
  const secret = quorum.reduce((sum, party) => {
    const share = group.scalarFromBytes(shares[party - 1]?.secret ?? new Uint8Array())
    assert.ok(share !== undefined)
    return sum + lagrange(group, quorum, party) * share
  }, 0n)
  return group.encode(group.multiplyBase(group.mod(secret)))
}
