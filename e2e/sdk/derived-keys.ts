import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { schnorr } from '@noble/curves/secp256k1.js'
import { HDKey } from '@scure/bip32'
import { readKeyCertificate } from '@quorate/authority/key-certificate'
import { quorateClient } from '@quorate/client/quorate-client'
import { outputKeyOf } from '@quorate/client/verify-schnorr'
import { concat, fromHex, toHex, toUtf8 } from '@quorate/core/bytes'
import { sha256 } from '@quorate/core/hash'
import { recoverTransactionAddress } from 'viem'
import { publicKeyToAddress } from 'viem/utils'
import { unsignedBytes } from '../chain.ts'
import type { Platform } from '../platform.ts'
import { isEcdsa, publicKeyOf, rs } from '../signatures.ts'

const message = toUtf8('all that is signed was asked for')
const hash = toHex(sha256(message))
const ecdsa = { scheme: 'ECDSA', curve: 'secp256k1' } as const

type Told = { readonly publicKey: string }

/** What anybody derives who has a master's public key, and the chain code all signers have signed. */
function theirs(master: Told, path: string): Told {
  const { certificate = '' } = master as { readonly certificate?: string }
  const { publicKey, chainCode } = readKeyCertificate(fromHex(certificate)).statement
  assert.equal(toHex(publicKey), master.publicKey)
  const child = new HDKey({ publicKey, chainCode }).derive(path)
  return { publicKey: toHex(child.publicKey ?? new Uint8Array()) }
}

export function derivedKeys(platform: Platform): void {
  describe('keys derived from a master', () => {
    it('are those of BIP 32, by a path and by the next index, two at once', async () => {
      const sdk = await platform.sdk()
      const master = await sdk.keys.createKey({ body: { ...ecdsa, masterKey: true } })
      const { id: keyId } = master
      const derive = (path?: string) =>
        sdk.keys.createKey({
          body: { ...ecdsa, deriveFrom: path === undefined ? { keyId } : { keyId, path } },
        })
      const given = await derive('m/44/60/7')
      const next = await Promise.all([derive(), derive()])
      const paths = [given, ...next].map(({ derivedFrom }) => derivedFrom?.path ?? '')
      assert.equal(paths[0], 'm/44/60/7')
      assert.deepEqual(paths.slice(1).toSorted(), ['m/0', 'm/1'])
      for (const [i, child] of [given, ...next].entries()) {
        const { publicKey } = theirs(master, paths[i] ?? '')
        assert.equal(child.publicKey, publicKey)
        const body = { kind: 'Hash', hash } as const
        const signed = await sdk.keys.generateSignature({ keyId: child.id, body })
        assert.ok(isEcdsa(publicKey, message, signed))
        assert.ok(!isEcdsa(master.publicKey, message, signed))
      }
      await assert.rejects(derive('m/44/60/7'), { httpStatus: 409 })
    })

    it('sign transactions that viem reads as of the child, which its wallet is', async () => {
      const sdk = await platform.sdk()
      const master = await sdk.keys.createKey({ body: { ...ecdsa, masterKey: true } })
      const wallet = await sdk.wallets.createWallet({
        body: { network: 'EthereumSepolia', signingKey: { deriveFrom: { keyId: master.id } } },
      })
      const { publicKey } = theirs(master, 'm/0')
      const jwk = publicKeyOf('secp256k1', publicKey).export({ format: 'jwk' })
      const parts = [jwk.x, jwk.y].map((part) => Buffer.from(part ?? '', 'base64url'))
      const address = publicKeyToAddress(`0x04${toHex(concat(...parts))}`)
      assert.equal(wallet.address, address)
      const signed = await sdk.wallets.generateSignature({
        walletId: wallet.id,
        body: { kind: 'Transaction', transaction: unsignedBytes() },
      })
      const serializedTransaction = signed.signedData as `0x02${string}`
      assert.equal(await recoverTransactionAddress({ serializedTransaction }), address)
      const { baseUrl, genesis, serviceAccount } = platform.bootstrap()
      const client = quorateClient({ baseUrl, genesis, authToken: serviceAccount.authToken })
      const verified = await client.verifyAddress(wallet)
      assert.deepEqual([verified.address, verified.publicKey], [address, publicKey])
    })
  })
}

export function otherDerivedKeys(platform: Platform): void {
  describe('keys derived from a master of another scheme', () => {
    it('sign with Schnorr as the Taproot output of the child', async () => {
      const sdk = await platform.sdk()
      const scheme = { scheme: 'Schnorr', curve: 'secp256k1' } as const
      const master = await sdk.keys.createKey({ body: { ...scheme, masterKey: true } })
      const deriveFrom = { keyId: master.id, path: 'm/86/0' }
      const child = await sdk.keys.createKey({ body: { ...scheme, deriveFrom } })
      const body = { kind: 'Hash', hash, taprootMerkleRoot: '' } as const
      const signed = await sdk.keys.generateSignature({ keyId: child.id, body })
      const publicKey = fromHex(theirs(master, 'm/86/0').publicKey)
      const output = outputKeyOf(publicKey, new Uint8Array())
      assert.ok(output && schnorr.verify(rs(signed), fromHex(hash), output))
    })

    it('are not of Ed25519, nor is any hardened: the answer says why', async () => {
      const sdk = await platform.sdk()
      const { id: keyId } = await sdk.keys.createKey({ body: { ...ecdsa, masterKey: true } })
      const deriveFrom = { keyId, path: "m/44'/60'/0'/0/0" }
      await assert.rejects(
        sdk.keys.createKey({ body: { ...ecdsa, deriveFrom } }),
        (error) =>
          Object(error).httpStatus === 400 &&
          JSON.stringify(Object(error).context).includes('is hardened'),
      )
      const edwards = { scheme: 'EdDSA', curve: 'ed25519' } as const
      await assert.rejects(sdk.keys.createKey({ body: { ...edwards, masterKey: true } }), {
        httpStatus: 400,
      })
    })
  })
}
