import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { computeHashOnElements, verify } from '@scure/starknet'
import { fromHex } from '@quorate/core/bytes'
import type { Platform } from '../platform.ts'

/** As Starknet hashes: Pedersen's, over some elements of the field. */
const hash = String(computeHashOnElements([1n, 2n, 3n]))
const digest = hash.slice(2).padStart(64, '0')
/** The lowest that StarkWare does not take. */
const beyond = `08${'00'.repeat(31)}`

type Signed = { readonly signature?: { readonly r: string; readonly s: string } | undefined }

export function starkKeys(platform: Platform): void {
  describe('ECDSA on the Stark curve', () => {
    it('signs a hash so that scure-starknet accepts it, by a key and by a wallet', async () => {
      const sdk = await platform.sdk()
      const key = await sdk.keys.createKey({ body: { scheme: 'ECDSA', curve: 'stark' } })
      assert.match(key.publicKey, /^0[23]0[0-9a-f]{63}$/)
      const body = { kind: 'Hash', hash: `0x${digest}` } as const
      const byKey = await sdk.keys.generateSignature({ keyId: key.id, body })
      assert.equal(byKey.status, 'Signed')
      assert.ok(isStark(key.publicKey, byKey))
      const { items } = await sdk.keys.listSignatures({ keyId: key.id })
      assert.deepEqual(items[0], byKey)

      const wallet = await sdk.wallets.createWallet({ body: { network: 'KeyECDSAStark' } })
      assert.deepEqual([wallet.signingKey.scheme, wallet.signingKey.curve], ['ECDSA', 'stark'])
      assert.equal(wallet.address, undefined)
      const byWallet = await sdk.wallets.generateSignature({ walletId: wallet.id, body })
      assert.ok(isStark(wallet.signingKey.publicKey, byWallet))
    })

    it('refuses a hash beyond its range, other kinds, and networks of other curves', async () => {
      const sdk = await platform.sdk()
      const { id: keyId } = await sdk.keys.createKey({ body: { scheme: 'ECDSA', curve: 'stark' } })
      for (const body of [
        { kind: 'Hash', hash: beyond },
        { kind: 'Hash', hash: digest, network: 'EthereumSepolia' },
        { kind: 'Message', message: '0x00' },
        { kind: 'Message', message: '0x00', network: 'EthereumSepolia' },
      ] as const)
        await assert.rejects(sdk.keys.generateSignature({ keyId, body }), { httpStatus: 400 })
      const body = { network: 'EthereumSepolia', signingKey: { id: keyId } } as const
      await assert.rejects(sdk.wallets.createWallet({ body }), { httpStatus: 400 })
    })
  })
}

function isStark(publicKey: string, { signature }: Signed): boolean {
  assert.ok(signature)
  const bytes = fromHex(`${signature.r.slice(2)}${signature.s.slice(2)}`)
  return verify(bytes, digest, publicKey, { format: 'compact' })
}
