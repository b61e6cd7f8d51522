import assert from 'node:assert/strict'
import { generateKeyPairSync, sign } from 'node:crypto'
import { before, describe, it } from 'node:test'
import { responseChecker } from '../sdk-types/checker.ts'
import { challengeFor, refusal, send, userActionFor, type Raw } from '../http.ts'
import type { Platform } from '../platform.ts'

const missing = 'user action signature is missing or invalid'
const used = 'user action has already been used'
const body = JSON.stringify({ scheme: 'EdDSA', curve: 'ed25519' })
const keyNamed = (name: string) => JSON.stringify({ ...JSON.parse(body), name })

/** One page must hold all that a platform of tests has. */
const all = { query: { limit: 500 } }

export function actions(platform: Platform): void {
  describe('a user action', () => {
    let baseUrl = ''
    let credentials: ReturnType<Platform['bootstrap']>['serviceAccount']
    before(() => {
      const file = platform.bootstrap()
      baseUrl = file.baseUrl
      credentials = file.serviceAccount
    })
    const signed = (path: string, payload: string) =>
      userActionFor({ baseUrl, credentials, path, body: payload })
    const ask = (raw: Raw) => send(baseUrl, { token: credentials.authToken, ...raw })
    const keysNow = async () => (await (await platform.sdk()).keys.listKeys(all)).items.length

    it('is needed, and neither empty nor made up', async () => {
      const before = await keysNow()
      for (const given of [{}, { userAction: '' }, { userAction: 'x' }, { userAction: 'a.b.c' }])
        assert.equal(refusal(await ask({ path: '/keys', body, ...given }), 403).message, missing)
      assert.equal(await keysNow(), before)
    })

    it('works once; its second use changes nothing', async () => {
      const before = await keysNow()
      const userAction = await signed('/keys', body)
      assert.equal((await ask({ path: '/keys', body, userAction })).status, 200)
      for (let i = 0; i < 3; i++) {
        const again = await ask({ path: '/keys', body, userAction })
        assert.equal(refusal(again, 400).message, used)
      }
      assert.equal(await keysNow(), before + 1)
    })

    it('used twice at the same moment works once', async () => {
      const before = await keysNow()
      const userAction = await signed('/keys', body)
      const asked = Array.from({ length: 5 }, () => ask({ path: '/keys', body, userAction }))
      const statuses = (await Promise.all(asked)).map(({ status }) => status)
      assert.deepEqual(statuses.toSorted(), [200, 400, 400, 400, 400])
      assert.equal(await keysNow(), before + 1)
    })

    it('is good for this body alone, however it is spaced and ordered', async () => {
      const before = await keysNow()
      const userAction = await signed('/keys', keyNamed('mine'))
      for (const other of [keyNamed('yours'), body, '{}', ''])
        refusal(await ask({ path: '/keys', body: other, userAction }), other.length > 2 ? 403 : 400)
      assert.equal(await keysNow(), before)
      const spaced = '{ "name": "mine", "curve": "ed25519", "scheme": "EdDSA" }'
      assert.equal((await ask({ path: '/keys', body: spaced, userAction })).status, 200)
    })

    it('is good for this path and method alone', async () => {
      const sdk = await platform.sdk()
      const key = { scheme: 'EdDSA', curve: 'ed25519' } as const
      const [one, other] = [
        await sdk.keys.createKey({ body: key }),
        await sdk.keys.createKey({ body: key }),
      ]
      const message = JSON.stringify({ kind: 'Message', message: '0x00' })
      const userAction = await signed(`/keys/${one.id}/signatures`, message)
      const path = `/keys/${other.id}/signatures`
      assert.equal(refusal(await ask({ path, body: message, userAction }), 403).message, missing)
      const { items } = await sdk.keys.listSignatures({ keyId: other.id })
      assert.deepEqual(items, [])
    })

    it('is good for its user alone', async () => {
      const userAction = await signed('/keys', body)
      const { authToken } = platform.bootstrap().administrator
      const stolen = await ask({ path: '/keys', body, userAction, token: authToken })
      assert.equal(refusal(stolen, 403).message, missing)
    })
  })
}

export function challenges(platform: Platform): void {
  describe('a challenge', () => {
    const given = () => {
      const { baseUrl, serviceAccount: credentials } = platform.bootstrap()
      return { baseUrl, credentials, path: '/keys', body }
    }

    it('is of the published type, and so is what answers it', async () => {
      const check = await responseChecker()
      const challenge = await challengeFor(given())
      assert.deepEqual(check('auth.createUserActionChallenge', challenge), [])
      assert.match(challenge.challenge, /^[A-Za-z0-9_-]{43}$/)
      assert.ok(await userActionFor(given()))
    })

    it('is not met by another key, another text or another kind of text', async () => {
      const { baseUrl, credentials } = given()
      const challenge = await challengeFor(given())
      const other = await challengeFor(given())
      const stranger = generateKeyPairSync('ed25519').privateKey
      const { credId, privateKey, authToken: token } = credentials
      const good = { type: 'key.get', challenge: challenge.challenge }
      for (const { data, key = privateKey, id = credId } of [
        { data: good, key: stranger },
        { data: { ...good, challenge: other.challenge } },
        { data: { ...good, type: 'key.create' } },
        { data: { ...good, challenge: 7 } },
        { data: good, id: 'cr-none' },
      ]) {
        const clientData = Buffer.from(JSON.stringify(data))
        const credentialAssertion = {
          credId: id,
          clientData: clientData.toString('base64url'),
          signature: sign(null, clientData, key).toString('base64url'),
        }
        const firstFactor = { kind: 'Key', credentialAssertion }
        const { challengeIdentifier } = challenge
        const sent = JSON.stringify({ challengeIdentifier, firstFactor })
        const answer = await send(baseUrl, { path: '/auth/action', token, body: sent })
        assert.ok([400, 401, 403].includes(answer.status), JSON.stringify(answer))
        refusal(answer, answer.status)
      }
    })
  })
}
