import assert from 'node:assert/strict'
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { ed25519 } from '@noble/curves/ed25519.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { bigToBytes, bytesToBig, concat, fromHex, toUtf8 } from '@quorate/core/bytes'
import { sha256 } from '@quorate/core/hash'
import { badPoints } from '../group/bad-points.ts'
import type { Point } from '../group/group.ts'
import { groupOf } from '../group/groups.ts'
import { randomNumber } from '../group/testing/oracle.ts'
import { verifySignature } from './verify.ts'

const message = toUtf8('a message')
const digest = sha256(message)

describe('verifying Ed25519', () => {
  const secret = ed25519.utils.randomSecretKey()
  const publicKey = ed25519.getPublicKey(secret)
  const signature = ed25519.sign(message, secret)

  it('takes what noble and OpenSSL sign', () => {
    assert.ok(verifySignature('EdDSA', 'ed25519', publicKey, message, signature))
    const pair = generateKeyPairSync('ed25519')
    const x = Buffer.from(pair.publicKey.export({ format: 'jwk' }).x ?? '', 'base64url')
    const theirs = new Uint8Array(sign(null, message, pair.privateKey))
    assert.ok(verifySignature('EdDSA', 'ed25519', new Uint8Array(x), message, theirs))
  })

  it('refuses any other message, key, signature, curve and scheme', () => {
    const other = ed25519.getPublicKey(ed25519.utils.randomSecretKey())
    assert.ok(!verifySignature('EdDSA', 'ed25519', publicKey, digest, signature))
    assert.ok(!verifySignature('EdDSA', 'ed25519', other, message, signature))
    for (let at = 0; at < 64; at += 9)
      assert.ok(!verifySignature('EdDSA', 'ed25519', publicKey, message, changed(signature, at)))
    assert.ok(!verifySignature('EdDSA', 'secp256k1', publicKey, message, signature))
    assert.ok(!verifySignature('ECDSA', 'ed25519', publicKey, digest, signature))
  })

  it('refuses a second form of s, and keys that verify too much', () => {
    const order = groupOf('ed25519').order
    const s = bytesToBig(signature.slice(32).reverse())
    const second = concat(signature.slice(0, 32), bigToBytes(s + order, 32).reverse())
    assert.ok(!verifySignature('EdDSA', 'ed25519', publicKey, message, second))
    // With a key of small order R = s·G makes a signature of every eighth message.
    const identity = concat(groupOf('ed25519').identity, new Uint8Array(32))
    for (const key of badPoints(groupOf('ed25519')))
      assert.ok(!verifySignature('EdDSA', 'ed25519', key, message, identity))
  })
})

describe('verifying ECDSA on secp256k1', () => {
  const secret = secp256k1.utils.randomSecretKey()
  const publicKey = secp256k1.getPublicKey(secret)
  const signature = secp256k1.sign(digest, secret, { prehash: false })
  const order = groupOf('secp256k1').order

  it('takes what noble signs', () => {
    assert.ok(verifySignature('ECDSA', 'secp256k1', publicKey, digest, signature))
  })

  it('refuses the higher s, which anybody can make of the lower', () => {
    const s = bytesToBig(signature.slice(32))
    const higher = concat(signature.slice(0, 32), bigToBytes(order - s, 32))
    assert.ok(!verifySignature('ECDSA', 'secp256k1', publicKey, digest, higher))
  })

  it('refuses r or s of zero, the order or more, and other lengths', () => {
    for (const value of [0n, order, order + 1n, 2n ** 256n - 1n])
      for (const wrong of [
        concat(bigToBytes(value, 32), signature.slice(32)),
        concat(signature.slice(0, 32), bigToBytes(value, 32)),
      ])
        assert.ok(!verifySignature('ECDSA', 'secp256k1', publicKey, digest, wrong))
    for (const wrong of [signature.slice(1), concat(signature, Uint8Array.of(0)), new Uint8Array()])
      assert.ok(!verifySignature('ECDSA', 'secp256k1', publicKey, digest, wrong))
    assert.ok(!verifySignature('ECDSA', 'secp256k1', publicKey, message, signature))
  })

  it('refuses another digest, and a key in another form', () => {
    assert.ok(!verifySignature('ECDSA', 'secp256k1', publicKey, sha256(digest), signature))
    const full = secp256k1.getPublicKey(secret, false)
    assert.ok(!verifySignature('ECDSA', 'secp256k1', full, digest, signature))
  })
})

describe('verifying ECDSA on the Stark curve', () => {
  const group = groupOf('stark')
  const key = 0x3c1e9550e66958296d11b60f8e8e7a7ad990d07fa65d5f7652c4a6c87d4e3ccn
  const publicKey = group.encode(group.multiplyBase(key))
  const z = 0x397e76d1667c4454bfb83514e120583af836f8e32a516765497823eabe16a3fn

  it('takes the signature of the textbook, and no other', () => {
    const [hash, signature] = [bigToBytes(z, 32), textbook(key, z)]
    assert.ok(verifySignature('ECDSA', 'stark', publicKey, hash, signature))
    for (let at = 0; at < 64; at += 9)
      assert.ok(!verifySignature('ECDSA', 'stark', publicKey, hash, changed(signature, at)))
    assert.ok(!verifySignature('ECDSA', 'stark', publicKey, bigToBytes(z + 1n, 32), signature))
    assert.ok(!verifySignature('ECDSA', 'secp256k1', publicKey, hash, signature))
  })

  it('refuses a digest of 2^251 or more, which is not a field element that Starknet signs', () => {
    const beyond = 2n ** 251n + 5n
    const signature = textbook(key, beyond)
    assert.ok(!verifySignature('ECDSA', 'stark', publicKey, bigToBytes(beyond, 32), signature))
  })

  it('refuses r or s of zero or the order', () => {
    const signature = textbook(key, z)
    for (const value of [0n, group.order])
      for (const wrong of [
        concat(bigToBytes(value, 32), signature.slice(32)),
        concat(signature.slice(0, 32), bigToBytes(value, 32)),
      ])
        assert.ok(!verifySignature('ECDSA', 'stark', publicKey, bigToBytes(z, 32), wrong))
  })

  it('refuses r or the inverse of s from 2^251 on, though the equation holds', () => {
    const bound = 2n ** 251n
    const hash = bigToBytes(z, 32)
    const R = group.multiplyBase(77n)
    assert.ok(verifySignature('ECDSA', 'stark', ...keyFor({ R, w: bound - 3n }, hash)))
    assert.ok(!verifySignature('ECDSA', 'stark', ...keyFor({ R, w: bound + 3n }, hash)))
    let x = bound
    let far = group.decode(concat(Uint8Array.of(2), bigToBytes(x, 32)))
    while (far === undefined) far = group.decode(concat(Uint8Array.of(2), bigToBytes(++x, 32)))
    assert.ok(!verifySignature('ECDSA', 'stark', ...keyFor({ R: far, w: 5n }, hash)))
  })

  /** Whoever may choose the key last can have any R and s: Q = r⁻¹·(s·R − z·G). */
  function keyFor(
    { R, w }: { readonly R: Point; readonly w: bigint },
    hash: Uint8Array,
  ): [publicKey: Uint8Array, digest: Uint8Array, signature: Uint8Array] {
    const r = bytesToBig(group.encode(R).slice(1))
    const s = group.invertPublic(w)
    const sum = group.add(group.multiply(R, s), group.negate(group.multiplyBase(z)))
    const key = group.multiply(sum, group.invertPublic(r))
    return [group.encode(key), hash, concat(bigToBytes(r, 32), bigToBytes(s, 32))]
  }

  it('takes StarkWare’s own example', () => {
    const r = '173fd03d8b008ee7432977ac27d1e9d1a1f6c98b1a2f05fa84a21c84c44e882'
    const s = '4b6d75385aed025aa222f28a0adc6d58db78ff17e51c3f59e259b131cd5a1cc'
    const signature = concat(...[r, s].map((hex) => fromHex(hex.padStart(64, '0'))))
    assert.ok(verifySignature('ECDSA', 'stark', publicKey, bigToBytes(z, 32), signature))
  })

  function textbook(secret: bigint, hash: bigint): Uint8Array {
    for (;;) {
      const k = randomNumber(group, (size) => new Uint8Array(randomBytes(size)))
      const r = bytesToBig(group.encode(group.multiplyBase(k)).slice(1))
      const w = group.mod(k * group.invertPublic(group.mod(hash + r * secret)))
      if (r < 2n ** 251n && w < 2n ** 251n)
        return concat(bigToBytes(r, 32), bigToBytes(group.invertPublic(w), 32))
    }
  }
})

describe('verifying, by the Wycheproof project', () => {
  const folder = process.env['QUORATE_VECTORS']

  wycheproof('ed25519_test.json', ({ publicKey }, test) =>
    verifySignature(
      'EdDSA',
      'ed25519',
      fromHex(publicKey.pk ?? ''),
      fromHex(test.msg),
      fromHex(test.sig),
    ),
  )
  wycheproof('ecdsa_secp256k1_sha256_p1363_test.json', ({ publicKey }, test) => {
    const full = fromHex(publicKey.uncompressed ?? '')
    const key = secp256k1.Point.fromBytes(full).toBytes(true)
    const signature = fromHex(test.sig)
    const s = bytesToBig(signature.slice(32))
    const { order } = groupOf('secp256k1')
    // Wycheproof takes either s; here it is the lower or none.
    const lower = signature.length === 64 && s > order / 2n && s < order
    const normal = lower ? concat(signature.slice(0, 32), bigToBytes(order - s, 32)) : signature
    if (lower)
      assert.ok(!verifySignature('ECDSA', 'secp256k1', key, sha256(fromHex(test.msg)), signature))
    return verifySignature('ECDSA', 'secp256k1', key, sha256(fromHex(test.msg)), normal)
  })

  function wycheproof(file: string, check: (group: Group, test: Test) => boolean): void {
    const path = join(folder ?? '', 'wycheproof', file)
    const present = folder !== undefined && existsSync(path)
    const skip = present ? false : 'LEFT OUT: QUORATE_VECTORS names no folder with this file'
    it(`judges every case of ${file} alike`, { skip }, () => {
      const { testGroups } = JSON.parse(readFileSync(path, 'utf8')) as { testGroups: Group[] }
      for (const group of testGroups)
        for (const test of group.tests)
          assert.equal(check(group, test), test.result === 'valid', `${file} ${test.tcId}`)
    })
  }
})

type Test = { tcId: number; msg: string; sig: string; result: string }
type Group = { publicKey: { pk?: string; uncompressed?: string }; tests: Test[] }

function changed(bytes: Uint8Array, at: number): Uint8Array {
  return bytes.map((byte, i) => (i === at ? byte ^ 1 : byte))
}
