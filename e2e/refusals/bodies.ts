import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { concat, toUtf8 } from '@quorate/core/bytes'
import { plainClient } from '../checked-client.ts'
import { challengeFor, refusal, send, userActionFor } from '../http.ts'
import type { Platform } from '../platform.ts'

const right: Readonly<Record<string, object>> = {
  '/keys': { scheme: 'EdDSA', curve: 'ed25519' },
  '/wallets': { network: 'KeyEdDSA' },
}
const wrong: Readonly<Record<string, readonly [string, unknown]>> = {
  'an unknown member': ['/keys', { scheme: 'EdDSA', curve: 'ed25519', colour: 'red' }],
  'an unknown member within': ['/wallets', { network: 'KeyEdDSA', signingKey: { colour: 1 } }],
  'a number for a text': ['/wallets', { network: 7 }],
  'a text for a list': ['/wallets', { network: 'KeyEdDSA', tags: 'red' }],
  'no member that is needed': ['/keys', { scheme: 'EdDSA' }],
  'a list for an object': ['/keys', []],
  'a number for everything': ['/keys', 7],
  nothing: ['/keys', {}],
  'a name that is too long': [
    '/keys',
    { scheme: 'EdDSA', curve: 'ed25519', name: 'x'.repeat(101) },
  ],
  'a master key of a scheme that has none': [
    '/keys',
    { scheme: 'EdDSA', curve: 'ed25519', masterKey: true },
  ],
  'the mark of another scheme': ['/keys', { scheme: 'EdDSA', curve: 'ed25519', untweaked: true }],
  'what is not served yet': ['/keys', { scheme: 'EdDSA', curve: 'ed25519', storeId: 'hsm' }],
}

/** One page must hold all that a platform of tests has. */
const all = { query: { limit: 500 } }

export function bodies(platform: Platform): void {
  describe('a body', () => {
    for (const [what, [path, value]] of Object.entries(wrong))
      it(`with ${what} gets no challenge, and is refused under the action of another`, async () => {
        const { baseUrl, orgId, serviceAccount: credentials } = platform.bootstrap()
        // Lists have the wallet of a network that the published types do not name.
        const sdk = plainClient({ baseUrl, orgId }, credentials)
        const body = JSON.stringify(value)
        const count = async () =>
          (await sdk.keys.listKeys(all)).items.length +
          (await sdk.wallets.listWallets(all)).items.length
        const before = await count()
        const signing = { baseUrl, credentials, path }
        await assert.rejects(challengeFor({ ...signing, body }), { httpStatus: 400 })
        const userAction = await userActionFor({ ...signing, body: JSON.stringify(right[path]) })
        const token = credentials.authToken
        refusal(await send(baseUrl, { path, token, body, userAction }), 400)
        assert.equal(await count(), before)
      })

    it('that is no JSON of ours is refused', async () => {
      const { baseUrl, serviceAccount } = platform.bootstrap()
      const token = serviceAccount.authToken
      for (const body of [
        '{',
        '{"scheme":"EdDSA",}',
        "{'scheme':'EdDSA'}",
        '{"scheme":"EdDSA","scheme":"ECDSA"}',
        '{"scheme":"EdDSA"} x',
        '{"__proto__":{"scheme":"EdDSA"}}',
        '{"scheme":NaN}',
        '\ufeff{}',
        concat(toUtf8('{"name":"'), new Uint8Array([0xff]), toUtf8('"}')),
      ]) {
        const sent = typeof body === 'string' ? body : new Uint8Array(body)
        refusal(await send(baseUrl, { path: '/keys', token, body: sent }), 400)
      }
      const contentType = 'text/plain'
      refusal(await send(baseUrl, { path: '/keys', token, body: '{}', contentType }), 400)
    })

    it('over the limit is refused, and how large it may be is said', async () => {
      const { baseUrl, serviceAccount } = platform.bootstrap()
      const body = JSON.stringify({ name: 'x'.repeat(2 * 1024 * 1024) })
      const raw = { path: '/keys', token: serviceAccount.authToken, body }
      const { details } = refusal(await send(baseUrl, raw), 413)
      assert.ok(Object(details)['bytesMax'] > 100_000)
    })

    it('of a query that makes no sense is refused', async () => {
      const { baseUrl, serviceAccount } = platform.bootstrap()
      for (const query of ['limit=0', 'limit=501', 'limit=x', 'limit=-1', 'paginationToken=%00'])
        refusal(
          await send(baseUrl, {
            ...{ method: 'GET', path: `/wallets?${query}` },
            token: serviceAccount.authToken,
          }),
          400,
        )
    })
  })
}
