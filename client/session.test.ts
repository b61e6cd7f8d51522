import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { after, before, beforeEach, describe, it } from 'node:test'
import { toBase64url, toHex, toUtf8 } from '@quorate/core/bytes'
import { nameOf } from '@quorate/core/id'
import { isObject, parseJson } from '@quorate/core/json'
import { challengeOf, type Preimage } from '@quorate/authority/request'
import { makePerson, makeRequest } from '@quorate/authority/testing/world'
import { bearerOf } from './bearer.ts'
import { Misled } from './check-request.ts'
import { maxFeeDefault, openSession } from './session.ts'

const organization = new Uint8Array(32).fill(1)
const user = new Uint8Array(32).fill(2)
const token = new Uint8Array(32).fill(3)
const other = new Uint8Array(32).fill(4)
const person = makePerson()
const path = '/keys'
const body = { scheme: 'EdDSA', curve: 'ed25519' }

describe('a session', () => {
  let server: Server
  let baseUrl = ''
  /** What the server puts into the challenge beside what was asked for. */
  let added: Partial<Preimage> = {}
  let heard: string[] = []

  before(async () => {
    server = createServer((asked, answer) => {
      heard.push(asked.url ?? '')
      bodyOf(asked).then(
        (text) => answer.end(JSON.stringify(answerTo(asked.url ?? '', text, added))),
        (error: Error) => answer.destroy(error),
      )
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    assert.ok(typeof address === 'object' && address !== null)
    baseUrl = `http://127.0.0.1:${address.port}`
  })
  after(() => server.close())
  beforeEach(() => {
    added = {}
    heard = []
  })

  const session = (change: { readonly authToken?: string; readonly maxFee?: bigint } = {}) =>
    openSession({
      ...{
        baseUrl,
        organization,
        credId: 'cr-1',
        authToken: bearer({ userId: nameOf('user', user) }),
      },
      privateKey: String(person.key.export({ type: 'pkcs8', format: 'pem' })),
      ...change,
    })
  const ofAccount = () =>
    bearer({
      ...{ userId: nameOf('user', user), tokenKind: 'ServiceAccount' },
      tokenId: nameOf('token', token),
    })
  const refused = async (asker: ReturnType<typeof session>, reason: string) => {
    await assert.rejects(asker.call('POST', path, body), new Misled(reason))
    assert.deepEqual(heard.splice(0), ['/auth/action/init'], 'something was signed')
  }

  it('signs what it asked for, as the user and with the token that it has', async () => {
    await session().call('POST', path, body)
    added = { token: { id: token, kind: 'ServiceAccount' }, maxFee: maxFeeDefault }
    await session({ authToken: ofAccount() }).call('POST', path, body)
    assert.equal(heard.filter((url) => url === '/auth/action').length, 2)
  })

  it('signs for no higher fees than its owner allows, or a modest default', async () => {
    added = { maxFee: maxFeeDefault + 1n }
    await refused(
      session(),
      'The challenge allows fees of 10000000000000001, above 10000000000000000.',
    )
    await session({ maxFee: maxFeeDefault + 1n }).call('POST', path, body)
    heard = []
    added = { maxFee: 1n }
    await refused(session({ maxFee: 0n }), 'The challenge allows fees of 1, above 0.')
  })

  it('signs for no other user and no other token', async () => {
    const reason = 'The challenge is for another user or token.'
    added = { user: other }
    await refused(session(), reason)
    added = { token: { id: token, kind: 'ServiceAccount' } }
    await refused(session(), reason)
    added = {}
    await refused(session({ authToken: ofAccount() }), reason)
    added = { token: { id: other, kind: 'ServiceAccount' } }
    await refused(session({ authToken: ofAccount() }), reason)
  })

  it('is not opened with a token that does not say whose it is', () => {
    for (const bad of [
      '',
      'a.b.c',
      bearer({}),
      bearer({ userId: 'us-1', tokenKind: 'ServiceAccount' }),
    ])
      assert.throws(() => bearerOf(bad), Misled)
  })
})

function bearer(metadata: object): string {
  const claims = JSON.stringify({ 'https://custom/app_metadata': metadata })
  return ['e30', toBase64url(toUtf8(claims)), ''].join('.')
}

async function bodyOf(asked: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of asked) text += String(chunk)
  return text
}

function answerTo(url: string, text: string, added: Partial<Preimage>) {
  if (url === path) return {}
  if (url === '/auth/action') return { userAction: 'signed' }
  const asked = parseJson(text)
  const payload = isObject(asked) ? asked['userActionPayload'] : undefined
  assert.ok(typeof payload === 'string')
  const time = Date.now()
  const ask = { organization, user, by: person, path, body: parseJson(payload), time }
  const { preimage, salt } = makeRequest({ ...ask, preimage: added })
  return {
    challenge: challengeOf(preimage),
    preimage: toBase64url(preimage),
    salt: toHex(salt),
    challengeIdentifier: 'open',
  }
}
