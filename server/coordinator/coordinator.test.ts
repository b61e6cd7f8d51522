import assert from 'node:assert/strict'
import { createPublicKey, randomBytes, verify } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { toBase64url } from '@quorate/core/bytes'
import type { Person } from '@quorate/signer/testing/requests'
import type { Signed } from './coordinator.ts'
import { type Company, found, hire, keyAsk, makeKey, messageAsk } from './testing/company.ts'
import { type Platform, startPlatform } from './testing/platform.ts'

describe('the coordinator, with four signer processes', () => {
  let platform: Platform
  let company: Company
  let bot: Person
  let key: { readonly id: Uint8Array; readonly publicKey: Uint8Array }
  before(async () => {
    platform = await startPlatform()
  })
  after(() => platform.stop())

  it('puts an organization, a service account and a key in force', async () => {
    const { coordinator, manifest } = platform
    company = await found(coordinator, manifest.hash)
    bot = await hire(coordinator, company)
    key = await makeKey(coordinator, company, keyAsk(company, bot, 'EdDSA'))
  })

  it('makes signatures that OpenSSL verifies', async () => {
    const message = new Uint8Array(randomBytes(100))
    const evidence = messageAsk(company, bot, key.id, message)
    const { organization } = company
    const signed = await platform.coordinator.sign({ organization, key: key.id, evidence })
    assert.ok(isSigned(key.publicKey, message, signed))
  })
})

function isSigned(publicKey: Uint8Array, message: Uint8Array, { signatures }: Signed): boolean {
  const [first] = signatures
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: toBase64url(publicKey) }
  return (
    first?.scheme === 'EdDSA' &&
    verify(null, message, createPublicKey({ key: jwk, format: 'jwk' }), first.signature)
  )
}
