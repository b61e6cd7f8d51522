import assert from 'node:assert/strict'
import { createPublicKey, ECDH, generateKeyPairSync, sign } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { concat, fromBase64url, fromHex, toBase64url, toUtf8 } from '@quorate/core/bytes'
import { encode } from '@quorate/core/codec'
import { sha256 } from '@quorate/core/hash'
import { checkedClientDataFor, clientDataFor } from './client-data.ts'
import {
  assertionsCodec,
  isChecked,
  readRecoveryChallenge,
  verifyAssertion,
  verifyKeyAssertion,
  verifyRecovery,
} from './credential.ts'
import { parseSpki, readPublicKey, verifySignature } from './public-key.ts'
import { newKeyCredential, type KeyKind } from './testing/key-credential.ts'
import { writeCbor } from './testing/cbor.ts'
import { authenticatorDataOf, newPasskey, signWith } from './testing/passkey.ts'
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

const policy = {
  relyingParties: [{ id: 'example.test', origins: ['https://example.test'] }],
  verification: 'verified',
} as const

describe('an assertion', () => {
  const passkey = newPasskey()
  const { spki, relyingParty } = passkey

  it('is judged by the kind of its credential', () => {
    const signed = passkey.assertion(challenge)
    const fido2 = { kind: 'Fido2', spki, relyingParty } as const
    assert.ok(verifyAssertion(fido2, challenge, signed, policy))
    assert.ok(!verifyAssertion({ ...fido2, relyingParty: undefined }, challenge, signed, policy))
    assert.ok(!verifyAssertion({ ...fido2, relyingParty: 'x' }, challenge, signed, policy))
    for (const kind of ['Key', 'PasswordProtectedKey', 'RecoveryKey'] as const)
      assert.ok(!verifyAssertion({ ...fido2, kind }, challenge, signed, policy), kind)
    const without = { ...signed, authenticatorData: undefined }
    assert.ok(!verifyAssertion(fido2, challenge, without, policy))
    const noOrigins = { ...policy, relyingParties: [] }
    assert.ok(!verifyAssertion(fido2, challenge, signed, noOrigins))
  })

  it('of a key has no authenticator data, and a recovery key makes none', () => {
    const key = newKeyCredential()
    const signed = key.assertion(challenge)
    const by = (kind: KeyKind | 'Fido2', assertion = signed) =>
      verifyAssertion(
        { kind, spki: key.spki, relyingParty: undefined },
        challenge,
        assertion,
        policy,
      )
    assert.ok(by('Key'))
    assert.ok(by('PasswordProtectedKey'))
    assert.ok(!by('RecoveryKey'))
    assert.ok(!by('Fido2'))
    assert.ok(!by('Key', { ...signed, authenticatorData: new Uint8Array() }))
    assert.ok(!by('Key', newKeyCredential().assertion(challenge)))
  })

  it('fits into the log whenever it is believed', () => {
    const { key } = passkey
    const { clientData } = passkey.assertion(challenge)
    const header = authenticatorDataOf({ relyingParty, userVerified: true }).with(32, 0x85)
    for (const [size, isTaken] of [
      [900, true],
      [1100, false],
    ] as const) {
      const extensions = writeCbor(new Map([['x', new Uint8Array(size)]]))
      const authenticatorData = concat(header, extensions)
      const signature = signWith(key, concat(authenticatorData, sha256(clientData)))
      const signed = { clientData, authenticatorData, signature }
      const credential = { kind: 'Fido2', spki, relyingParty } as const
      assert.equal(verifyAssertion(credential, challenge, signed, policy), isTaken)
      const encoded = () => encode(assertionsCodec, [{ fingerprint: fromHex('00'), ...signed }])
      if (isTaken) assert.doesNotThrow(encoded)
      else assert.throws(encoded)
    }
  })
})

describe('a checked assertion', () => {
  const request = new Uint8Array(32).fill(0xab)
  const keyOf = (value: object) => ({
    clientData: toUtf8(JSON.stringify(value)),
    authenticatorData: undefined,
  })

  it('names the hash of its request in a member of its own', () => {
    const key = newKeyCredential()
    const checked = key.checkedAssertion(request)
    assert.ok(isChecked(checked, request))
    assert.ok(verifyKeyAssertion(key.spki, toBase64url(request), checked))
    assert.deepEqual(checked.clientData, checkedClientDataFor(request))
    assert.ok(!isChecked(checked, request.with(0, 0)))
  })

  it('is none that a stock client makes, whatever it is asked to sign', () => {
    const stock = (sent: unknown) => keyOf({ type: 'key.get', challenge: sent })
    const hex = 'ab'.repeat(32)
    for (const sent of [toBase64url(request), hex, { request: hex }, `","request":"${hex}`])
      assert.ok(!isChecked(stock(sent), request), JSON.stringify(sent))
  })

  it('has that member once, at the top, in lower case, as a text', () => {
    const hex = 'ab'.repeat(32)
    assert.ok(isChecked(keyOf({ request: hex }), request))
    for (const value of [
      { request: hex.toUpperCase() },
      { request: [hex] },
      { x: { request: hex } },
    ])
      assert.ok(!isChecked(keyOf(value), request))
    const twice = toUtf8(`{"request":"${hex}","request":"${hex}"}`)
    assert.ok(!isChecked({ clientData: twice, authenticatorData: undefined }, request))
  })

  it('is none of a passkey', () => {
    const { clientData } = keyOf({ request: 'ab'.repeat(32) })
    assert.ok(!isChecked({ clientData, authenticatorData: new Uint8Array(37) }, request))
  })
})

describe('a recovery key', () => {
  const text = '{"firstFactorCredential":{"credentialKind":"Key","name":"é"}}'
  const key = newKeyCredential({ kind: 'RecoveryKey', algorithm: 'P-256' })
  const recovers = (challengeText: unknown, type = 'key.get') => {
    const data = toUtf8(JSON.stringify({ type, challenge: challengeText }))
    const signature = new Uint8Array(sign('sha256', data, key.key))
    return verifyRecovery(key.spki, { clientData: data, signature })
  }

  it('signs the text of the credentials that follow it', () => {
    const { clientData: sent, signature } = key.recover(text).credentialAssertion
    const given = { clientData: fromBase64url(sent), signature: fromBase64url(signature) }
    assert.equal(verifyRecovery(key.spki, given), text)
    assert.equal(readRecoveryChallenge(given.clientData), text)
    assert.equal(verifyRecovery(newKeyCredential().spki, given), undefined)
    assert.equal(verifyRecovery(key.spki, { ...given, signature: new Uint8Array(70) }), undefined)
  })

  it('signs nothing else in its place', () => {
    const encoded = toBase64url(toUtf8(text))
    assert.equal(recovers(encoded), text)
    for (const other of [
      text,
      challenge,
      `${encoded}=`,
      `${encoded.slice(0, -1)}`,
      toBase64url(toUtf8('[]')),
      toBase64url(toUtf8('"text"')),
      toBase64url(toUtf8(`${text},`)),
      toBase64url(toUtf8('{"a":1,"a":1}')),
      toBase64url(fromHex('7bff7d')),
      [encoded],
      undefined,
    ])
      assert.equal(recovers(other), undefined, JSON.stringify(other))
    assert.equal(recovers(encoded, 'key.create'), undefined)
    const long = JSON.stringify({ x: 'x'.repeat(50_000) })
    assert.equal(recovers(toBase64url(toUtf8(long))), undefined)
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
