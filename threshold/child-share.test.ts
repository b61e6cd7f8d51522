import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { HDKey } from '@scure/bip32'
import { bytesToBig, toHex } from '@quorate/core/bytes'
import { childShare } from './child-share.ts'
import { generateShares } from './dkg/ceremony.ts'
import type { KeyShare } from './dkg/context.ts'
import { groupOf } from './group/groups.ts'
import { quorumsOf } from './group/quorums.ts'
import { lagrange } from './group/polynomial.ts'

const group = groupOf('secp256k1')
const random = (size: number): Uint8Array => new Uint8Array(randomBytes(size))
const shares = generateShares({ group: 'secp256k1', n: 4, t: 2 }, random)

/** As another library derives it, given the whole private key. */
function theirs(path: readonly number[]): { child: HDKey; tweak: Uint8Array } {
  const master = new HDKey({
    privateKey: whole(shares, [1, 2]),
    chainCode: first(shares).chainCode,
  })
  const child = path.reduce((at, index) => at.deriveChild(index), master)
  const [from, to] = [master, child].map(({ privateKey }) => bytesToBig(privateKey ?? random(0)))
  return { child, tweak: group.scalarToBytes(group.mod((to ?? 0n) - (from ?? 0n))) }
}

function first(of: readonly KeyShare[]): KeyShare {
  const [share] = of
  assert.ok(share)
  return share
}

function whole(of: readonly KeyShare[], quorum: readonly number[]): Uint8Array {
  const sum = quorum.reduce((total, party) => {
    const share = of[party - 1]
    assert.ok(share)
    return total + lagrange(group, quorum, party) * bytesToBig(share.secret)
  }, 0n)
  return group.scalarToBytes(group.mod(sum))
}

describe('shares of a derived key', () => {
  it('make the private key that BIP 32 derives from the whole one, by every quorum', () => {
    for (const path of [[0], [1, 2], [44, 60, 0, 0, 2 ** 31 - 1]]) {
      const { child, tweak } = theirs(path)
      const chainCode = child.chainCode ?? random(0)
      const derived = shares.map((share) => childShare(share, { tweak, chainCode }))
      for (const quorum of quorumsOf(4, 2))
        assert.equal(toHex(whole(derived, quorum)), toHex(child.privateKey ?? random(0)))
      for (const [i, share] of derived.entries()) {
        assert.deepEqual(share.publicKey, child.publicKey)
        assert.deepEqual(share.chainCode, child.chainCode)
        const own = secp256k1.getPublicKey(share.secret, true)
        for (const one of derived) assert.deepEqual(one.publicShares[i], own)
      }
    }
  })

  it('are made without a change to those of the master', () => {
    const before = shares.map(({ secret }) => toHex(secret))
    const { tweak } = theirs([7])
    childShare(first(shares), { tweak, chainCode: random(32) })
    assert.deepEqual(
      shares.map(({ secret }) => toHex(secret)),
      before,
    )
  })

  it('are none of a key on another curve, nor by a tweak that is no scalar', () => {
    const chainCode = random(32)
    const [other] = generateShares({ group: 'ed25519', n: 2, t: 2 }, random)
    assert.ok(other)
    assert.throws(() => childShare(other, { tweak: theirs([7]).tweak, chainCode }))
    for (const tweak of [new Uint8Array(32).fill(255), new Uint8Array(31)])
      assert.throws(() => childShare(first(shares), { tweak, chainCode }))
  })
})
