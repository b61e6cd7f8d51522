import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, it } from 'node:test'
import { concat, toUtf8 } from '@quorate/core/bytes'
import { randomFrom } from './agreement/model/random.ts'
import { parseSpki, readPublicKey, spkiOfJwk, verifySignature } from './public-key.ts'
import { mutated, runs } from './testing/mutations.ts'
import { signWith } from './testing/passkey.ts'
import { makePerson } from './testing/world.ts'

const people = (['ed25519', 'P-256', 'secp256k1', 'rsa'] as const).map((kind) => makePerson(kind))

describe('a PEM', () => {
  const { pem, spki } = makePerson('P-256')

  it('is of one key, with at most one character of white space after it', () => {
    for (const text of [pem, pem.trimEnd(), pem.replaceAll('\n', '\r\n').trimEnd()])
      assert.deepEqual(readPublicKey(text), spki)
    for (const text of [
      `${pem}\n`,
      `${pem}${pem}`,
      ` ${pem}`,
      `Subject: x\n${pem}`,
      pem.replace('-----\n', '-----\nProc-Type: 4,ENCRYPTED\n\n'),
      pem.replace('BEGIN PUBLIC', 'BEGIN RSA PUBLIC'),
      pem.replaceAll('PUBLIC KEY', 'CERTIFICATE'),
      pem.replace('\n-----END', '=\n-----END'),
      pem.replace('\n-----END', ' \n-----END'),
      `${pem}${' '.repeat(4096)}`,
    ])
      assert.equal(readPublicKey(text), undefined, text)
  })

  it('holds one element of DER and nothing after it', () => {
    const wrap = (der: Uint8Array) =>
      `-----BEGIN PUBLIC KEY-----\n${Buffer.from(der).toString('base64')}\n-----END PUBLIC KEY-----`
    assert.deepEqual(readPublicKey(wrap(spki)), spki)
    assert.equal(readPublicKey(wrap(concat(spki, new Uint8Array(3)))), undefined)
    assert.equal(readPublicKey(wrap(new Uint8Array())), undefined)
  })

  it('is read to a usable key or to nothing, whatever the text', () => {
    runs(3_000, (seed) => {
      const random = randomFrom(seed)
      const text = mutated(random, toUtf8(random.pickAny(people)?.pem ?? ''))
      const read = readPublicKey(Buffer.from(text).toString('latin1'))
      if (read !== undefined) assert.ok(parseSpki(read))
    })
  })
})

describe('a JWK', () => {
  it('is of a key that is usable', () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const jwk = publicKey.export({ format: 'jwk' })
    assert.ok(spkiOfJwk(jwk))
    assert.equal(spkiOfJwk({ ...jwk, y: jwk.x ?? '' }), undefined)
    assert.equal(spkiOfJwk({ ...jwk, crv: 'P-384' }), undefined)
    assert.equal(spkiOfJwk({}), undefined)
  })
})

describe('an SPKI', () => {
  it('is canonical or nothing, whatever the bytes', () => {
    runs(3_000, (seed) => {
      const random = randomFrom(seed)
      const bytes = mutated(random, random.pickAny(people)?.spki ?? new Uint8Array())
      const read = parseSpki(bytes)
      if (read === undefined) return
      const pem = String(read.key.export({ type: 'spki', format: 'pem' }))
      assert.deepEqual(readPublicKey(pem), bytes)
    })
  })
})

describe('a signature', () => {
  const message = toUtf8('message')

  it('is strictly encoded: no small change of its bytes leaves it valid', () => {
    for (const { key, spki } of people) {
      const signature = signWith(key, message)
      assert.ok(verifySignature(spki, message, signature))
      runs(500, (seed) => {
        const other = mutated(randomFrom(seed), signature)
        if (Buffer.compare(other, signature) === 0) return
        assert.ok(!verifySignature(spki, message, other))
      })
    }
  })
})
