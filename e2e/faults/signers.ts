import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { before, describe, it, type TestContext } from 'node:test'
import type { DfnsApiClient } from '@dfns/sdk'
import { refusal, send, userActionFor } from '../http.ts'
import type { Platform } from '../platform.ts'
import { isEcdsa, isEd25519 } from '../signatures.ts'

const signers = [1, 2, 3, 4]
const message = new Uint8Array(32).fill(5)
const digest = createHash('sha256').update(message).digest('hex')

/**
 * A round waits one second for whom it cannot reach, and a signer that was missed is left out for
 * thirty: so a few seconds at worst, here with room for a machine that does ten things at once.
 */
const signMsMax = 15_000

/** One page must hold all that a platform of tests has. */
const all = { query: { limit: 500 } }

export function lostSigners(platform: Platform): void {
  describe('with any one signer gone', () => {
    let sdk: DfnsApiClient
    let edwards: Awaited<ReturnType<DfnsApiClient['keys']['createKey']>>
    let weierstrass: typeof edwards
    before(async () => {
      sdk = await platform.sdk()
      edwards = await sdk.keys.createKey({ body: { scheme: 'EdDSA', curve: 'ed25519' } })
      weierstrass = await sdk.keys.createKey({ body: { scheme: 'ECDSA', curve: 'secp256k1' } })
    })

    async function signs(test: TestContext, what: string): Promise<void> {
      const body = { kind: 'Hash', hash: digest } as const
      for (const { id: keyId, publicKey, scheme } of [edwards, weierstrass]) {
        const start = performance.now()
        const signed = await sdk.keys.generateSignature({ keyId, body })
        const tookMs = Math.round(performance.now() - start)
        test.diagnostic(`${scheme}, ${what}: ${tookMs} ms`)
        assert.ok(tookMs < signMsMax, `${tookMs} ms`)
        const isValid =
          scheme === 'EdDSA'
            ? isEd25519(publicKey, Buffer.from(digest, 'hex'), signed)
            : isEcdsa(publicKey, message, signed)
        assert.ok(isValid)
      }
    }

    it('frozen, signing goes on; the next is frozen only when it is back, so it has caught up', async (test) => {
      await signs(test, 'all there')
      for (const index of [...signers, 1]) {
        const signer = platform.signer(index)
        signer.freeze()
        try {
          await signs(test, `signer ${index} frozen`)
        } finally {
          signer.resume()
        }
        await platform.whole()
      }
    })

    it('killed, signing goes on, and it is started again', async (test) => {
      for (const index of signers) {
        const signer = platform.signer(index)
        const pid = signer.pid()
        signer.kill()
        await signs(test, `signer ${index} killed`)
        await signer.restarted(pid)
        await platform.whole()
      }
      assert.match(platform.output(), /signer-4 ended \(signal SIGKILL\): starting it again/)
    })
  })
}

export function missingSigners(platform: Platform): void {
  describe('a key that one signer is missing for', () => {
    it('is not made, the signer is named, and the same signed request makes it later', async () => {
      const { baseUrl, serviceAccount: credentials } = platform.bootstrap()
      const sdk = await platform.sdk()
      const keysNow = async () => (await sdk.keys.listKeys(all)).items.length
      const before = await keysNow()
      const body = JSON.stringify({ scheme: 'EdDSA', curve: 'ed25519', name: 'patient' })
      const userAction = await userActionFor({ baseUrl, credentials, path: '/keys', body })
      const ask = () =>
        send(baseUrl, { path: '/keys', token: credentials.authToken, body, userAction })
      const signer = platform.signer(3)
      signer.freeze()
      try {
        const { message: said, details } = refusal(await ask(), 503)
        assert.match(said, /signer-3/)
        assert.deepEqual(Object(details)['missing'], ['signer-3'])
        assert.equal(await keysNow(), before)
      } finally {
        signer.resume()
      }
      await platform.whole()
      const made = await ask()
      assert.equal(made.status, 200, JSON.stringify(made.body))
      assert.equal(Object(made.body).name, 'patient')
      assert.equal(await keysNow(), before + 1)
      assert.equal(refusal(await ask(), 400).message, 'user action has already been used')
    })
  })
}
