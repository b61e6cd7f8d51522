import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, it } from 'node:test'
import { schnorr } from '@noble/curves/secp256k1.js'
import { readKeyCertificate } from '@quorate/authority/key-certificate'
import { outputKeyOf } from '@quorate/client/verify-schnorr'
import { verifyDerivation } from '@quorate/client/verify-derivation'
import { fromHex, toHex, toUtf8 } from '@quorate/core/bytes'
import { sha256 } from '@quorate/core/hash'
import { checkedClient } from '../checked-client.ts'
import { entry, type Platform } from '../platform.ts'
import { rs } from '../signatures.ts'

const message = toUtf8('all that is signed was asked for')
const digest = sha256(message)
const root = sha256(toUtf8('a script tree'))
const noScripts = new Uint8Array()

export function schnorrSignatures(platform: Platform): void {
  describe('signatures of Schnorr keys', () => {
    const newKey = async () => {
      const sdk = await platform.sdk()
      const made = await sdk.keys.createKey({ body: { scheme: 'Schnorr', curve: 'secp256k1' } })
      return { sdk, keyId: made.id, publicKey: fromHex(made.publicKey) }
    }

    it('hold under BIP 340 for the Taproot output, with a script tree and without', async () => {
      const { sdk, keyId, publicKey } = await newKey()
      for (const merkleRoot of [noScripts, root]) {
        const taprootMerkleRoot = toHex(merkleRoot)
        const body = { kind: 'Hash', hash: `0x${toHex(digest)}`, taprootMerkleRoot } as const
        const signed = await sdk.keys.generateSignature({ keyId, body })
        assert.equal(signed.status, 'Signed')
        assert.equal(signed.signature?.recid, undefined)
        const output = outputKeyOf(publicKey, merkleRoot)
        assert.ok(output && schnorr.verify(rs(signed), digest, output))
        assert.ok(!schnorr.verify(rs(signed), digest, publicKey.slice(1)))
        const read = await sdk.keys.getSignature({ keyId, signatureId: signed.id })
        assert.deepEqual(read, signed)
      }
    })

    it('of a message of any length hold for the output without scripts', async () => {
      const { sdk, keyId, publicKey } = await newKey()
      for (const bytes of [message, new Uint8Array(1000).fill(7), new Uint8Array()]) {
        const body = { kind: 'Message', message: `0x${toHex(bytes)}` } as const
        const signed = await sdk.keys.generateSignature({ keyId, body })
        const output = outputKeyOf(publicKey, noScripts)
        assert.ok(output && schnorr.verify(rs(signed), bytes, output))
      }
    })

    it('are refused without a root, with half of one, and to keys of other schemes', async () => {
      const { sdk, keyId } = await newKey()
      const hash = toHex(digest)
      const body = { scheme: 'ECDSA', curve: 'secp256k1' } as const
      const { id: other } = await sdk.keys.createKey({ body })
      const refused = async (key: string, asked: { readonly taprootMerkleRoot?: string }) =>
        assert.rejects(
          sdk.keys.generateSignature({ keyId: key, body: { kind: 'Hash', hash, ...asked } }),
          { httpStatus: 400 },
        )
      await refused(keyId, {})
      await refused(keyId, { taprootMerkleRoot: 'ab'.repeat(16) })
      await refused(other, { taprootMerkleRoot: '' })
    })
  })
}

export function untweakedSignatures(platform: Platform): void {
  describe('signatures of Schnorr keys that were born untweaked', () => {
    it('hold under BIP 340 for the key itself, if it was born for that and nothing else', async () => {
      const sdk = await platform.sdk()
      const asked = { scheme: 'Schnorr', curve: 'secp256k1', untweaked: true } as const
      const made = await sdk.keys.createKey({ body: asked })
      const { id: keyId } = made
      assert.equal(Object(made)['untweaked'], true)
      const { statement } = readKeyCertificate(fromHex(String(Object(made)['certificate'])))
      assert.equal(statement.terms.untweaked, 'yes')
      assert.equal(toHex(statement.publicKey), made.publicKey)
      const hash = `0x${toHex(digest)}` as const
      for (const [body, bytes] of [
        [{ kind: 'Hash', hash }, digest],
        [{ kind: 'Message', message: `0x${toHex(message)}` }, message],
      ] as const) {
        const signed = await sdk.keys.generateSignature({ keyId, body })
        assert.ok(schnorr.verify(rs(signed), bytes, fromHex(made.publicKey).slice(1)))
        const output = outputKeyOf(fromHex(made.publicKey), noScripts)
        assert.ok(output && !schnorr.verify(rs(signed), bytes, output))
      }
      for (const taprootMerkleRoot of ['', toHex(root)])
        await assert.rejects(
          sdk.keys.generateSignature({ keyId, body: { kind: 'Hash', hash, taprootMerkleRoot } }),
          { httpStatus: 400 },
        )
      const ecdsa = { ...asked, scheme: 'ECDSA' } as const
      await assert.rejects(sdk.keys.createKey({ body: ecdsa }), { httpStatus: 400 })
    })
  })
}

const domain = toUtf8('e2e')
const asked = (seed: string) => ({
  domain: `0x${toHex(domain)}`,
  seed: `0x${toHex(toUtf8(seed))}`,
})

export function derivations(platform: Platform): void {
  describe('derivations', () => {
    it('are the same for the same domain and seed, and come with a proof that a client checks', async () => {
      const sdk = await platform.sdk()
      const made = await sdk.keys.createKey({ body: { scheme: 'DH', curve: 'secp256k1' } })
      const keyId = made.id
      const outputs: string[] = []
      for (const seed of ['customer 17', 'customer 17', 'customer 18']) {
        const answer = await sdk.keys.deriveKey({ keyId, body: asked(seed) })
        assert.match(answer.output, /^0x[0-9a-f]{64}$/)
        const output = verifyDerivation({
          publicKey: fromHex(made.publicKey),
          domain,
          seed: toUtf8(seed),
          proof: fromHex(String(Object(answer)['proof'])),
        })
        assert.equal(answer.output, `0x${toHex(output ?? noScripts)}`)
        outputs.push(answer.output)
      }
      assert.equal(outputs[0], outputs[1])
      assert.notEqual(outputs[0], outputs[2])
    })

    it('need a domain, and end with the key', async () => {
      const sdk = await platform.sdk()
      const { id: keyId } = await sdk.keys.createKey({
        body: { scheme: 'DH', curve: 'secp256k1' },
      })
      const derive = (body: { readonly domain: string; readonly seed: string }) =>
        sdk.keys.deriveKey({ keyId, body })
      await assert.rejects(derive({ domain: '0x', seed: '0x' }), { httpStatus: 400 })
      await assert.rejects(derive({ domain: `0x${'00'.repeat(256)}`, seed: '0x' }), {
        httpStatus: 400,
      })
      await sdk.keys.deleteKey({ keyId })
      await assert.rejects(derive(asked('x')), { httpStatus: 403 })
    })
  })
}

export function refusedDerivations(platform: Platform): void {
  describe('derivations', () => {
    it('are made by DH keys alone, which sign nothing', async () => {
      const sdk = await platform.sdk()
      const dh = await sdk.keys.createKey({ body: { scheme: 'DH', curve: 'secp256k1' } })
      const hash = { kind: 'Hash', hash: toHex(digest), taprootMerkleRoot: '' } as const
      await assert.rejects(sdk.keys.generateSignature({ keyId: dh.id, body: hash }), {
        httpStatus: 400,
      })
      for (const body of [
        { scheme: 'ECDSA', curve: 'secp256k1' },
        { scheme: 'Schnorr', curve: 'secp256k1' },
      ] as const) {
        const { id: keyId } = await sdk.keys.createKey({ body })
        await assert.rejects(sdk.keys.deriveKey({ keyId, body: asked('x') }), { httpStatus: 400 })
      }
    })

    it('take a right of their own: whoever may sign may not derive', async () => {
      const administrator = await platform.sdk('administrator')
      const body = { scheme: 'DH', curve: 'secp256k1' } as const
      const { id: keyId } = await administrator.keys.createKey({ body })
      const signers = { name: 'signs and derives not', operations: ['Keys:Signatures:Create'] }
      const permission = await administrator.permissions.createPermission({
        body: signers as Parameters<typeof administrator.permissions.createPermission>[0]['body'],
      })
      const { publicKey, privateKey } = generateKeyPairSync('ed25519')
      const { accessTokens } = await administrator.auth.createServiceAccount({
        body: {
          name: 'robot that derives not',
          publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
          permissionId: permission.id,
        },
      })
      const { accessToken = '', credId } = entry(accessTokens, 0)
      const robot = await checkedClient(platform.bootstrap(), {
        authToken: accessToken,
        credId,
        privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      })
      await assert.rejects(robot.keys.deriveKey({ keyId, body: asked('x') }), { httpStatus: 403 })
    })
  })
}
