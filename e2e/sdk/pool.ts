import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import { quorateClient } from '@quorate/client/quorate-client'
import { send } from '../http.ts'
import type { Platform } from '../platform.ts'
import { birthOf, filled } from '../pooled.ts'
import { isEcdsa } from '../signatures.ts'
import { enrolment } from './registration.ts'
import { ethereumWallet } from './wallets.ts'

const message = new Uint8Array(32).fill(9)
const digest = createHash('sha256').update(message).digest('hex')

export function pooledKeys(platform: Platform, size: number): void {
  const client = () => {
    const { baseUrl, genesis, serviceAccount } = platform.bootstrap()
    return quorateClient({ baseUrl, genesis, authToken: serviceAccount.authToken })
  }

  describe('wallets and keys', () => {
    it('come from the pool, proved and signing, while a signer is stopped that others wait for', async () => {
      const sdk = await platform.sdk()
      assert.equal(birthOf(await ethereumWallet(sdk)).kind, 'asked')
      await filled(platform, 'secp256k1', size)
      const signer = platform.signer(2)
      signer.freeze()
      try {
        const wallet = await ethereumWallet(sdk)
        assert.equal(birthOf(wallet).kind, 'pooled')
        const proved = await client().verifyAddress(wallet)
        assert.deepEqual([proved.address, proved.owner], [wallet.address, undefined])
        const key = await sdk.keys.createKey({ body: { scheme: 'ECDSA', curve: 'secp256k1' } })
        const body = { kind: 'Hash', hash: `0x${digest}` } as const
        const signed = await sdk.keys.generateSignature({ keyId: key.id, body })
        assert.ok(isEcdsa(key.publicKey, message, signed))
      } finally {
        signer.resume()
      }
      await platform.whole()
    })

    it('are a newcomer’s from his registration on, and signed for nobody before', async () => {
      await filled(platform, 'secp256k1', size)
      const { baseUrl } = platform.bootstrap()
      const { body, token, userId: owner } = await enrolment(platform)
      const path = '/auth/registration/enduser'
      const answer = await send(baseUrl, { path, token, body: JSON.stringify(body) })
      assert.equal(answer.status, 200, JSON.stringify(answer.body))
      const sdk = await platform.sdk()
      const { items } = await sdk.wallets.listWallets({ query: { ownerId: owner } })
      assert.equal(items.length, body.wallets.length)
      for (const wallet of items) {
        assert.equal(birthOf(wallet).kind, 'pooled')
        const proved = await client().verifyAddress(wallet, { owner })
        assert.equal(proved.owner, owner)
      }
      await filled(platform, 'secp256k1', size)
    })
  })
}
