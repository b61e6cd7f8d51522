import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { groupOf } from '../group/groups.ts'
import type { DkgContext } from './context.ts'
import { isProofOfPossession, proofChallenge } from './proof.ts'

const group = groupOf('secp256k1')
const context: DkgContext = { group: 'secp256k1', self: 1, n: 3, t: 2, sid: new Uint8Array(32) }
const rid = new Uint8Array(32).fill(4)
const [secret, nonce] = [11n, 13n]
const dealer = {
  points: [group.multiplyBase(secret), group.multiplyBase(5n)],
  proofNonce: group.multiplyBase(nonce),
  rho: rid,
}
const claim = { prover: 2, rid, dealer, proof: proofOf(secret) }

describe('proof of possession', () => {
  it('holds for whoever knows the secret', () => {
    assert.ok(isProofOfPossession(group, context, claim))
  })

  it('does not hold for another number', () => {
    assert.ok(!isProofOfPossession(group, context, { ...claim, proof: proofOf(secret + 1n) }))
  })

  it('does not hold for another prover, who dealt the same points', () => {
    assert.ok(!isProofOfPossession(group, context, { ...claim, prover: 3 }))
  })

  it('does not hold from before the randomness of all was known', () => {
    assert.ok(!isProofOfPossession(group, context, { ...claim, rid: new Uint8Array(32).fill(5) }))
  })

  it('does not hold in another ceremony, group of parties or threshold', () => {
    for (const other of [{ sid: rid }, { n: 4 }, { t: 3 }])
      assert.ok(!isProofOfPossession(group, { ...context, ...other }, claim))
  })

  it('does not hold for another constant term or nonce', () => {
    const points = [group.multiplyBase(12n), group.multiplyBase(5n)]
    const proofNonce = group.multiplyBase(14n)
    for (const other of [{ points }, { proofNonce }])
      assert.ok(!isProofOfPossession(group, context, { ...claim, dealer: { ...dealer, ...other } }))
  })
})

function proofOf(known: bigint): Uint8Array {
  const challenge = proofChallenge(group, context, {
    prover: 2,
    rid,
    constant: group.toWire(group.multiplyBase(secret)),
    proofNonce: group.toWire(group.multiplyBase(nonce)),
  })
  return group.scalarToBytes(group.mod(nonce + challenge * known))
}
