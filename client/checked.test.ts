import assert from 'node:assert/strict'
import { generateKeyPairSync, webcrypto } from 'node:crypto'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { DfnsApiClient } from '@dfns/sdk'
import { AsymmetricKeySigner } from '@dfns/sdk-keysigner'
import { encodeRecord, recordKey, settingsTable } from '@quorate/authority/records'
import { defaultSettings } from '@quorate/authority/settings'
import { verifySignature } from '@quorate/authority/public-key'
import { fromHex, toUtf8 } from '@quorate/core/bytes'
import { idOf } from '@quorate/core/id'
import { foundCompany, type Company } from '@quorate/server/testing/company'
import { startTestPlatform, type TestPlatform } from '@quorate/server/testing/platform'
import { keyFromBrowser } from './browser/key.ts'
import { checkingPair } from './checked.ts'
import { Misled } from './check-request.ts'
import { requestBy } from './expectations.ts'
import { keyFromPem } from './keys.ts'

type Rewrite = (path: string, body: string) => string

describe('a checking pair around the official client', () => {
  let platform: TestPlatform
  let company: Company
  let proxy: Server
  let baseUrl: string
  /** What stands between client and server, and changes what it likes. */
  let asked: Rewrite = (_path, body) => body
  let answered: Rewrite = (_path, body) => body
  const signedFor: string[] = []

  before(async () => {
    platform = await startTestPlatform()
    company = await foundCompany(platform)
    proxy = createServer((request, response) => {
      void forward(platform.baseUrl, request, {
        asked: (path, body) => {
          if (path === '/auth/action') signedFor.push(body)
          return asked(path, body)
        },
        answered: (path, body) => answered(path, body),
      }).then(({ status, body }) => response.writeHead(status, json).end(body))
    })
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
    baseUrl = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
  })
  after(async () => {
    proxy.close()
    await platform.close()
  })

  const organization = () => idOf(fromHex(company.genesis), 'organization')
  const stock = () => {
    const { authToken, credId, privateKey } = company.serviceAccount
    const signer = new AsymmetricKeySigner({ credId, privateKey })
    return new DfnsApiClient({ baseUrl, orgId: company.orgId, authToken, signer })
  }
  const checked = (maxFee?: bigint) => {
    const { authToken, credId, privateKey } = company.serviceAccount
    const pair = checkingPair(keyFromPem(credId, privateKey), {
      ...{ organization: organization(), authToken },
      ...(maxFee === undefined ? {} : { maxFee }),
    })
    const { signer } = pair
    return pair.over(new DfnsApiClient({ baseUrl, orgId: company.orgId, authToken, signer }))
  }
  const key = { scheme: 'EdDSA', curve: 'ed25519' } as const
  /** While it lasts, the server asks for the signature of another request than the client's. */
  const misled = async (change: { asked?: Rewrite; answered?: Rewrite }, run: () => unknown) => {
    const before = signedFor.length
    asked = change.asked ?? asked
    answered = change.answered ?? answered
    try {
      await run()
    } finally {
      asked = answered = (_path, body) => body
    }
    return signedFor.length - before
  }
  const elsewhere: Rewrite = (path, body) =>
    path === '/auth/action/init'
      ? JSON.stringify({
          ...JSON.parse(body),
          userActionPayload: JSON.stringify({ scheme: 'ECDSA', curve: 'secp256k1' }),
        })
      : body

  it('signs what was asked for, and reads without signing', async () => {
    const client = checked()
    const made = await client.keys.createKey({ body: key })
    assert.equal((await client.keys.getKey({ keyId: made.id })).id, made.id)
    const both = await Promise.all([1, 2].map(() => client.keys.createKey({ body: key })))
    assert.equal(new Set(both.map(({ id }) => id)).size, 2)
  })

  it('signs nothing for another request, where the stock signer signs', async () => {
    const count = await misled({ asked: elsewhere }, () =>
      assert.rejects(
        checked().keys.createKey({ body: key }),
        new Misled('The challenge is for nothing that was asked for.'),
      ),
    )
    assert.equal(count, 0)
    const blind = await misled({ asked: elsewhere }, () =>
      assert.rejects(stock().keys.createKey({ body: key })),
    )
    assert.equal(blind, 1, 'the stock signer cannot know')
  })

  it('signs nothing for another path or method', async () => {
    const path: Rewrite = (at, body) =>
      at === '/auth/action/init'
        ? body.replace('"userActionHttpPath":"/keys"', '"userActionHttpPath":"/wallets"')
        : body
    const count = await misled({ asked: path }, () =>
      assert.rejects(checked().keys.createKey({ body: { ...key, network: 'KeyEdDSA' } as never })),
    )
    assert.equal(count, 0)
  })

  it('signs no challenge that is no text, or not the hash of its pre-image', async () => {
    const init =
      (change: object): Rewrite =>
      (at, body) =>
        at === '/auth/action/init' ? JSON.stringify({ ...JSON.parse(body), ...change }) : body
    const other = 'A'.repeat(43)
    for (const change of [
      { challenge: [1, 2] },
      { challenge: other },
      { preimage: '' },
      { salt: '00' },
    ])
      assert.equal(
        await misled({ answered: init(change) }, () =>
          assert.rejects(checked().keys.createKey({ body: key }), Misled),
        ),
        0,
        JSON.stringify(change),
      )
  })

  it('signs no action while it logs in, and no login in the place of an action', async () => {
    const { credId, privateKey, authToken } = company.serviceAccount
    const pair = checkingPair(keyFromPem(credId, privateKey), { organization: organization() })
    const { signer } = pair
    const client = new DfnsApiClient({ baseUrl, orgId: company.orgId, authToken, signer })
    await assert.rejects(
      pair.loggingIn(() => client.keys.createKey({ body: key })),
      Misled,
    )
    await assert.rejects(client.keys.createKey({ body: key }), Misled)
    const admin = company.administrator
    const own = checkingPair(keyFromPem(admin.credId, admin.privateKey), {
      organization: organization(),
    })
    const login = await fetch(`${baseUrl}/auth/login/init`, {
      method: 'POST',
      headers: json,
      body: JSON.stringify({ username: admin.username, orgId: company.orgId }),
    })
    const challenge: unknown = await login.json()
    await assert.rejects(own.signer.sign(challenge), Misled)
    assert.ok(await own.loggingIn(() => own.signer.sign(challenge)))
  })

  it('proves that it looked, where the organization wants it proved', async () => {
    const requireChecked = ['keys.createKey']
    platform.solo.write(organization(), {
      key: recordKey(settingsTable),
      value: encodeRecord(settingsTable, { ...defaultSettings, requireChecked }),
    })
    await assert.rejects(
      stock().keys.createKey({ body: key }),
      /no client has proved that it checked this request/,
    )
    assert.ok(await checked().keys.createKey({ body: key }))
    platform.solo.write(organization(), {
      key: recordKey(settingsTable),
      value: encodeRecord(settingsTable, defaultSettings),
    })
  })
})

describe('what a method of the official client will send', () => {
  it('is known for what is signed, and nothing for what is read', () => {
    assert.deepEqual(requestBy('wallets.createWallet', { body: { network: 'X' } }), {
      method: 'POST',
      path: '/wallets',
      payload: '{"network":"X"}',
    })
    assert.deepEqual(requestBy('auth.activateUser', { userId: 'us-1/2' }), {
      method: 'PUT',
      path: '/auth/users/us-1%2F2/activate',
      payload: '{}',
    })
    assert.equal(requestBy('wallets.getWallet', { walletId: 'wa-1' }), undefined)
    assert.equal(requestBy('wallets.exportWallet', { walletId: 'wa-1' }), undefined)
    assert.throws(
      () => requestBy('auth.activateUser', {}),
      new Misled('auth.activateUser needs userId.'),
    )
    const { path } = requestBy('auth.createUserCredential', { body: {} }) ?? {}
    assert.equal(path, '/auth/credentials')
  })
})

describe('a key that a browser keeps', () => {
  it('signs in the one form that signers take', async () => {
    const pair = await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, [
      'sign',
    ])
    const spki = new Uint8Array(await webcrypto.subtle.exportKey('spki', pair.publicKey))
    const key = keyFromBrowser('checker', webcrypto.subtle as never, pair.privateKey)
    for (let i = 0; i < 64; i++) {
      const data = toUtf8(`{"type":"key.get","n":${i}}`)
      assert.ok(verifySignature(spki, data, await key.sign(data)))
    }
    const { privateKey } = generateKeyPairSync('ed25519')
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    assert.equal((await keyFromPem('k', pem).sign(toUtf8('x'))).length, 64)
  })
})

const json = { 'content-type': 'application/json' }

async function forward(
  target: string,
  request: IncomingMessage,
  rewrite: { readonly asked: Rewrite; readonly answered: Rewrite },
): Promise<{ readonly status: number; readonly body: string }> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  const path = request.url ?? ''
  const { method = 'GET', headers } = request
  const body = rewrite.asked(path, Buffer.concat(chunks).toString())
  const sent: Record<string, string> = {}
  for (const name of ['authorization', 'content-type', 'x-dfns-useraction'])
    if (typeof headers[name] === 'string') sent[name] = headers[name]
  const response = await fetch(new URL(path, target), {
    method,
    headers: sent,
    ...(method === 'GET' ? {} : { body }),
  })
  return { status: response.status, body: rewrite.answered(path, await response.text()) }
}
