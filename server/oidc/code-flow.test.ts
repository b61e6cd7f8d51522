import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { isFailure } from '@quorate/core/failure'
import { openOutward } from '../net/outward.ts'
import type { CodeExchange } from './code-flow.ts'
import { type Issuers, openIssuers } from './issuers.ts'
import { discoveryOf, discoveryPath, type Forger, json, startForger } from './testing/forger.ts'
import { client, logIn, startProvider } from './testing/provider.ts'
import type { Served } from './testing/served.ts'

const invalid = { code: 'identity_token.invalid' }
const { clientId, clientSecret, redirectUri } = client
const [nonce, codeVerifier] = ['a nonce', 'v'.repeat(43)]
const fetch = openOutward({ networks: ['127.0.0.0/8'] })
const open = (): Issuers => openIssuers({ fetch, now: Date.now })

describe('a login with an identity provider', () => {
  let provider: Served
  let issuers: Issuers
  /** Logs `name` in and comes back with what the exchange needs. */
  const signIn = async (name: string): Promise<CodeExchange> => {
    const issuer = provider.url
    const asked = { issuer, clientId, redirectUri, state: 'a state', nonce, codeVerifier }
    const back = await logIn(await issuers.authorizationUrl(asked), name)
    assert.equal(back.searchParams.get('state'), 'a state')
    const code = back.searchParams.get('code') ?? ''
    const responseIssuer = back.searchParams.get('iss') ?? undefined
    const ours = { issuer, clientId, clientSecret, redirectUri, codeVerifier, nonce }
    return { ...ours, code, responseIssuer }
  }
  before(async () => {
    provider = await startProvider()
    issuers = open()
  })
  after(() => provider.close())

  it('says who has logged in', async () => {
    const identity = await issuers.exchangeCode(await signIn('alice'))
    assert.equal(identity.issuer, provider.url)
    assert.equal(identity.subject, 'alice')
    assert.equal(identity.email, 'alice@example.com')
    assert.equal(identity.emailVerified, true)
    assert.equal(identity.claims['nonce'], nonce)
  })

  it('says when the provider does not vouch for the address', async () => {
    const identity = await issuers.exchangeCode(await signIn('unverified'))
    assert.equal(identity.email, 'unverified@example.com')
    assert.equal(identity.emailVerified, false)
  })

  it('happens once for each code', async () => {
    const exchange = await signIn('alice')
    await issuers.exchangeCode(exchange)
    await assert.rejects(issuers.exchangeCode(exchange), invalid)
  })

  it('is only for who holds the code verifier: a stolen code is worth nothing', async () => {
    const exchange = await signIn('alice')
    const stolen = { ...exchange, codeVerifier: 'w'.repeat(43) }
    await assert.rejects(issuers.exchangeCode(stolen), invalid)
  })

  it('is only for who asked: a code that was planted has another nonce', async () => {
    const exchange = await signIn('mallory')
    await assert.rejects(issuers.exchangeCode({ ...exchange, nonce: 'of alice' }), invalid)
  })

  it('is refused when the response names another issuer, or none though this one always does', async () => {
    const exchange = await signIn('alice')
    const asked = provider.asked.length
    for (const responseIssuer of ['https://idp.example.com', `${provider.url}/`, undefined])
      await assert.rejects(issuers.exchangeCode({ ...exchange, responseIssuer }), invalid)
    assert.equal(provider.asked.length, asked, 'the code has been carried to nobody')
  })

  it('does not ask about a code that is too long to be one', async () => {
    const exchange = await signIn('alice')
    const asked = provider.asked.length
    await assert.rejects(issuers.exchangeCode({ ...exchange, code: 'c'.repeat(8_193) }), invalid)
    assert.equal(provider.asked.length, asked)
  })

  it('fails as the provider, not as the user, when our own secret is wrong', async () => {
    const exchange = { ...(await signIn('alice')), clientSecret: 'stale' }
    await assert.rejects(issuers.exchangeCode(exchange), (error) => {
      assert.ok(isFailure(error, 'issuer.unavailable'))
      assert.equal(error.context.reason, 'token endpoint: 401, invalid_client')
      return true
    })
  })

  for (const [authMethod, algorithm] of [
    ['client_secret_post', 'RS256'],
    ['none', 'EdDSA'],
    ['client_secret_basic', 'PS256'],
  ] as const)
    it(`works with ${authMethod} and ${algorithm}`, async () => {
      const other = await startProvider({ authMethod, algorithm })
      try {
        const here = open()
        const issuer = other.url
        const asked = { issuer, clientId, redirectUri, state: 's', nonce, codeVerifier }
        const back = await logIn(await here.authorizationUrl(asked), 'bob')
        const identity = await here.exchangeCode({
          ...asked,
          ...(authMethod === 'none' ? {} : { clientSecret }),
          code: back.searchParams.get('code') ?? '',
          responseIssuer: other.url,
        })
        assert.equal(identity.subject, 'bob')
      } finally {
        await other.close()
      }
    })
})

describe('an authorization URL', () => {
  let forger: Forger
  const asked = { clientId, redirectUri, state: 's', nonce, codeVerifier }
  const urlFor = async (endpoint: string) => {
    const discovery = { ...discoveryOf(forger.url), authorization_endpoint: endpoint }
    forger.pages.set(discoveryPath, json(discovery))
    return new URL(await open().authorizationUrl({ ...asked, issuer: forger.url }))
  }
  before(async () => {
    forger = await startForger([])
  })
  after(() => forger.close())

  it('asks for a code, with the hash of the verifier and never the verifier', async () => {
    // RFC 7636, appendix B.
    const verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
    const url = new URL(
      await open().authorizationUrl({ ...asked, codeVerifier: verifier, issuer: forger.url }),
    )
    assert.equal(url.searchParams.get('code_challenge_method'), 'S256')
    const challenge = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'
    assert.equal(url.searchParams.get('code_challenge'), challenge)
    assert.equal(url.searchParams.get('response_type'), 'code')
    assert.equal(url.searchParams.get('nonce'), nonce)
    assert.ok(!url.href.includes(verifier))
  })

  it('keeps what the endpoint brings along, but not in our place', async () => {
    const url = await urlFor('https://idp.example.com/authorize?tenant=1&client_id=theirs')
    assert.equal(url.searchParams.get('tenant'), '1')
    assert.deepEqual(url.searchParams.getAll('client_id'), [clientId])
  })

  it('leads a browser to the web alone', async () => {
    for (const endpoint of ['javascript:alert(1)//', 'data:text/html,hello', 'file:///', 'none'])
      await assert.rejects(urlFor(endpoint), { code: 'issuer.unavailable' }, endpoint)
  })
})
