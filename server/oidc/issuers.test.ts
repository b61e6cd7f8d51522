import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import {
  type CryptoKey,
  exportSPKI,
  type JWTHeaderParameters,
  type JWTPayload,
  SignJWT,
  UnsecuredJWT,
} from 'jose'
import { problemOf } from '@quorate/api/problems'
import { toUtf8 } from '@quorate/core/bytes'
import { Failure } from '@quorate/core/failure'
import { openOutward } from '../net/outward.ts'
import { askEveryMs } from './fetched.ts'
import { type Issuers, openIssuers } from './issuers.ts'
import {
  discoveryOf,
  discoveryPath,
  type Forger,
  json,
  makeKey,
  startForger,
} from './testing/forger.ts'
import { client, logIn, startProvider } from './testing/provider.ts'

const invalid = { code: 'identity_token.invalid' }
const down = { code: 'issuer.unavailable' }
const fetch = openOutward({ networks: ['127.0.0.0/8'] })
const now = Date.UTC(2026, 0, 1)
const seconds = now / 1000
const audiences = ['web', 'phone']

const good = await makeKey('good')
const other = await makeKey('other')
const encryption = await makeKey('encryption')
const rsa = await makeKey('rsa', 'RS256')
const published = [good.jwk, other.jwk, { ...encryption.jwk, use: 'enc' }, rsa.jwk]

let forger: Forger
let issuers: Issuers
let clock: number
before(async () => {
  forger = await startForger(published)
})
beforeEach(() => {
  forger.pages.set(discoveryPath, json(discoveryOf(forger.url)))
  forger.pages.set('/jwks', json({ keys: published }))
  forger.asked.length = 0
  clock = now
  issuers = openIssuers({ fetch, now: () => clock })
})
after(() => forger.close())

const verify = (idToken: string, nonce?: string) =>
  issuers.verifyIdToken({
    issuer: { issuer: forger.url, audiences },
    idToken,
    ...(nonce === undefined ? {} : { nonce }),
  })

/** What a test sets to `undefined` is not there. */
const claims = (changed: Readonly<Record<string, unknown>> = {}): JWTPayload => ({
  iss: forger.url,
  aud: 'web',
  sub: 'alice',
  iat: seconds,
  exp: seconds + 300,
  email: 'alice@example.com',
  email_verified: true,
  ...changed,
})

function sign(
  payload: JWTPayload,
  key: { readonly privateKey: CryptoKey | Uint8Array } = good,
  header: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const whole: JWTHeaderParameters = { alg: 'ES256', kid: 'good', ...header }
  const withoutHoles = JSON.parse(JSON.stringify(whole))
  return new SignJWT(payload)
    .setProtectedHeader(withoutHoles)
    .sign(key.privateKey, { crit: { strange: true } })
}

describe('an id token', () => {
  it('says who its bearer is', async () => {
    const identity = await verify(await sign(claims({ nonce: 'n' })), 'n')
    assert.deepEqual(identity, {
      issuer: forger.url,
      subject: 'alice',
      email: 'alice@example.com',
      emailVerified: true,
      claims: claims({ nonce: 'n' }),
    })
  })

  it('is good from a provider that others wrote', async () => {
    const provider = await startProvider()
    try {
      const real = openIssuers({ fetch, now: Date.now })
      const { clientId, clientSecret, redirectUri } = client
      const flow = { issuer: provider.url, clientId, redirectUri, nonce: 'n', state: 's' }
      const codeVerifier = 'v'.repeat(43)
      const to = await real.authorizationUrl({ ...flow, codeVerifier })
      const code = (await logIn(to, 'bob')).searchParams.get('code') ?? ''
      const pair = Buffer.from(
        `${clientId}:${new URLSearchParams({ '': clientSecret }).toString().slice(1)}`,
      ).toString('base64')
      const response = await globalThis.fetch(`${provider.url}/token`, {
        method: 'POST',
        headers: { authorization: `Basic ${pair}` },
        body: new URLSearchParams({
          ...{ grant_type: 'authorization_code', code, redirect_uri: redirectUri },
          code_verifier: codeVerifier,
        }),
      })
      const { id_token: idToken } = (await response.json()) as { id_token: string }
      const ask = { issuer: { issuer: provider.url, audiences: [clientId] }, idToken }
      assert.equal((await real.verifyIdToken(ask)).subject, 'bob')
      await assert.rejects(real.verifyIdToken({ ...ask, nonce: 'other' }), invalid)
      const foreign = { ...ask, issuer: { ...ask.issuer, audiences: ['another'] } }
      await assert.rejects(real.verifyIdToken(foreign), invalid)
    } finally {
      await provider.close()
    }
  })

  it('of another issuer is not good', async () => {
    for (const iss of ['https://idp.example.com', `${forger.url}/`, undefined])
      await assert.rejects(verify(await sign(claims({ iss }))), invalid)
  })

  it('for another audience is not good', async () => {
    for (const aud of ['another', [], ['another'], '', undefined])
      await assert.rejects(verify(await sign(claims({ aud }))), invalid)
    const issuer = { issuer: forger.url, audiences: [] }
    const idToken = await sign(claims())
    await assert.rejects(issuers.verifyIdToken({ issuer, idToken }), invalid)
  })

  it('for several audiences says that it was given to one of ours', async () => {
    const aud = ['web', 'another']
    await assert.rejects(verify(await sign(claims({ aud }))), invalid)
    await assert.rejects(verify(await sign(claims({ aud, azp: 'another' }))), invalid)
    await assert.rejects(verify(await sign(claims({ azp: 'another' }))), invalid)
    await assert.rejects(verify(await sign(claims({ azp: ['web'] }))), invalid)
    assert.equal((await verify(await sign(claims({ aud, azp: 'phone' })))).subject, 'alice')
    assert.equal((await verify(await sign(claims({ aud: ['web'] })))).subject, 'alice')
  })

  it('is good within its time, give or take a minute', async () => {
    const idToken = await sign(claims({ nbf: seconds }))
    for (const [at, isGood] of [
      [-61, false],
      [-60, true],
      [300 + 59, true],
      [300 + 60, false],
    ] as const) {
      clock = now + at * 1000
      if (isGood) await verify(idToken)
      else await assert.rejects(verify(idToken), invalid, `${at}`)
    }
    clock = now
    await assert.rejects(verify(await sign(claims({ nbf: seconds + 61 }))), invalid)
    await assert.rejects(verify(await sign(claims({ iat: seconds + 61 }))), invalid)
  })

  it('without times is not good, nor one that was issued long ago', async () => {
    for (const changed of [{ exp: undefined }, { iat: undefined }])
      await assert.rejects(verify(await sign(claims(changed))), invalid)
    const yesterday = seconds - 24 * 60 * 60
    await verify(await sign(claims({ iat: yesterday })))
    await assert.rejects(verify(await sign(claims({ iat: yesterday - 61 }))), invalid)
  })

  it('has the nonce that was asked for', async () => {
    await assert.rejects(verify(await sign(claims({ nonce: 'other' })), 'n'), invalid)
    await assert.rejects(verify(await sign(claims()), 'n'), invalid)
  })

  it('without a signature is not good', async () => {
    const unsecured = new UnsecuredJWT(claims()).encode()
    await assert.rejects(verify(unsecured), invalid)
    const [, body = ''] = (await sign(claims())).split('.')
    for (const alg of ['none', 'None', 'NONE']) {
      const header = Buffer.from(JSON.stringify({ alg, kid: 'good' })).toString('base64url')
      await assert.rejects(verify(`${header}.${body}.`), invalid)
    }
  })

  it('is not verified with a public key as if that were a secret', async () => {
    const pem = toUtf8(await exportSPKI(rsa.publicKey))
    for (const alg of ['HS256', 'HS384', 'HS512'])
      for (const kid of ['rsa', undefined]) {
        const forged = await sign(claims(), { privateKey: pem }, { alg, kid })
        await assert.rejects(verify(forged), invalid, alg)
      }
  })

  it('is not verified with a secret, even if the issuer publishes one', async () => {
    const secret = toUtf8('s'.repeat(32))
    const k = Buffer.from(secret).toString('base64url')
    forger.pages.set('/jwks', json({ keys: [{ kty: 'oct', k, kid: 'good', alg: 'HS256' }] }))
    const forged = await sign(claims(), { privateKey: secret }, { alg: 'HS256' })
    await assert.rejects(verify(forged), invalid)
  })

  it('is not verified with an algorithm that is not in our list, sound though it be', async () => {
    const young = await makeKey('young', 'ML-DSA-44')
    forger.pages.set('/jwks', json({ keys: [young.jwk] }))
    const token = await sign(claims(), young, { alg: 'ML-DSA-44', kid: 'young' })
    await assert.rejects(verify(token), invalid)
  })

  it('is verified with the key that it names, or the one that there is', async () => {
    await assert.rejects(verify(await sign(claims(), other)), invalid)
    await assert.rejects(verify(await sign(claims(), good, { kid: 'other' })), invalid)
    await assert.rejects(verify(await sign(claims(), good, { kid: 'rsa' })), invalid)
    // Which of the two is meant?
    await assert.rejects(verify(await sign(claims(), good, { kid: undefined })), invalid)
    forger.pages.set('/jwks', json({ keys: [good.jwk] }))
    clock += 10 * 60_000
    const at = clock / 1000
    const nameless = claims({ iat: at, exp: at + 300 })
    assert.equal((await verify(await sign(nameless, good, { kid: undefined }))).subject, 'alice')
  })

  it('is not verified with a key for encryption', async () => {
    const forged = await sign(claims(), encryption, { kid: 'encryption' })
    await assert.rejects(verify(forged), invalid)
  })

  it('is not verified with a key that it brings along or points to', async () => {
    const mine = await makeKey('mine')
    const jku = `${forger.url}/mine`
    forger.pages.set('/mine', json({ keys: [mine.jwk] }))
    for (const header of [{ jwk: mine.jwk }, { jku }, { x5u: jku }, { jku, kid: 'mine' }])
      await assert.rejects(verify(await sign(claims(), mine, header)), invalid)
    assert.ok(!forger.asked.includes('GET /mine'))
  })

  it('is not verified with a private key that was published, or with one that is none', async () => {
    const tooShort = { kty: 'RSA', n: 'AQAB', e: 'AQAB', kid: 'rsa', alg: 'RS256' }
    const offCurve = { ...good.jwk, x: good.jwk.y, y: good.jwk.x }
    const open = { ...good.jwk, d: other.jwk.x }
    for (const [key, signer, header] of [
      [tooShort, rsa, { alg: 'RS256', kid: 'rsa' }],
      [offCurve, good, {}],
      [open, good, {}],
    ] as const) {
      issuers = openIssuers({ fetch, now: () => clock })
      forger.pages.set('/jwks', json({ keys: [key] }))
      await assert.rejects(verify(await sign(claims(), signer, header)), invalid)
    }
  })

  it('is not a token of another kind', async () => {
    for (const typ of ['at+jwt', 'logout+jwt', 'application/at+jwt', 'secevent+jwt'])
      await assert.rejects(verify(await sign(claims(), good, { typ })), invalid, typ)
    const events = { 'http://schemas.openid.net/event/backchannel-logout': {} }
    await assert.rejects(verify(await sign(claims({ events }))), invalid)
    for (const typ of ['JWT', 'jwt']) await verify(await sign(claims(), good, { typ }))
  })

  it('demands nothing that we do not know', async () => {
    const header = { strange: 1 }
    await verify(await sign(claims(), good, header))
    const demanding = await sign(claims(), good, { ...header, crit: ['strange'] })
    await assert.rejects(verify(demanding), invalid)
  })

  it('has a subject that fits', async () => {
    for (const sub of [undefined, '', 'a'.repeat(256)])
      await assert.rejects(verify(await sign(claims({ sub }))), invalid)
    await verify(await sign(claims({ sub: 'a'.repeat(255) })))
  })

  it('says whether the address is verified, in one of two ways', async () => {
    const verified = async (value: unknown) =>
      (await verify(await sign(claims({ email_verified: value })))).emailVerified
    for (const value of [true, 'true']) assert.equal(await verified(value), true)
    for (const value of [false, 'false', undefined, 1, 'yes', {}])
      assert.equal(await verified(value), false)
    const without = await verify(await sign(claims({ email: undefined })))
    assert.equal(without.email, undefined)
    assert.equal(without.emailVerified, false)
    for (const email of [7, ['a@example.com'], 'a'.repeat(255)])
      await assert.rejects(verify(await sign(claims({ email }))), invalid)
  })

  it('is not read when it is too long, or no token at all', async () => {
    await assert.rejects(verify(await sign(claims({ padding: 'a'.repeat(16_384) }))), invalid)
    for (const text of ['', 'a', 'a.b', 'a.b.c', '..', 'a.b.c.d.e'])
      await assert.rejects(verify(text), invalid)
  })

  it('tells its bearer nothing about what is wrong with it', async () => {
    for (const token of [await sign(claims({ aud: 'another' })), await sign(claims(), other), 'a'])
      await assert.rejects(verify(token), (error) => {
        assert.ok(error instanceof Failure)
        assert.deepEqual(problemOf(error), { status: 401, message: 'Not Authorized.' })
        return true
      })
  })
})

describe('the keys of an issuer', () => {
  it('are fetched once for many tokens', async () => {
    await Promise.all([1, 2, 3].map(async () => verify(await sign(claims()))))
    await verify(await sign(claims(), other, { kid: 'other' }))
    assert.deepEqual(forger.asked, [`GET ${discoveryPath}`, 'GET /jwks'])
  })

  it('are fetched again for a new key, but not for every made-up one', async () => {
    await verify(await sign(claims()))
    const young = await makeKey('young')
    forger.pages.set('/jwks', json({ keys: [...published, young.jwk] }))
    clock = now + askEveryMs
    const token = await sign(claims(), young, { kid: 'young' })
    assert.equal((await verify(token)).subject, 'alice')
    for (let i = 0; i < 20; i++)
      await assert.rejects(verify(await sign(claims(), good, { kid: `made-up-${i}` })), invalid)
    assert.equal(forger.asked.filter((one) => one === 'GET /jwks').length, 2)
  })

  it('are believed no longer than ten minutes after they were withdrawn', async () => {
    await verify(await sign(claims()))
    forger.pages.set('/jwks', json({ keys: [other.jwk] }))
    clock = now + 10 * 60_000
    const at = clock / 1000
    await assert.rejects(verify(await sign(claims({ iat: at, exp: at + 300 }))), invalid)
  })

  it('that one organization believes are not believed by another', async () => {
    const mine = await makeKey('mine')
    forger.pages.set('/mine', json({ keys: [mine.jwk] }))
    const idToken = await sign(claims(), mine, { kid: 'mine' })
    const issuer = { issuer: forger.url, audiences, jwksUri: `${forger.url}/mine` }
    assert.equal((await issuers.verifyIdToken({ issuer, idToken })).subject, 'alice')
    assert.deepEqual(forger.asked, ['GET /mine'], 'no discovery is needed')
    await assert.rejects(verify(idToken), invalid)
  })
})

describe('an issuer', () => {
  const page = (path: string, value: unknown, status = 200) =>
    forger.pages.set(path, json(value, status))
  const isDown = async (what: string) => {
    issuers = openIssuers({ fetch, now: () => clock })
    await assert.rejects(verify(await sign(claims())), down, what)
  }

  it('that calls itself something else is not believed', async () => {
    for (const issuer of ['https://idp.example.com', `${forger.url}/`, undefined]) {
      page(discoveryPath, { ...discoveryOf(forger.url), issuer })
      await isDown(`${issuer}`)
    }
  })

  it('whose answers are not what they should be is unavailable', async () => {
    page(discoveryPath, discoveryOf(forger.url), 500)
    await isDown('a status')
    page(discoveryPath, { ...discoveryOf(forger.url), jwks_uri: 7 })
    await isDown('no address of keys')
    page(discoveryPath, [])
    await isDown('no object')
    forger.pages.set(discoveryPath, (response) => response.end('<html>'))
    await isDown('no JSON')
    page(discoveryPath, discoveryOf(forger.url))
    for (const keys of [undefined, {}, [7], Array(101).fill(good.jwk)]) {
      page('/jwks', { keys })
      await isDown('no keys')
    }
  })

  it('that sends too much is unavailable', async () => {
    page(discoveryPath, { ...discoveryOf(forger.url), padding: 'a'.repeat(128 * 1024) })
    await isDown('discovery')
    page(discoveryPath, discoveryOf(forger.url))
    page('/jwks', { keys: published, padding: 'a'.repeat(128 * 1024) })
    await isDown('keys')
  })

  it('that dawdles is unavailable after five seconds', async () => {
    forger.pages.set('/jwks', (response) => {
      response.writeHead(200).write('{')
      const timer = setInterval(() => response.write(' '), 100)
      response.on('close', () => clearInterval(timer))
    })
    const started = performance.now()
    await isDown('keys')
    assert.ok(performance.now() - started < 8_000)
  })

  it('that sends us elsewhere is not followed', async () => {
    forger.pages.set(discoveryPath, (response) =>
      response.writeHead(302, { location: `${forger.url}/moved` }).end('{}'),
    )
    page('/moved', discoveryOf(forger.url))
    await isDown('discovery')
    assert.deepEqual(forger.asked, [`GET ${discoveryPath}`])
  })

  it('whose keys lie in a private network is unavailable', async () => {
    for (const jwksUri of [
      'http://169.254.169.254/keys',
      'https://10.0.0.1/keys',
      'file:///keys',
    ]) {
      page(discoveryPath, { ...discoveryOf(forger.url), jwks_uri: jwksUri })
      await isDown(jwksUri)
    }
  })

  it('on loopback is not asked unless the operator lets us', async () => {
    const strict = openIssuers({ now: () => now })
    const issuer = { issuer: forger.url, audiences }
    const idToken = await sign(claims())
    await assert.rejects(strict.verifyIdToken({ issuer, idToken }), down)
    assert.deepEqual(forger.asked, [])
  })

  it('is not asked when its name is not one of an issuer', async () => {
    for (const issuer of [`${forger.url}?a`, `${forger.url}#a`, 'idp', 'file:///a', ''])
      await assert.rejects(
        issuers.verifyIdToken({ issuer: { issuer, audiences }, idToken: await sign(claims()) }),
        down,
      )
    assert.deepEqual(forger.asked, [])
  })
})
