import assert from 'node:assert/strict'
import { createPublicKey, ECDH, generateKeyPairSync, sign } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { concat, fromHex, toUtf8 } from '@quorate/core/bytes'
import {
  clientDataFor,
  parseSpki,
  readPublicKey,
  verifyKeyAssertion,
  verifySignature,
} from './credential.ts'
import { makePerson } from './testing/world.ts'

const challenge = 'A'.repeat(43)
const clientData = clientDataFor(challenge)

describe('a key credential', () => {
  it('may be Ed25519, P-256, secp256k1 or RSA, in either PEM form', () => {
    for (const kind of ['ed25519', 'P-256', 'secp256k1', 'rsa'] as const) {
      const person = makePerson(kind)
      const algorithm = kind === 'ed25519' ? null : 'sha256'
      const signature = new Uint8Array(sign(algorithm, clientData, person.key))
      assert.ok(verifyKeyAssertion(person.spki, challenge, { clientData, signature }), kind)
      const changed = signature.with(8, 1 ^ (signature[8] ?? 0))
      assert.ok(
        !verifyKeyAssertion(person.spki, challenge, { clientData, signature: changed }),
        kind,
      )
    }
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const pkcs1 = String(publicKey.export({ type: 'pkcs1', format: 'pem' }))
    assert.deepEqual(
      readPublicKey(pkcs1),
      new Uint8Array(publicKey.export({ type: 'spki', format: 'der' })),
    )
  })

  it('is of no other kind, size or form', () => {
    const pem = (key: ReturnType<typeof createPublicKey>) =>
      String(key.export({ type: 'spki', format: 'pem' }))
    assert.equal(
      readPublicKey(pem(generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey)),
      undefined,
    )
    assert.equal(
      readPublicKey(pem(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey)),
      undefined,
    )
    const exponent3 = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicExponent: 3,
    }).publicKey
    assert.equal(readPublicKey(pem(exponent3)), undefined)
    assert.equal(readPublicKey(pem(generateKeyPairSync('x25519').publicKey)), undefined)
    assert.equal(readPublicKey('-----BEGIN PRIVATE KEY-----\n'), undefined)
    assert.equal(readPublicKey('nonsense'), undefined)
    assert.equal(parseSpki(concat(makePerson().spki, new Uint8Array(1))), undefined)
  })

  it('has one fingerprint, however its point is written', () => {
    for (const [kind, name, algorithm] of [
      ['P-256', 'prime256v1', '06072a8648ce3d020106082a8648ce3d030107'],
      ['secp256k1', 'secp256k1', '06072a8648ce3d020106052b8104000a'],
    ] as const) {
      const { spki } = makePerson(kind)
      assert.ok(parseSpki(spki))
      for (const form of ['compressed', 'hybrid'] as const) {
        const point = ECDH.convertKey(spki.subarray(-65), name, undefined, undefined, form)
        assert.ok(point instanceof Uint8Array)
        const bits = der(3, concat(new Uint8Array(1), point))
        const other = der(0x30, concat(der(0x30, fromHex(algorithm)), bits))
        assert.equal(parseSpki(other), undefined)
        const text = Buffer.from(other).toString('base64')
        const pem = `-----BEGIN PUBLIC KEY-----\n${text}\n-----END PUBLIC KEY-----\n`
        assert.deepEqual(readPublicKey(pem), spki)
      }
    }
  })

  it('is not an Ed25519 point of small order, with which one signature fits many messages', () => {
    const prefix = fromHex('302a300506032b6570032100')
    for (const point of [
      '0100000000000000000000000000000000000000000000000000000000000000',
      '0000000000000000000000000000000000000000000000000000000000000080',
      'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
      'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
      '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
      'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    ])
      assert.equal(parseSpki(concat(prefix, fromHex(point))), undefined)
  })

  it('signs a challenge as it stands, for getting and not for creating', () => {
    const person = makePerson()
    const says = (value: object | string) => {
      const text = typeof value === 'string' ? value : JSON.stringify(value)
      const data = toUtf8(text)
      const signature = new Uint8Array(sign(null, data, person.key))
      return verifyKeyAssertion(person.spki, challenge, { clientData: data, signature })
    }
    assert.ok(says({ type: 'key.get', challenge }))
    assert.ok(says({ challenge, origin: 'x', crossOrigin: false, type: 'key.get' }))
    assert.ok(!says({ type: 'key.create', challenge }))
    assert.ok(!says({ type: 'webauthn.get', challenge }))
    assert.ok(!says({ type: 'key.get', challenge: Buffer.from(challenge).toString('base64url') }))
    assert.ok(!says({ type: 'key.get', challenge: [challenge] }))
    assert.ok(!says({ type: 'key.get' }))
    assert.ok(!says(`{"type":"key.get","challenge":"x","challenge":"${challenge}"}`))
    assert.ok(!says('[]'))
  })

  it('signs ECDSA in the one short DER form, and Ed25519 with S in its range', () => {
    const person = makePerson('P-256')
    const der = new Uint8Array(sign('sha256', clientData, person.key))
    const raw = new Uint8Array(
      sign('sha256', clientData, { key: person.key, dsaEncoding: 'ieee-p1363' }),
    )
    for (const signature of [
      raw,
      concat(der, new Uint8Array(1)),
      der.subarray(0, -1),
      new Uint8Array(),
    ])
      assert.ok(!verifyKeyAssertion(person.spki, challenge, { clientData, signature }))
    const ed = makePerson()
    const signature = new Uint8Array(sign(null, clientData, ed.key)).fill(255, 32)
    assert.ok(!verifyKeyAssertion(ed.spki, challenge, { clientData, signature }))
  })
})

/** X.690, for contents of less than 128 bytes. */
function der(tag: number, contents: Uint8Array): Uint8Array {
  return concat(new Uint8Array([tag, contents.length]), contents)
}

type Group = {
  readonly publicKeyPem: string
  readonly tests: readonly { tcId: number; msg: string; sig: string; result: string }[]
}
const folder = process.env['QUORATE_VECTORS']
const files = [
  'ed25519',
  'ecdsa_secp256r1_sha256',
  'ecdsa_secp256k1_sha256',
  'rsa_signature_2048_sha256',
]

describe('Wycheproof signatures (needs QUORATE_VECTORS)', () => {
  for (const name of files) {
    const file = folder === undefined ? '' : join(folder, 'wycheproof', `${name}_test.json`)
    const skip = existsSync(file)
      ? false
      : 'LEFT OUT: QUORATE_VECTORS is not set or has no such file'
    it(name, { skip }, () => assert.deepEqual(wronglyAccepted(file), []))
  }
})

/** The strict checks may refuse what is valid there, and must accept nothing that is not. */
function wronglyAccepted(file: string): readonly number[] {
  const { testGroups } = JSON.parse(readFileSync(file, 'utf8')) as { testGroups: readonly Group[] }
  let accepted = 0
  const wrong = testGroups.flatMap(({ publicKeyPem, tests }) => {
    const spki = readPublicKey(publicKeyPem)
    return tests.flatMap(({ tcId, msg, sig, result }) => {
      const isAccepted = spki !== undefined && verifySignature(spki, fromHex(msg), fromHex(sig))
      if (isAccepted) accepted++
      return isAccepted && result === 'invalid' ? [tcId] : []
    })
  })
  assert.ok(accepted > 5, 'hardly anything was accepted')
  return wrong
}
