import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { isChecked } from '@quorate/authority/credential'
import { verifySignature } from '@quorate/authority/public-key'
import { challengeOf, commitTo, encodePreimage, requestHash } from '@quorate/authority/request'
import { fromBase64url, fromHex, toBase64url, toHex } from '@quorate/core/bytes'
import { idOf } from '@quorate/core/id'
import { bundleClient } from '@quorate/scripts/bundle'
import { openBrowser, describeInBrowser } from './chromium.ts'

const genesis = '5a'.repeat(32)
const organization = idOf(fromHex(genesis), 'organization')

/** The application's page: it has loaded the module and keeps it at hand. */
const html = `<!doctype html><script type="module">
import * as module from '/client.js'
globalThis.quorate = module
</script>`

/** As a server would answer `POST /auth/action/init`. */
function challengeFor(path: string, payload: string) {
  const salt = new Uint8Array(randomBytes(32))
  const now = Date.now()
  const preimage = encodePreimage({
    ...{ purpose: 'action', organization, user: new Uint8Array(32), token: undefined },
    ...{ method: 'POST', path, ...commitTo(payload, salt), verification: 'none', subjects: [] },
    ...{ maxFee: undefined, nonce: new Uint8Array(randomBytes(32)), issuedAt: now },
    ...{ signBefore: now + 600_000, executeBefore: now + 600_000 },
  })
  const challenge = challengeOf(preimage)
  return { challenge, preimage: toBase64url(preimage), salt: toHex(salt), challengeIdentifier: 'x' }
}

describe('the checking client as a bundle', () => {
  it('asks nothing of Node', async () => {
    const text = await bundleClient()
    assert.doesNotMatch(text, /\bnode:|\brequire\(/)
    assert.ok(text.length < 200_000, `${text.length} bytes`)
  })
})

describeInBrowser('the checking client in a browser', () => {
  let browser: Browser
  let server: Server
  let page: Page
  before(async () => {
    const text = await bundleClient()
    server = createServer((request, response) => {
      const isModule = request.url === '/client.js'
      const type = isModule ? 'text/javascript' : 'text/html'
      response.writeHead(200, { 'content-type': type }).end(isModule ? text : html)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    browser = await openBrowser()
    page = await browser.newPage()
    await page.goto(`http://localhost:${(server.address() as AddressInfo).port}/`)
    await page.waitForFunction('globalThis.quorate !== undefined')
  })
  after(async () => {
    await browser.close()
    server.close()
  })

  /** The application asks for a wallet; its server answers with this challenge. */
  const signed = (challenge: unknown) =>
    page.evaluate(
      async ({ genesis, challenge }) => {
        const { checkingPair, keyFromBrowser, organizationOf } = Reflect.get(globalThis, 'quorate')
        const algorithm = { name: 'ECDSA', namedCurve: 'P-256' }
        const pair = await crypto.subtle.generateKey(algorithm, false, ['sign'])
        const key = keyFromBrowser('checker', crypto.subtle, pair.privateKey)
        const checking = checkingPair(key, { organization: organizationOf(genesis) })
        const sdk = { wallets: { createWallet: () => checking.signer.sign(challenge) } }
        const spki = new Uint8Array(await crypto.subtle.exportKey('spki', pair.publicKey))
        const body = { network: 'EthereumSepolia' }
        try {
          const factor = await checking.over(sdk).wallets.createWallet({ body })
          return { factor, spki: [...spki], error: '' }
        } catch (error) {
          return { factor: undefined, spki: [], error: String(error) }
        }
      },
      { genesis, challenge },
    )

  it('signs what was asked for with a key that no script can read, and proves that it looked', async () => {
    const challenge = challengeFor('/wallets', '{"network":"EthereumSepolia"}')
    const { factor, spki, error } = await signed(challenge)
    assert.equal(error, '')
    const clientData = fromBase64url(factor.credentialAssertion.clientData)
    const signature = fromBase64url(factor.credentialAssertion.signature)
    assert.ok(verifySignature(Uint8Array.from(spki), clientData, signature))
    const request = requestHash(fromBase64url(challenge.preimage))
    assert.ok(isChecked({ clientData, authenticatorData: undefined }, request))
  })

  it('signs nothing else', async () => {
    for (const challenge of [
      challengeFor('/wallets', '{"network":"Ethereum"}'),
      challengeFor('/keys', '{"network":"EthereumSepolia"}'),
      { ...challengeFor('/wallets', '{"network":"EthereumSepolia"}'), challenge: [1, 2, 3] },
    ]) {
      const { error } = await signed(challenge)
      assert.equal(error, 'Misled: The challenge is for nothing that was asked for.')
    }
  })
})
