import assert from 'node:assert/strict'
import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { describe, it } from 'node:test'
import { concat, fromBase64url, toBase64url, toHex, toUtf8 } from '@quorate/core/bytes'
import { sha256 } from '@quorate/core/hash'
import { randomFrom } from './agreement/model/random.ts'
import { readAttestation, type ExpectedAttestation, type GivenAttestation } from './attestation.ts'
import { androidKey, newDevice, objectOf, packed, tpm } from './testing/attestations.ts'
import { keyAttestation, newKeyCredential, type KeyKind } from './testing/key-credential.ts'
import { mutated, randomBytesOf, runs } from './testing/mutations.ts'
import {
  attestationObject,
  newPasskey,
  passkeyClientData,
  registrationData,
  signWith,
  type WireCredential,
} from './testing/passkey.ts'

const challenge = 'C'.repeat(43)
const expected: ExpectedAttestation = {
  challenge,
  relyingParties: [
    { id: 'other.test', origins: ['https://other.test'] },
    { id: 'example.test', origins: ['https://example.test'] },
  ],
  verification: 'verified',
}

function givenBy({
  credentialKind,
  credentialInfo,
}: WireCredential<GivenAttestation['kind']>): GivenAttestation {
  const { credId, clientData, attestationData } = credentialInfo
  const kind = credentialKind
  const decoded = { clientData: fromBase64url(clientData) }
  return { kind, credId, ...decoded, attestationData: fromBase64url(attestationData) }
}

function refusal(given: GivenAttestation, asked = expected): string {
  const read = readAttestation(given, asked)
  return read.ok ? assert.fail('it was believed') : read.reason
}

describe('the registration of a passkey', () => {
  it('gives the key, and the site that it is bound to', () => {
    for (const algorithm of ['ES256', 'EdDSA', 'RS256'] as const)
      for (const attestation of ['none', 'packed'] as const) {
        const passkey = newPasskey({ algorithm, attestation })
        assert.deepEqual(readAttestation(givenBy(passkey.create(challenge)), expected), {
          ok: true,
          spki: passkey.spki,
          credId: passkey.credId,
          relyingParty: 'example.test',
          origin: 'https://example.test',
          proven: attestation === 'packed',
        })
      }
  })

  it('is for this challenge, and made by a page that creates', () => {
    const passkey = newPasskey()
    const given = givenBy(passkey.create(challenge))
    const reason = 'the passkey was not made for this challenge'
    assert.equal(refusal(givenBy(passkey.create('D'.repeat(43)))), reason)
    const clientData = passkeyClientData('webauthn.get', challenge, passkey.origin)
    assert.equal(refusal({ ...given, clientData }), reason)
    assert.equal(refusal({ ...given, clientData: toUtf8('{') }), reason)
  })

  it('is on a site and page of the organization that belong together', () => {
    const reason = 'the passkey is of another relying party or origin'
    for (const [relyingParty, origin] of [
      ['example.test', 'https://other.test'],
      ['other.test', 'https://example.test'],
      ['evil.test', 'https://evil.test'],
    ] as const) {
      const passkey = newPasskey({ relyingParty, origin })
      assert.equal(refusal(givenBy(passkey.create(challenge))), reason)
    }
  })

  it('verifies its user where that is asked for', () => {
    const given = givenBy(newPasskey({ userVerified: false }).create(challenge))
    assert.equal(refusal(given), 'the passkey has not verified its user')
    assert.ok(readAttestation(given, { ...expected, verification: 'present' }).ok)
  })

  it('names the credential that the authenticator made', () => {
    const given = givenBy(newPasskey().create(challenge))
    const reason = 'the passkey has another id'
    assert.equal(refusal({ ...given, credId: newPasskey().credId }), reason)
    assert.equal(refusal({ ...given, credId: `${given.credId}=` }), reason)
    assert.equal(refusal({ ...given, credId: '' }), 'the id of the credential is empty or too long')
  })

  it('is not proven by a certificate, which anybody may have made, but by its own signature', () => {
    for (const [format, attest, proven] of [
      ['packed', packed, false],
      ['tpm', tpm, false],
      ['android-key', androidKey, true],
    ] as const) {
      const device = newDevice(challenge)
      const attestationData = objectOf(format, device, attest(device))
      const { clientData } = device
      const credId = toBase64url(device.credId)
      const given = { kind: 'Fido2', credId, clientData, attestationData } as const
      const read = readAttestation(given, expected)
      assert.deepEqual([read.ok, read.ok && read.proven], [true, proven])
    }
  })

  it('is refused with a self attestation of another key, algorithm or message', () => {
    const given = givenBy(newPasskey().create(challenge))
    const { key, relyingParty, credId } = newPasskey()
    const authData = registrationData({
      ...{ relyingParty, userVerified: true, key: createPublicKey(key) },
      credId: fromBase64url(credId),
    })
    const attest = (alg: number, sig: Uint8Array) =>
      attestationObject(
        'packed',
        new Map<string, number | Uint8Array>([
          ['alg', alg],
          ['sig', sig],
        ]),
        authData,
      )
    const hash = sha256(given.clientData)
    const good = signWith(key, concat(authData, hash))
    const about = { ...given, credId }
    assert.ok(readAttestation({ ...about, attestationData: attest(-7, good) }, expected).ok)
    assert.equal(
      refusal({ ...about, attestationData: attest(-257, good) }),
      'the attestation is of another algorithm',
    )
    for (const sig of [
      signWith(newPasskey().key, concat(authData, hash)),
      signWith(key, authData),
      signWith(key, concat(authData, sha256(hash))),
    ])
      assert.equal(
        refusal({ ...about, attestationData: attest(-7, sig) }),
        'the signature of the attestation is not valid',
      )
  })
})

describe('the registration of a key', () => {
  const kinds: readonly KeyKind[] = ['Key', 'RecoveryKey', 'PasswordProtectedKey']

  it('gives the key, which has signed', () => {
    for (const kind of kinds)
      for (const algorithm of ['ed25519', 'P-256', 'secp256k1', 'rsa'] as const) {
        const { spki, credId, create } = newKeyCredential({ kind, algorithm })
        assert.deepEqual(readAttestation(givenBy(create(challenge)), expected), {
          ...{ ok: true, spki, credId, proven: true },
          ...{ relyingParty: undefined, origin: undefined },
        })
      }
  })

  /** A key whose client has written this, and signs the fingerprint of `hashed`. */
  const creates = (
    clientData: object,
    change: Partial<GivenAttestation> & { hashed?: object } = {},
  ) => {
    const { credId, key, pem } = newKeyCredential()
    const text = toUtf8(JSON.stringify(clientData))
    const hashed = toUtf8(JSON.stringify(change.hashed ?? clientData))
    const sign = (message: Uint8Array) => signWith(key, message)
    const attestationData = keyAttestation({ clientData: hashed, pem, sign })
    return { kind: 'Key', credId, clientData: text, attestationData, ...change } as const
  }

  it('names the challenge as it stands, or encoded once more as in a documented sample', () => {
    const once = toBase64url(toUtf8(challenge))
    const named = (kind: KeyKind, text: unknown) =>
      readAttestation(creates({ type: 'key.create', challenge: text }, { kind }), expected).ok
    for (const kind of kinds) {
      assert.ok(named(kind, challenge))
      assert.equal(named(kind, once), kind !== 'PasswordProtectedKey')
      assert.ok(!named(kind, toBase64url(toUtf8(once))))
      assert.ok(!named(kind, 'D'.repeat(43)))
      assert.ok(!named(kind, [challenge]))
      assert.ok(!named(kind, undefined))
    }
  })

  it('creates, and is no assertion', () => {
    for (const type of ['key.get', 'webauthn.create', undefined])
      assert.equal(refusal(creates({ type, challenge })), 'the clientData does not create a key')
  })

  it('may sign the hash of its members in alphabetical order instead of what it sends', () => {
    const sent = { type: 'key.create', challenge, origin: 'x', crossOrigin: false }
    const { type, origin, crossOrigin } = sent
    const sorted = { challenge, crossOrigin, origin, type }
    assert.ok(readAttestation(creates(sent, { hashed: sorted }), expected).ok)
    assert.ok(
      !readAttestation(
        creates(sent, { hashed: { origin, crossOrigin, type, challenge } }),
        expected,
      ).ok,
    )
    assert.ok(!readAttestation(creates(sent, { hashed: { ...sorted, origin: 'y' } }), expected).ok)
  })

  it('signs its PEM as it is written, PKCS#1 and final newline or not', () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const clientData = toUtf8(JSON.stringify({ type: 'key.create', challenge }))
    const sign = (message: Uint8Array) => signWith(privateKey, message)
    const given = { kind: 'Key', credId: 'cr-1', clientData } as const
    for (const type of ['spki', 'pkcs1'] as const) {
      const pem = String(publicKey.export({ type, format: 'pem' }))
      for (const text of [pem, pem.trimEnd()]) {
        const attestationData = keyAttestation({ clientData, pem: text, sign })
        const read = readAttestation({ ...given, attestationData }, expected)
        assert.ok(read.ok)
        assert.deepEqual(
          read.spki,
          new Uint8Array(publicKey.export({ type: 'spki', format: 'der' })),
        )
      }
      const { signature } = JSON.parse(
        Buffer.from(keyAttestation({ clientData, pem, sign })).toString(),
      )
      const other = toUtf8(JSON.stringify({ publicKey: pem.trimEnd(), signature }))
      assert.equal(
        refusal({ ...given, attestationData: other }),
        'the signature of the attestation is not valid',
      )
    }
  })

  it('has its signature in hex, over SHA-256, by the key that it names', () => {
    const given = givenBy(newKeyCredential().create(challenge))
    const { publicKey, signature } = JSON.parse(Buffer.from(given.attestationData).toString())
    const attests = (value: unknown) =>
      readAttestation({ ...given, attestationData: toUtf8(JSON.stringify(value)) }, expected)
    assert.ok(attests({ publicKey, signature }).ok)
    assert.ok(attests({ publicKey, signature: signature.toUpperCase() }).ok)
    for (const algorithm of ['SHA256', 'RSA-SHA256'])
      assert.ok(attests({ publicKey, signature, algorithm }).ok)
    for (const wrong of [
      { publicKey, signature, algorithm: 'SHA512' },
      { publicKey, signature, algorithm: null },
      { publicKey, signature: Buffer.from(signature, 'hex').toString('base64url') },
      { publicKey, signature: `${signature}00` },
      { publicKey: newKeyCredential().pem, signature },
      { publicKey: [publicKey], signature },
      { publicKey },
      [],
      null,
    ])
      assert.ok(!attests(wrong).ok, JSON.stringify(wrong))
  })

  it('is no key of another person', () => {
    const mallory = newKeyCredential()
    const clientData = toUtf8(JSON.stringify({ type: 'key.create', challenge }))
    const fingerprint = {
      clientDataHash: toHex(sha256(clientData)),
      publicKey: newKeyCredential().pem,
    }
    const signature = toHex(signWith(mallory.key, toUtf8(JSON.stringify(fingerprint))))
    const attestationData = toUtf8(JSON.stringify({ publicKey: fingerprint.publicKey, signature }))
    assert.ok(
      !readAttestation({ kind: 'Key', credId: 'x', clientData, attestationData }, expected).ok,
    )
  })
})

describe('foreign bytes in the place of a registration', () => {
  it('are answered and nothing is thrown, and what is believed is this registration', () => {
    const registered = [
      ...[newPasskey(), newPasskey({ attestation: 'packed' }), newPasskey({ algorithm: 'RS256' })],
      ...[newKeyCredential(), newKeyCredential({ kind: 'RecoveryKey', algorithm: 'P-256' })],
    ]
    for (const { create, spki } of registered) {
      const given = givenBy(create(challenge))
      runs(1_500, (seed) => {
        const random = randomFrom(seed)
        const part = random.pick(['clientData', 'attestationData'] as const)
        const changed = { ...given, [part]: mutated(random, given[part]) }
        const read = readAttestation(changed, expected)
        // With nobody's signature on it, another point may be named.
        if (read.ok && read.proven) assert.deepEqual(read.spki, spki)
      })
    }
  })

  it('are so when nothing is left of them', () => {
    for (const kind of ['Fido2', 'Key', 'RecoveryKey', 'PasswordProtectedKey'] as const)
      runs(500, (seed) => {
        const random = randomFrom(seed)
        const [clientData, attestationData] = [0, 0].map(() => randomBytesOf(random, 200))
        if (clientData === undefined || attestationData === undefined) return
        const given = { kind, credId: 'x', clientData, attestationData }
        assert.ok(!readAttestation(given, expected).ok)
      })
  })

  it('are no longer than their limits', () => {
    const given = givenBy(newKeyCredential().create(challenge))
    const padded = (bytes: Uint8Array, length: number) =>
      concat(bytes, new Uint8Array(length - bytes.length).fill(0x20))
    const long = (part: 'clientData' | 'attestationData', length: number) =>
      readAttestation({ ...given, [part]: padded(given[part], length) }, expected).ok
    assert.ok(long('attestationData', 8192))
    assert.ok(!long('attestationData', 8193))
    assert.ok(!long('clientData', 4097))
    assert.ok(!readAttestation({ ...given, credId: 'x'.repeat(1365) }, expected).ok)
    assert.ok(readAttestation({ ...given, credId: 'x'.repeat(1364) }, expected).ok)
  })
})
