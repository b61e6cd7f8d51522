import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import type { DfnsApiClient } from '@dfns/sdk'
import { quorateClient } from '@quorate/client/quorate-client'
import { Untrusted } from '@quorate/client/trust'
import { fromHex, toUtf8 } from '@quorate/core/bytes'
import { recoverMessageAddress, toHex } from 'viem'
import type { Platform } from '../platform.ts'
import { isEcdsa, isEd25519 } from '../signatures.ts'

const message = toUtf8('every wallet stands on a key of all signers')
const digest = createHash('sha256').update(message).digest('hex')
const hash = { kind: 'Hash', hash: `0x${digest}` } as const

/** A new wallet on the local Ethereum. */
export async function ethereumWallet(sdk: DfnsApiClient) {
  const wallet = await sdk.wallets.createWallet({ body: { network: 'EthereumSepolia' } })
  return { ...wallet, address: addressOf(wallet) }
}

export function addressOf({ address = '' }: { readonly address?: string | undefined }) {
  assert.match(address, /^0x[0-9a-fA-F]{40}$/)
  return address as `0x${string}`
}

export function keyWallets(platform: Platform): void {
  describe('wallets that are only keys', () => {
    it('on KeyEdDSA have no address, and sign messages and hashes', async () => {
      const sdk = await platform.sdk()
      const wallet = await sdk.wallets.createWallet({ body: { network: 'KeyEdDSA' } })
      assert.equal(wallet.address, undefined)
      const { id: walletId, signingKey } = wallet
      assert.equal(signingKey.curve, 'ed25519')
      const body = { kind: 'Message', message: toHex(message) } as const
      const signed = await sdk.wallets.generateSignature({ walletId, body })
      assert.ok(isEd25519(signingKey.publicKey, message, signed))
      const hashed = await sdk.wallets.generateSignature({ walletId, body: hash })
      assert.ok(isEd25519(signingKey.publicKey, fromHex(digest), hashed))
    })

    it('on KeyECDSA sign hashes', async () => {
      const sdk = await platform.sdk()
      const wallet = await sdk.wallets.createWallet({ body: { network: 'KeyECDSA' } })
      assert.equal(wallet.address, undefined)
      const { id: walletId, signingKey } = wallet
      assert.equal(signingKey.curve, 'secp256k1')
      const signed = await sdk.wallets.generateSignature({ walletId, body: hash })
      assert.ok(isEcdsa(signingKey.publicKey, message, signed))
      const { id: signatureId } = signed
      const read = await sdk.wallets.getSignature({ walletId, signatureId })
      assert.deepEqual(read.signature, signed.signature)
    })
  })
}

export function ethereumWallets(platform: Platform): void {
  describe('wallets on Ethereum', () => {
    it('on a new key: made, read and listed', async () => {
      const sdk = await platform.sdk()
      const wallet = await sdk.wallets.createWallet({
        body: { network: 'EthereumSepolia', name: 'till', externalId: 'shop 7' },
      })
      assert.equal(wallet.status, 'Active')
      assert.equal(wallet.name, 'till')
      assert.equal(wallet.externalId, 'shop 7')
      assert.deepEqual(wallet.tags, [])
      assert.ok(wallet.custodial)
      assert.deepEqual(await sdk.wallets.getWallet({ walletId: wallet.id }), wallet)
      const { wallets } = await sdk.keys.getKey({ keyId: wallet.signingKey.id })
      assert.deepEqual(wallets, [{ id: wallet.id, network: 'EthereumSepolia' }])
    })

    it('on a key that is there, once', async () => {
      const sdk = await platform.sdk()
      const key = await sdk.keys.createKey({ body: { scheme: 'ECDSA', curve: 'secp256k1' } })
      const body = { network: 'EthereumSepolia', signingKey: { id: key.id } } as const
      const wallet = await sdk.wallets.createWallet({ body })
      assert.equal(wallet.signingKey.id, key.id)
      assert.equal(wallet.signingKey.publicKey, key.publicKey)
      await assert.rejects(sdk.wallets.createWallet({ body }), { httpStatus: 409 })
    })

    it('not on a key of another curve, nor on a network that nobody knows', async () => {
      const sdk = await platform.sdk()
      const { id } = await sdk.keys.createKey({ body: { scheme: 'EdDSA', curve: 'ed25519' } })
      const wrong = { network: 'EthereumSepolia', signingKey: { id } } as const
      await assert.rejects(sdk.wallets.createWallet({ body: wrong }), { httpStatus: 400 })
      const elsewhere = { network: 'Solana' } as const
      await assert.rejects(sdk.wallets.createWallet({ body: elsewhere }), { httpStatus: 400 })
    })

    it('sign no raw hash, and from then on neither does their key', async () => {
      const sdk = await platform.sdk()
      const key = await sdk.keys.createKey({ body: { scheme: 'ECDSA', curve: 'secp256k1' } })
      const raw = await sdk.keys.generateSignature({ keyId: key.id, body: hash })
      assert.ok(isEcdsa(key.publicKey, message, raw))
      const { id: walletId } = await sdk.wallets.createWallet({
        body: { network: 'EthereumSepolia', signingKey: { id: key.id } },
      })
      const refused = { httpStatus: 403 }
      await assert.rejects(sdk.wallets.generateSignature({ walletId, body: hash }), refused)
      const byKey = sdk.keys.generateSignature({ keyId: key.id, body: hash })
      await assert.rejects(byKey, refused)
    })

    it('are listed page by page, newest first', async () => {
      const sdk = await platform.sdk()
      const ids: string[] = []
      let paginationToken: string | undefined
      do {
        const query = paginationToken === undefined ? {} : { paginationToken }
        const page = await sdk.wallets.listWallets({ query: { limit: 2, ...query } })
        assert.ok(page.items.length <= 2)
        ids.push(...page.items.map(({ id }) => id))
        paginationToken = page.nextPageToken
      } while (paginationToken !== undefined)
      const { items } = await sdk.wallets.listWallets({ query: { limit: 500 } })
      assert.deepEqual(
        ids,
        items.map(({ id }) => id),
      )
      assert.ok(ids.length >= 4 && new Set(ids).size === ids.length)
      const dates = items.map(({ dateCreated }) => dateCreated)
      assert.deepEqual(dates, dates.toSorted().toReversed())
    })
  })
}

export function provenAddresses(platform: Platform): void {
  describe('an address', () => {
    const client = () => {
      const { baseUrl, genesis, serviceAccount } = platform.bootstrap()
      return quorateClient({ baseUrl, genesis, authToken: serviceAccount.authToken })
    }

    it('is proved by the certificate of all signers, from the genesis alone', async () => {
      const sdk = await platform.sdk()
      const wallet = await ethereumWallet(sdk)
      const proved = await client().verifyAddress(wallet)
      assert.equal(proved.address, wallet.address)
      assert.equal(proved.raw, false)
      const signed = await sdk.wallets.generateSignature({
        walletId: wallet.id,
        body: { kind: 'Message', message: toHex(message) },
      })
      const signature = signed.signature?.encoded as `0x${string}`
      const by = await recoverMessageAddress({ message: { raw: message }, signature })
      assert.equal(by, proved.address)
    })

    it("is not believed of a server that names its own, another wallet's, or none", async () => {
      const sdk = await platform.sdk()
      const [mine, other] = [await ethereumWallet(sdk), await ethereumWallet(sdk)]
      const { certificate } = Object(other)
      const { certificate: _, ...bare } = Object(mine)
      for (const wallet of [
        { ...mine, address: `0x${'11'.repeat(20)}` },
        { ...mine, address: other.address },
        { ...mine, certificate },
        bare,
      ])
        await assert.rejects(client().verifyAddress(wallet), Untrusted)
    })
  })
}
