import assert from 'node:assert/strict'
import {
  createHash,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  sign,
  verify,
} from 'node:crypto'
import { after, describe, it } from 'node:test'
import {
  rawPublicKey,
  seedOf,
  signEd25519,
  verifyEd25519,
  verifyEd25519By,
} from '@quorate/authority/ed25519'
import {
  bigToBytes,
  bytesToBig,
  concat,
  equalBytes,
  fromHex,
  toBase64url,
  toUtf8,
} from '@quorate/core/bytes'
import { verifySignature } from '@quorate/authority/public-key'
import { ed25519 } from '@quorate/threshold/group/ed25519'
import { signingEd25519 } from '@quorate/threshold/identity-key'
import * as libsodium from '@quorate/threshold/public/ed25519'

type Case = {
  readonly key: Uint8Array
  readonly message: Uint8Array
  readonly signature: Uint8Array
}

describe('a signer of its own', () => {
  it('signs by libsodium what OpenSSL would, byte for byte', () => {
    for (let i = 0; i < 32; i++) {
      const { privateKey } = generateKeyPairSync('ed25519')
      const message = new Uint8Array(randomBytes(i * 7))
      const signed = signingEd25519(seedOf(privateKey))(message)
      assert.deepEqual(signed, signEd25519(privateKey, message))
    }
  })
})

/** Signers that verify differently would not agree on what is certified. */
describe('a peer signature', () => {
  after(() => verifyEd25519By(byOpenssl))

  for (const [name, by] of [
    ['OpenSSL', byOpenssl],
    ['libsodium', libsodium.verifyEd25519],
  ] as const)
    it(`that is good is good to ${name}, and none that is made up is`, () => {
      verifyEd25519By(by)
      const good = honest()
      assert.ok(verifyEd25519(good.key, good.message, good.signature))
      for (const [what, make] of Object.entries(crooked)) {
        const { key, message, signature } = make()
        assert.ok(!verifyEd25519(key, message, signature), what)
      }
    })

  it('of small order holds to nobody, though some versions of OpenSSL would have it', () => {
    verifyEd25519By(byEquation)
    const good = honest()
    assert.ok(verifyEd25519(good.key, good.message, good.signature))
    for (const make of [crooked.smallR, crooked.smallKey]) {
      const { key, message, signature } = make()
      assert.ok(byEquation(key, message, signature))
      assert.ok(!verifyEd25519(key, message, signature))
      assert.ok(!verifySignature(spkiOf(key), message, signature), 'nor a user’s')
    }
    assert.ok(verifySignature(spkiOf(good.key), good.message, good.signature))
  })
})

const identity = Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 1 : 0))
const order = ed25519.order

const crooked = {
  /** R = 0 and S = ka, by one who knows the secret a. */
  smallR: () => ofScalar((k, a) => k * a),
  smallKey(): Case {
    const s = 5n
    const R = ed25519.encode(ed25519.multiplyBase(s))
    return { key: identity, message: toUtf8('anything'), signature: concat(R, little(s)) }
  },
  largeS(): Case {
    const { key, message, signature } = honest()
    const s = bytesToBig(signature.slice(32).reverse()) + order
    return { key, message, signature: concat(signature.slice(0, 32), little(s)) }
  },
  /** The identity once more, as y = p + 1. */
  secondEncoding: (): Case => ({
    ...crooked.smallKey(),
    key: little(2n ** 255n - 18n),
  }),
  otherMessage: (): Case => ({ ...honest(), message: toUtf8('another') }),
  short: (): Case => ({ ...honest(), signature: honest().signature.slice(1) }),
}

function honest(): Case {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const message = toUtf8('a vote')
  const signature = new Uint8Array(sign(null, message, privateKey))
  return { key: rawPublicKey(publicKey), message, signature }
}

function spkiOf(key: Uint8Array): Uint8Array {
  return concat(fromHex('302a300506032b6570032100'), key)
}

function ofScalar(respond: (k: bigint, a: bigint) => bigint): Case {
  const a = 123_456_789n
  const key = ed25519.encode(ed25519.multiplyBase(a))
  const message = toUtf8('a vote that its signer will deny')
  const k = challengeOf(identity, key, message)
  return { key, message, signature: concat(identity, little(respond(k, a) % order)) }
}

function challengeOf(...parts: readonly Uint8Array[]): bigint {
  const hash = createHash('sha512').update(concat(...parts))
  return bytesToBig(new Uint8Array(hash.digest()).reverse()) % order
}

/** SB = R + kA, and nothing else: what the standard asks of a verifier that trusts its input. */
function byEquation(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const [R, s] = [signature.slice(0, 32), bytesToBig(signature.slice(32).reverse())]
  const A = equalBytes(key, identity) ? ed25519.identity : ed25519.decode(key)
  const k = challengeOf(R, key, message)
  const computed = A && ed25519.add(ed25519.multiplyBase(s), ed25519.negate(ed25519.multiply(A, k)))
  return computed !== undefined && equalBytes(computed, R)
}

function little(value: bigint): Uint8Array {
  return bigToBytes(value, 32).reverse()
}

function byOpenssl(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: toBase64url(key) }
  return verify(null, message, createPublicKey({ key: jwk, format: 'jwk' }), signature)
}
