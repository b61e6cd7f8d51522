import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { concat, toBase64url, toUtf8 } from '@quorate/core/bytes'
import { sha256 } from '@quorate/core/hash'
import {
  authenticatorDataOf,
  newPasskey,
  passkeyClientData,
  registrationData,
  signWith,
} from '../testing/passkey.ts'
import { verifyPasskeyAssertion, type PasskeyAssertion } from './assertion.ts'

const challenge = 'C'.repeat(43)
const relyingParties = [
  { id: 'example.test', origins: ['https://example.test', 'https://app.example.test'] },
  { id: 'other.test', origins: ['https://other.test'] },
]
const passkey = newPasskey()
const { spki, relyingParty, origin } = passkey

/** What this passkey would sign if page and authenticator said these things. */
function says({
  clientData = passkeyClientData('webauthn.get', challenge, origin) as Uint8Array | object,
  authenticatorData = authenticatorDataOf({ relyingParty, userVerified: true }),
  ...rest
}: { clientData?: Uint8Array | object } & Partial<Omit<PasskeyAssertion, 'clientData'>> = {}) {
  const text = clientData instanceof Uint8Array ? clientData : toUtf8(JSON.stringify(clientData))
  return verifyPasskeyAssertion({
    ...{ spki, relyingParty, challenge, relyingParties, verification: 'verified' },
    ...{ clientData: text, authenticatorData },
    signature: signWith(passkey.key, concat(authenticatorData, sha256(text))),
    ...rest,
  })
}
const good = { type: 'webauthn.get', challenge: toBase64url(toUtf8(challenge)), origin }

describe('the assertion of a passkey', () => {
  it('is believed in each of the three algorithms', () => {
    for (const algorithm of ['ES256', 'EdDSA', 'RS256'] as const) {
      const { assertion, ...credential } = newPasskey({ algorithm })
      const signed = assertion(challenge)
      assert.ok(signed.authenticatorData)
      const given = { ...signed, authenticatorData: signed.authenticatorData, challenge }
      const policy = { relyingParties, verification: 'verified' } as const
      const about = { spki: credential.spki, relyingParty, ...given, ...policy }
      assert.ok(verifyPasskeyAssertion(about), algorithm)
      assert.ok(!verifyPasskeyAssertion({ ...about, spki }), algorithm)
      for (const part of ['clientData', 'authenticatorData', 'signature'] as const)
        for (const i of [0, 5, given[part].length - 1]) {
          const changed = given[part].with(i, 1 ^ (given[part][i] ?? 0))
          assert.ok(!verifyPasskeyAssertion({ ...about, [part]: changed }), `${part} ${i}`)
        }
    }
  })

  it('may come with members that a browser adds, in any order', () => {
    assert.ok(says({ clientData: { x: [1], ...good, crossOrigin: false } }))
    assert.ok(says({ clientData: { origin, type: good.type, challenge: good.challenge } }))
  })

  it('names the challenge as the browser encodes it, as a text and in no other form', () => {
    assert.ok(says({ clientData: good }))
    for (const other of [
      challenge,
      'D'.repeat(43),
      toBase64url(toUtf8('D'.repeat(43))),
      `${good.challenge}=`,
      [good.challenge],
      [...toUtf8(challenge)],
      { toString: good.challenge },
      null,
    ])
      assert.ok(!says({ clientData: { ...good, challenge: other } }), JSON.stringify(other))
    const doubled = JSON.stringify(good).replace('{', '{"challenge":"x",')
    assert.ok(!says({ clientData: toUtf8(doubled) }))
  })

  it('was asked for by no registration and by no key', () => {
    for (const type of ['webauthn.create', 'key.get', 'payment.get', undefined])
      assert.ok(!says({ clientData: { ...good, type } }), type)
  })

  it('was asked for on a page of its own relying party, and in no frame', () => {
    const from = (page: string) => says({ clientData: { ...good, origin: page } })
    assert.ok(from('https://app.example.test'))
    for (const page of [
      'https://other.test', // of another relying party of the same organization
      'http://example.test',
      'https://example.test:443',
      'https://example.test/',
      'https://evil.example.test',
      '',
    ])
      assert.ok(!from(page), page)
    assert.ok(!says({ clientData: { ...good, crossOrigin: true } }))
    assert.ok(!says({ clientData: { ...good, crossOrigin: 'false' } }))
    assert.ok(!says({ clientData: { ...good, topOrigin: 'https://example.test' } }))
    assert.ok(!says({ relyingParties: [] }))
    assert.ok(!says({ relyingParties: [{ id: relyingParty, origins: [] }] }))
  })

  it('is for exactly the relying party of its registration', () => {
    const authenticatorData = authenticatorDataOf({
      relyingParty: 'other.test',
      userVerified: true,
    })
    assert.ok(!says({ authenticatorData }))
    const clientData = { ...good, origin: 'https://other.test' }
    assert.ok(!says({ authenticatorData, clientData }))
    assert.ok(says({ authenticatorData, clientData, relyingParty: 'other.test' }))
  })

  it('needs a touch always, and a verified user where that is asked for', () => {
    const flags = (bits: number) =>
      authenticatorDataOf({ relyingParty, userVerified: true }).with(32, bits)
    for (const verification of ['none', 'present'] as const) {
      assert.ok(says({ authenticatorData: flags(0x01), verification }))
      assert.ok(!says({ authenticatorData: flags(0x00), verification }))
      assert.ok(!says({ authenticatorData: flags(0x04), verification }))
    }
    assert.ok(!says({ authenticatorData: flags(0x01) }))
    assert.ok(!says({ authenticatorData: flags(0x04) }))
    assert.ok(says({ authenticatorData: flags(0x05) }))
  })

  it('carries no new credential', () => {
    const about = { relyingParty, userVerified: true, credId: new Uint8Array(16) }
    assert.ok(!says({ authenticatorData: registrationData({ ...about, key: passkey.key }) }))
  })
})
