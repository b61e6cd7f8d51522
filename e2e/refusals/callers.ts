import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { refusal, send } from '../http.ts'
import type { Platform } from '../platform.ts'

export function callers(platform: Platform): void {
  describe('a caller', () => {
    const as = (token: string | undefined, path = '/wallets') =>
      send(platform.bootstrap().baseUrl, { method: 'GET', path, token })

    it('without a token, or with one that is not ours, learns nothing', async () => {
      const { authToken } = platform.bootstrap().serviceAccount
      const [head = '', claims = '', signature = ''] = authToken.split('.')
      const none = Buffer.from(JSON.stringify({ alg: 'none', typ: 'JWT' })).toString('base64url')
      const bent = `${signature.slice(0, -2)}${signature.endsWith('AA') ? 'BB' : 'AA'}`
      for (const token of [
        undefined,
        '',
        'x',
        'a.b.c',
        `${head}.${claims}.${bent}`,
        `${none}.${claims}.`,
        `${head}.${forged(claims)}.${signature}`,
      ])
        assert.equal(refusal(await as(token), 401).message, 'Not Authorized.')
    })

    it('learns of the body only after its token was believed', async () => {
      const { baseUrl } = platform.bootstrap()
      const answer = await send(baseUrl, { path: '/keys', body: '{"scheme":7}' })
      assert.equal(refusal(answer, 401).message, 'Not Authorized.')
    })

    it('does not found an organization without the token of the operator', async () => {
      const { baseUrl, administrator } = platform.bootstrap()
      for (const token of [undefined, administrator.authToken, '0'.repeat(64)])
        for (const path of ['/orgs', '/orgs/init'])
          refusal(await send(baseUrl, { path, token, body: '{"payload":"{}"}' }), 401)
    })

    it('that asks for what is not there is told so, in JSON', async () => {
      const { baseUrl, serviceAccount } = platform.bootstrap()
      for (const [method, path] of [
        ['GET', '/wallet'],
        ['GET', '/wallets/a/b/c/d'],
        ['POST', '/policies'],
        ['PUT', '/wallets'],
        ['GET', '/wallets/%ff'],
      ] as const) {
        const answer = await send(baseUrl, { method, path, token: serviceAccount.authToken })
        assert.equal(refusal(answer, 404).message, 'route not found', path)
      }
    })
  })
}

/** The same claims for another organization. */
function forged(claims: string): string {
  const text = Buffer.from(claims, 'base64url').toString()
  return Buffer.from(text.replaceAll(/or-[a-z0-9]{5}/g, 'or-aaaaa')).toString('base64url')
}
