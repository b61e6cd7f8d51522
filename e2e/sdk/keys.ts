import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import { fromHex, toHex, toUtf8 } from '@quorate/core/bytes'
import { recoverTransactionAddress } from 'viem'
import { publicKeyToAddress } from 'viem/utils'
import { unsignedBytes } from '../chain.ts'
import type { Platform } from '../platform.ts'
import { isEcdsa, isEd25519, publicKeyOf } from '../signatures.ts'

const message = toUtf8('all that is signed was asked for')
const digest = createHash('sha256').update(message).digest('hex')

const kinds = [
  { scheme: 'EdDSA', curve: 'ed25519', keyHex: /^[0-9a-f]{64}$/ },
  { scheme: 'ECDSA', curve: 'secp256k1', keyHex: /^0[23][0-9a-f]{64}$/ },
  { scheme: 'Schnorr', curve: 'secp256k1', keyHex: /^0[23][0-9a-f]{64}$/ },
  { scheme: 'DH', curve: 'secp256k1', keyHex: /^0[23][0-9a-f]{64}$/ },
  { scheme: 'ECDSA', curve: 'stark', keyHex: /^0[23][0-9a-f]{64}$/ },
] as const

export function keys(platform: Platform): void {
  describe('keys', () => {
    for (const { scheme, curve, keyHex } of kinds)
      it(`of ${scheme} on ${curve} are made, read and listed, and carry the signers' certificate`, async () => {
        const sdk = await platform.sdk()
        const made = await sdk.keys.createKey({ body: { scheme, curve, name: `my ${scheme}` } })
        assert.equal(made.scheme, scheme)
        assert.equal(made.curve, curve)
        assert.equal(made.status, 'Active')
        assert.ok(made.custodial)
        assert.equal(made.name, `my ${scheme}`)
        assert.match(made.publicKey, keyHex)
        assert.match(String(Object(made)['certificate']), /^[0-9a-f]{400,}$/)
        const { wallets, store, ...read } = await sdk.keys.getKey({ keyId: made.id })
        assert.deepEqual(read, made)
        assert.deepEqual(wallets, [])
        assert.equal(store.kind, 'Mpc')
        const { items } = await sdk.keys.listKeys({ query: { limit: 500 } })
        assert.deepEqual(
          items.find(({ id }) => id === made.id),
          made,
        )
      })

    it('of schemes and curves that do not go together are refused', async () => {
      const sdk = await platform.sdk()
      for (const body of [
        { scheme: 'EdDSA', curve: 'secp256k1' },
        { scheme: 'ECDSA', curve: 'ed25519' },
        { scheme: 'Schnorr', curve: 'ed25519' },
        { scheme: 'DH', curve: 'ed25519' },
        { scheme: 'EdDSA', curve: 'stark' },
      ] as const)
        await assert.rejects(sdk.keys.createKey({ body }), { httpStatus: 400 })
    })
  })
}

export function keySignatures(platform: Platform): void {
  describe('signatures of keys', () => {
    it('with EdDSA, of a message and of a hash, hold for OpenSSL', async () => {
      const sdk = await platform.sdk()
      const body = { scheme: 'EdDSA', curve: 'ed25519' } as const
      const { id: keyId, publicKey } = await sdk.keys.createKey({ body })
      for (const bytes of [message, new Uint8Array(1000).fill(7), new Uint8Array()]) {
        const asked = { kind: 'Message', message: `0x${toHex(bytes)}` } as const
        const signed = await sdk.keys.generateSignature({ keyId, body: asked })
        assert.equal(signed.status, 'Signed')
        assert.ok(isEd25519(publicKey, bytes, signed))
      }
      const hashed = await sdk.keys.generateSignature({
        keyId,
        body: { kind: 'Hash', hash: digest },
      })
      assert.ok(isEd25519(publicKey, fromHex(digest), hashed))
    })

    it('with ECDSA, of a hash, hold for OpenSSL, and are low-s', async () => {
      const sdk = await platform.sdk()
      const body = { scheme: 'ECDSA', curve: 'secp256k1' } as const
      const { id: keyId, publicKey } = await sdk.keys.createKey({ body })
      const asked = { kind: 'Hash', hash: `0x${digest}` } as const
      const signed = await sdk.keys.generateSignature({ keyId, body: asked })
      assert.ok(isEcdsa(publicKey, message, signed))
      assert.ok(BigInt(signed.signature?.s ?? 0) < 2n ** 255n)
      await assert.rejects(
        sdk.keys.generateSignature({ keyId, body: { kind: 'Message', message: '0x00' } }),
        { httpStatus: 400 },
      )
    })

    it('with ECDSA, of an Ethereum transaction, come with the transaction as viem reads it', async () => {
      const sdk = await platform.sdk()
      const body = { scheme: 'ECDSA', curve: 'secp256k1' } as const
      const { id: keyId, publicKey } = await sdk.keys.createKey({ body })
      const signed = await sdk.keys.generateSignature({
        keyId,
        body: { kind: 'Transaction', network: 'EthereumSepolia', transaction: unsignedBytes() },
      })
      const serializedTransaction = signed.signedData as `0x02${string}`
      const signer = await recoverTransactionAddress({ serializedTransaction })
      const jwk = publicKeyOf('secp256k1', publicKey).export({ format: 'jwk' })
      const [x, y] = [jwk.x, jwk.y].map((part) => Buffer.from(part ?? '', 'base64url'))
      assert.ok(x && y)
      assert.equal(signer, publicKeyToAddress(`0x04${toHex(x)}${toHex(y)}`))
    })
  })
}

export function keptSignatures(platform: Platform): void {
  describe('signatures of keys that have been made', () => {
    it('are read again and listed, page by page, newest first', async () => {
      const sdk = await platform.sdk()
      const body = { scheme: 'EdDSA', curve: 'ed25519' } as const
      const { id: keyId } = await sdk.keys.createKey({ body })
      const ids: string[] = []
      for (const text of ['00', '01', '02']) {
        const asked = { kind: 'Message', message: text } as const
        const signed = await sdk.keys.generateSignature({ keyId, body: asked })
        const { id: signatureId } = signed
        assert.deepEqual(await sdk.keys.getSignature({ keyId, signatureId }), signed)
        ids.unshift(signatureId)
      }
      const first = await sdk.keys.listSignatures({ keyId, query: { limit: 2 } })
      const { nextPageToken: paginationToken = '' } = first
      const rest = await sdk.keys.listSignatures({ keyId, query: { limit: 2, paginationToken } })
      assert.equal(rest.nextPageToken, undefined)
      assert.deepEqual(
        [...first.items, ...rest.items].map(({ id }) => id),
        ids,
      )
    })

    it('under an external id that has been used: the same again, or a conflict', async () => {
      const sdk = await platform.sdk()
      const made = await sdk.keys.createKey({ body: { scheme: 'EdDSA', curve: 'ed25519' } })
      const ask = (text: string) =>
        sdk.keys.generateSignature({
          keyId: made.id,
          body: { kind: 'Message', message: text, externalId: 'receipt 7' },
        })
      const first = await ask('0x07')
      assert.deepEqual(await ask('0x07'), first)
      await assert.rejects(ask('0x08'), { httpStatus: 409 })
    })
  })
}
