import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { schnorr, secp256k1, secp256k1_hasher } from '@noble/curves/secp256k1.js'
import { bytesToBig, concat, toUtf8 } from '@quorate/core/bytes'
import { sha256, sha512, transcript } from '@quorate/core/hash'
import { decodeDerived, encodeDerived, type Derivation } from '@quorate/effects/instruction'
import { makeDerivation, taprootOutputKey } from '@quorate/threshold/testing/derivation'
import { verifyDerivation } from './verify-derivation.ts'
import { outputKeyOf, verifySchnorr } from './verify-schnorr.ts'

const domain = toUtf8('a domain')
const seed = toUtf8('customer 17')

describe('the proof of a derivation', () => {
  const { publicKey, proof, output } = derivation()
  const claim = { publicKey, domain, seed, proof }

  it('gives the output that the server gave', () => {
    assert.deepEqual(verifyDerivation(claim), output)
  })

  it('gives nothing for another key, domain or seed', () => {
    const { publicKey: other } = derivation()
    for (const change of [{ publicKey: other }, { domain: seed }, { seed: domain }])
      assert.equal(verifyDerivation({ ...claim, ...change }), undefined)
    assert.equal(verifyDerivation({ ...claim, domain: new Uint8Array() }), undefined)
    assert.equal(verifyDerivation({ ...claim, publicKey: publicKey.slice(1) }), undefined)
  })

  it('gives nothing when a bit of it is another, or a byte is missing or more', () => {
    for (let at = 0; at < proof.length; at += 3) {
      const wrong = proof.map((byte, i) => (i === at ? byte ^ 1 : byte))
      assert.equal(verifyDerivation({ ...claim, proof: wrong }), undefined, `byte ${at}`)
    }
    for (const wrong of [proof.slice(1), proof.slice(0, -1), concat(proof, Uint8Array.of(0))])
      assert.equal(verifyDerivation({ ...claim, proof: wrong }), undefined)
  })

  it('gives nothing to fewer parts, to one twice, or in another order', () => {
    const { partials } = decodeDerived(proof)
    const [first, second] = partials
    assert.ok(first && second)
    for (const wrong of [[first], [second], [first, first], [second, first]])
      assert.equal(verifyDerivation({ ...claim, proof: changed({ partials: wrong }) }), undefined)
  })

  it('gives nothing for a point that the parts do not come to', () => {
    const point = secp256k1.Point.fromBytes(decodeDerived(proof).point)
    const other = point.add(secp256k1.Point.BASE).toBytes(true)
    assert.equal(verifyDerivation({ ...claim, proof: changed({ point: other }) }), undefined)
  })

  it('gives nothing for public shares that come to another key, however well proven', () => {
    // One party alone, with a number of its own, that claims the key of the others in its proof.
    const { Point } = secp256k1
    const [own, nonce] = [5n, 7n]
    const input = secp256k1_hasher.hashToCurve(seed, { DST: domain })
    const [publicShare, result] = [Point.BASE.multiply(own), input.multiply(own)]
    const points = [publicShare, input, result, Point.BASE.multiply(nonce), input.multiply(nonce)]
    const proofFor = (key: Uint8Array): Uint8Array => {
      const sid = new Uint8Array(32)
      const parts = [sid, key, Uint8Array.of(1), ...points.map((point) => point.toBytes(true))]
      const wide = sha512(transcript('quorate/dh/proof/v1', ...parts))
      const challenge = Point.Fn.create(bytesToBig(wide))
      const response = Point.Fn.create(nonce + challenge * own)
      const [c, s] = [Point.Fn.toBytes(challenge), Point.Fn.toBytes(response)]
      const point = result.toBytes(true)
      const partial = { signer: 1, publicShare: publicShare.toBytes(true) }
      return encodeDerived({ sid, point, partials: [{ ...partial, partial: concat(point, c, s) }] })
    }
    const itself = publicShare.toBytes(true)
    const honest = { ...claim, publicKey: itself, proof: proofFor(itself) }
    assert.deepEqual(verifyDerivation(honest), sha256(result.toBytes(true)))
    assert.equal(verifyDerivation({ ...claim, proof: proofFor(publicKey) }), undefined)
  })

  it('holds for whatever shares of the key it was made with', () => {
    // Nobody's public shares are known here: the parts of a key that was split anew prove it too.
    const secret = secp256k1.utils.randomSecretKey()
    const { publicKey: whole, proof: made } = derivation(secret)
    assert.deepEqual(whole, secp256k1.getPublicKey(secret, true))
    const input = secp256k1_hasher.hashToCurve(seed, { DST: domain })
    const expected = sha256(input.multiply(bytesToBig(secret)).toBytes(true))
    assert.deepEqual(verifyDerivation({ ...claim, publicKey: whole, proof: made }), expected)
  })

  function changed(change: Partial<Derivation>): Uint8Array {
    return encodeDerived({ ...decodeDerived(proof), ...change })
  }
})

describe('a Schnorr signature', () => {
  it('is verified under the output key that root and public key come to', () => {
    const secret = secp256k1.utils.randomSecretKey()
    const publicKey = secp256k1.getPublicKey(secret, true)
    const message = sha256(seed)
    for (const merkleRoot of [new Uint8Array(), sha256(domain)]) {
      const output = outputKeyOf(publicKey, merkleRoot)
      assert.deepEqual(output, taprootOutputKey(publicKey, merkleRoot))
      // Of the key itself, and so of no output.
      const untweaked = schnorr.sign(message, secret)
      assert.ok(!verifySchnorr(publicKey, { merkleRoot, message }, untweaked))
      const { Fn } = secp256k1.Point
      const own = Fn.fromBytes(secret)
      const even = publicKey[0] === 3 ? Fn.neg(own) : own
      const tweak = schnorr.utils.taggedHash('TapTweak', publicKey.slice(1), merkleRoot)
      const tweaked = Fn.toBytes(Fn.add(even, bytesToBig(tweak)))
      const signature = schnorr.sign(message, tweaked)
      assert.ok(verifySchnorr(publicKey, { merkleRoot, message }, signature))
      const other = { merkleRoot: sha256(merkleRoot), message }
      assert.ok(!verifySchnorr(publicKey, other, signature))
    }
  })
})

describe('a Schnorr signature without a root', () => {
  it('is verified under the key itself, of either parity, and under no output of it', () => {
    for (const secret of [1, 2, 3, 4, 5, 6].map((byte) => sha256(new Uint8Array([byte])))) {
      const publicKey = secp256k1.getPublicKey(secret, true)
      const message = sha256(seed)
      const signature = schnorr.sign(message, secret)
      assert.ok(verifySchnorr(publicKey, { merkleRoot: undefined, message }, signature))
      for (const merkleRoot of [new Uint8Array(), sha256(domain)])
        assert.ok(!verifySchnorr(publicKey, { merkleRoot, message }, signature))
    }
  })
})

function derivation(secret?: Uint8Array) {
  const { output, publicKey, ...made } = makeDerivation({ domain, seed }, secret)
  return { output, publicKey, proof: encodeDerived(made) }
}
