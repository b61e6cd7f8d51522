import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { wordList } from '@quorate/core/word-list'
import { buildHttp } from '../http/app.ts'
import { openMailbox } from '../mail/mailbox.ts'
import { readPages, servePages } from './serve.ts'

const folder = mkdtempSync(join(tmpdir(), 'quorate-pages-'))
const mailbox = openMailbox(join(folder, 'mailbox'))

function appWith(box: typeof mailbox | undefined) {
  const app = buildHttp({
    routes: [],
    authenticate: async () => assert.fail('pages ask nobody who he is'),
    allowsOrigin: async () => true,
    keepAnswer: async () => assert.fail('pages have no keys'),
    log: { error: (context) => assert.fail(JSON.stringify(context)) },
  })
  servePages(app, box)
  return app
}

describe('the server of pages', () => {
  const app = appWith(mailbox)
  after(async () => {
    await app.close()
    rmSync(folder, { recursive: true })
  })

  it('gives every page and module, each with its type, to be run by nobody else', async () => {
    for (const [path, { type, text }] of readPages()) {
      const from = { origin: 'https://app.example' }
      const { statusCode, headers, body } = await app.inject({ url: path, headers: from })
      assert.deepEqual([statusCode, headers['content-type'], body], [200, type, text])
      const policy = String(headers['content-security-policy'])
      assert.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self'; /)
      assert.match(policy, /form-action 'none'; frame-ancestors 'none'; base-uri 'none'/)
      assert.doesNotMatch(policy, /unsafe|\*|data:|http/)
      assert.equal(headers['x-content-type-options'], 'nosniff')
      assert.equal(headers['referrer-policy'], 'no-referrer')
      assert.match(String(headers['permissions-policy']), /publickey-credentials-create=\(self\)/)
      assert.equal(headers['access-control-allow-origin'], undefined)
    }
  })

  it('leads from the root to the login', async () => {
    const { statusCode, headers } = await app.inject({ url: '/' })
    assert.deepEqual([statusCode, headers.location], [302, '/pages/login'])
  })

  it('gives nothing else of its folder, nor what lies beside it', async () => {
    for (const url of [
      ...['/pages/tsconfig.json', '/pages/words.d.ts', '/pages/', '/pages/register.html'],
      ...['/pages/../serve.ts', '/pages/..%2fserve.ts', '/pages/%2e%2e/serve.ts'],
    ])
      assert.equal((await app.inject({ url })).statusCode, 404, url)
  })

  it('has pages without script or style in their text, and modules of this folder alone', () => {
    for (const [path, { type, text }] of readPages()) {
      if (type.startsWith('text/html')) {
        assert.doesNotMatch(text, /<style|style=|<script(?![^>]* src="\/pages\/)|\son[a-z]+=/)
        assert.doesNotMatch(text, /(?:src|href)="(?!\/pages\/)/)
      }
      for (const [, from = ''] of text.matchAll(/(?:from|import\() *'([^']+)'/g))
        assert.ok(readPages().has(from.replace('./', '/pages/')) || from === './words.js', from)
      if (type.startsWith('text/javascript'))
        assert.doesNotMatch(text, /innerHTML|insertAdjacent|document\.write|eval\(/, path)
    }
  })

  it('serves the words that the core has', async () => {
    const { body } = await app.inject({ url: '/pages/words.js' })
    const [, json = ''] = /^export const words = (\[.*\])\n$/.exec(body) ?? []
    assert.deepEqual(JSON.parse(json), wordList)
  })

  it('shows a mailbox to whoever sits here, and to no site open in the same browser', async () => {
    const message = { id: '1', to: 'ada@example.test', subject: 'Hello', text: '', createdAt: 1 }
    await mailbox.send(message)
    const look = async (headers: Record<string, string>) => {
      const { statusCode, body } = await app.inject({ url: '/pages/mailbox/mails', headers })
      return statusCode === 200 ? JSON.parse(body).items : statusCode
    }
    const host = 'localhost:8700'
    assert.deepEqual(await look({ host }), [message])
    assert.deepEqual(await look({ host, 'sec-fetch-site': 'same-origin' }), [message])
    assert.equal(await look({ host, 'sec-fetch-site': 'cross-site' }), 403)
    assert.equal(await look({ host, 'sec-fetch-site': 'same-site' }), 403)
    assert.equal(await look({ host, origin: 'https://evil.example' }), 403)
    assert.equal(await look({ host: 'rebound.evil.example:8700' }), 403)
    assert.equal(await look({ host: 'localhost.evil.example' }), 403)
  })

  it('has no mailbox to show where mail goes out', async () => {
    const without = appWith(undefined)
    for (const url of ['/pages/mailbox', '/pages/mailbox.js', '/pages/mailbox/mails'])
      assert.equal((await without.inject({ url })).statusCode, 404)
    assert.equal((await without.inject({ url: '/pages/login' })).statusCode, 200)
    await without.close()
  })
})
