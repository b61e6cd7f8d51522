import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { SignJWT } from 'jose'
import {
  credentialTable,
  decodeRecord,
  encodeRecord,
  recordKey,
  userTable,
} from '@quorate/authority/records'
import { rootOf } from '@quorate/authority/stream'
import { fromHex, toBase64url, toHex } from '@quorate/core/bytes'
import { idOf } from '@quorate/core/id'
import { forgetExpired, openChallengesMax } from './auth/action.ts'
import { assertionFor, rawClient, type Answer, type RawClient } from './testing/raw-client.ts'
import { foundCompany, newKey, publicPem, type Company } from './testing/company.ts'
import { setupToken, startTestPlatform, type TestPlatform } from './testing/platform.ts'

const key = { scheme: 'EdDSA', curve: 'ed25519' }
const missing = 'user action signature is missing or invalid'

describe('who is refused', () => {
  let platform: TestPlatform
  let file: Company
  let foreign: Company
  let admin: RawClient
  let robot: RawClient
  let keyId = ''
  let walletId = ''

  const keyCount = async () => {
    const { n } = await platform.database
      .selectFrom('keys')
      .select((eb) => eb.fn.countAll<string>().as('n'))
      .executeTakeFirstOrThrow()
    return Number(n)
  }
  const unchanged = async (run: () => Promise<void>) => {
    const before = await keyCount()
    await run()
    assert.equal(await keyCount(), before)
  }
  before(async () => {
    platform = await startTestPlatform()
    const { baseUrl } = platform
    file = await foundCompany(platform)
    foreign = await foundCompany(platform)
    admin = rawClient(baseUrl, file.administrator)
    robot = rawClient(baseUrl, file.serviceAccount)
    keyId = (await robot.call('/keys', key)).body.id
    walletId = (await robot.call('/wallets', { network: 'EthereumSepolia' })).body.id
  })
  after(async () => {
    await platform.close()
    assert.deepEqual(platform.unexpected, [])
  })

  describe('by his token', () => {
    const asked = (authorization?: string) =>
      fetch(new URL('/keys', platform.baseUrl), {
        headers: authorization === undefined ? {} : { authorization },
      }).then(async (response) => ({ status: response.status, body: await response.json() }))
    const refused = async (token?: string) =>
      says(await asked(token === undefined ? token : `Bearer ${token}`), 401, 'Not Authorized.')

    it('who has none, or something that is none', async () => {
      await refused()
      await refused('nonsense')
      await refused(setupToken)
      says(await asked(`Basic ${file.administrator.authToken}`), 401)
    })
    it('who has changed his, or signed it himself', async () => {
      const [head, body = '', signature] = file.administrator.authToken.split('.')
      const claims = JSON.parse(Buffer.from(body, 'base64url').toString())
      const forged = Buffer.from(JSON.stringify({ ...claims, exp: claims.exp + 1 }))
      await refused([head, forged.toString('base64url'), signature].join('.'))
      await refused([head, body, ''].join('.'))
      const none = Buffer.from(JSON.stringify({ alg: 'none' })).toString('base64url')
      await refused([none, body, ''].join('.'))
      const { privateKey } = generateKeyPairSync('ed25519')
      await refused(await new SignJWT(claims).setProtectedHeader({ alg: 'EdDSA' }).sign(privateKey))
    })
    it('who brings a challenge instead of a token', async () => {
      const { username } = file.administrator
      const login = { username, orgId: file.orgId }
      const { body } = await admin.send('POST', '/auth/login/init', login)
      await refused(body.challengeIdentifier)
    })
    it('whose session is over', async () => {
      platform.clock.ahead = 6 * 60 * 60_000 + 1000
      await refused(file.administrator.authToken)
      platform.clock.ahead = 0
    })
    it('whose service account token has died in the log, whatever the token says', async () => {
      platform.clock.ahead = 731 * 24 * 60 * 60_000
      await refused(file.serviceAccount.authToken)
      const { orgId, serviceAccount } = file
      const token = await platform.deps.tokens.issue(
        {
          ...{ orgId, userId: serviceAccount.userId, username: 'robot' },
          ...{ tokenKind: 'ServiceAccount', tokenId: claimsOf(serviceAccount.authToken).tokenId },
        },
        { from: Date.now(), until: Date.now() + 10_000 * 24 * 60 * 60_000 },
      )
      await refused(token)
      platform.clock.ahead = 0
    })
    it('whose token names another user, organization or token than the log does', async () => {
      const { orgId, administrator, serviceAccount } = file
      const { tokenId } = claimsOf(serviceAccount.authToken)
      const life = { from: Date.now(), until: Date.now() + 60_000 }
      const good = { orgId, userId: serviceAccount.userId, username: 'robot' }
      const kind = { tokenKind: 'ServiceAccount' as const, tokenId }
      const issue = (claims: Parameters<typeof platform.tokens.issue>[0]) =>
        platform.tokens.issue(claims, life)
      assert.equal((await asked(`Bearer ${await issue({ ...good, ...kind })}`)).status, 200)
      await refused(await issue({ ...good, ...kind, orgId: foreign.orgId }))
      await refused(await issue({ ...good, ...kind, userId: administrator.userId }))
      await refused(await issue({ ...good, ...kind, tokenId: 'to-aaaaa-aaaaa-aaaaaaaaaaaaaaaa' }))
      await refused(await issue({ ...good, tokenKind: 'ServiceAccount' }))
      const other = claimsOf((await newAccount('other')).authToken)
      await refused(await issue({ ...good, ...kind, userId: other.userId }))
      await refused(await issue({ ...good, tokenKind: 'Token' }))
    })
  })

  describe('by his permissions', () => {
    it('a service account without any, in the documented words', async () => {
      const nobody = await newAccount('without')
      const { userId } = claimsOf(nobody.authToken)
      const words = (operation: string) =>
        `CustomerEmployee ${userId} is not authorized to perform operation (${operation})`
      const client = rawClient(platform.baseUrl, nobody)
      says(await client.send('GET', '/keys'), 403, words('Keys:Read'))
      says(await client.init('POST', '/keys', key), 403, words('Keys:Create'))
      says(await client.send('POST', '/keys', key), 403, words('Keys:Create'))
    })
    it('a service account that would make service accounts', async () => {
      const body = { name: 'child', publicKey: publicPem(newKey()) }
      const refusal = await robot.init('POST', '/auth/service-accounts', body)
      assert.match(refusal.body.message, /not authorized .* \(Auth:ServiceAccounts:Create\)$/)
      assert.equal(refusal.status, 403)
    })
    it('whoever would use an existing key without the right to', async () => {
      const account = await newAccount('reader', await permissionNamed('EndUser'))
      const client = rawClient(platform.baseUrl, account)
      assert.equal((await client.send('GET', '/keys')).status, 200)
      const wallet = { network: 'KeyEdDSA', signingKey: { id: keyId } }
      const refusal = await client.init('POST', '/wallets', wallet)
      assert.match(refusal.body.message, /\(Wallets:Create\)$/)
    })
    it('the setup token, outside of the setup, and anybody else in it', async () => {
      const { baseUrl } = platform
      const setup = rawClient(baseUrl, { ...file.administrator, authToken: setupToken })
      says(await setup.send('GET', '/wallets'), 401)
      says(await admin.send('POST', '/orgs/init', { payload: '{}' }), 401, 'Not Authorized.')
      says(await setup.send('POST', '/orgs/init', { payload: '{}' }), 400)
    })
  })

  describe('by what he asks to have signed', () => {
    it('a request that does not exist, or needs no signature', async () => {
      says(await robot.init('POST', '/nowhere', {}), 404)
      says(await robot.init('POST', '/keys/', key), 404)
      says(await robot.init('POST', '/keys?limit=1', key), 404)
      says(await robot.init('GET', '/keys', {}), 400)
    })
    it('a body that the endpoint would not take', async () => {
      says(await robot.init('POST', '/keys', { ...key, surprise: 1 }), 400)
      says(await robot.init('POST', '/keys', { scheme: 'EdDSA' }), 400)
      says(await robot.init('POST', '/keys', { ...key, name: 7 }), 400)
      says(await robot.init('POST', '/keys', '{"scheme":"EdDSA","scheme":"ECDSA"}'), 400)
      says(await robot.init('POST', '/keys', 'not json'), 400)
      const many = Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`m${i}`, i]))
      says(await robot.init('POST', '/keys', many), 400)
    })
    it('what is not there, or is of another organization', async () => {
      const other = rawClient(platform.baseUrl, foreign.serviceAccount)
      const hash = { kind: 'Hash', hash: 'ab'.repeat(32) }
      const unknown = 'wa-aaaaa-aaaaa-aaaaaaaaaaaaaaaa'
      for (const client of [other, robot]) {
        const [wallet, one] = client === other ? [walletId, keyId] : [unknown, 'key-7']
        says(
          await client.init('POST', `/wallets/${wallet}/signatures`, hash),
          404,
          'wallet not found',
        )
        says(await client.init('POST', `/keys/${one}/signatures`, hash), 404, 'key not found')
        says(await client.send('GET', `/wallets/${wallet}`), 404, 'wallet not found')
        says(await client.send('GET', `/keys/${one}`), 404, 'key not found')
        says(await client.send('GET', `/keys/${one}/signatures`), 404, 'key not found')
        const body = { network: 'KeyEdDSA', signingKey: { id: one } }
        says(await client.init('POST', '/wallets', body), 404, 'key not found')
      }
      const { userId: identityId } = foreign.serviceAccount
      const { body } = await admin.send('GET', '/permissions')
      const path = `/permissions/${body.items[0].id}/assignments`
      says(await admin.init('POST', path, { identityId }), 404, 'identity not found')
      says(await other.init('POST', path, { identityId }), 404, 'permission not found')
      says(await other.send('GET', `/auth/service-accounts/${file.serviceAccount.userId}`), 404)
    })
  })

  describe('by his signature', () => {
    it('who signs with a key that is not his, or with nothing', async () => {
      const thief = rawClient(platform.baseUrl, { ...file.serviceAccount, privateKey: newKey() })
      says(await thief.sign(await robot.init('POST', '/keys', key)), 403, missing)
      const stranger = rawClient(platform.baseUrl, { ...file.serviceAccount, credId: 'cr-1' })
      says(await stranger.sign(await robot.init('POST', '/keys', key)), 401)
    })
    it('who answers with the signature of another challenge', async () => {
      const [one, two] = [
        await robot.init('POST', '/keys', key),
        await robot.init('POST', '/keys', key),
      ]
      const { challengeIdentifier } = one.body
      const firstFactor = robot.factor(two.body.challenge)
      says(
        await robot.send('POST', '/auth/action', { challengeIdentifier, firstFactor }),
        403,
        missing,
      )
    })
    it("who answers another's challenge, or his own one twice, or late", async () => {
      const challenge = await robot.init('POST', '/keys', key)
      says(await admin.sign(challenge), 400, 'Challenge token is not valid.')
      assert.equal((await robot.sign(challenge)).status, 200)
      says(await robot.sign(challenge), 400, 'Challenge token is not valid.')
      const late = await robot.init('POST', '/keys', key)
      platform.clock.ahead = 10 * 60_000 + 1
      says(await robot.sign(late), 400, 'Challenge token is not valid.')
      platform.clock.ahead = 0
    })
    it('lists only the credentials of the very token that asks', async () => {
      const { body } = await robot.init('POST', '/keys', key)
      const { credId: id } = file.serviceAccount
      assert.deepEqual(body.allowCredentials, { key: [{ type: 'public-key', id }], webauthn: [] })
    })
    it('keeps so many open challenges for one user and no more', async () => {
      const first = await robot.init('POST', '/keys', key)
      for (let i = 0; i < openChallengesMax; i++) await robot.init('POST', '/keys', key)
      says(await robot.sign(first), 400, 'Challenge token is not valid.')
      const { n } = await platform.database
        .selectFrom('challenges')
        .select((eb) => eb.fn.countAll<string>().as('n'))
        .where('action', 'is', null)
        .executeTakeFirstOrThrow()
      assert.ok(Number(n) <= openChallengesMax + 16)
    })
    it('keeps none for ever, and those whose action may still come as long as that', async () => {
      const requests = async () =>
        (await platform.database.selectFrom('challenges').select('request').execute()).map(
          ({ request }) => Buffer.from(request).toString('hex'),
        )
      const before = await requests()
      const minute = 60_000
      await forgetExpired(platform.database, platform.deps.now() + 14 * minute)
      assert.deepEqual((await requests()).toSorted(), before.toSorted())
      platform.clock.ahead = 16 * minute
      const [oldest = ''] = before
      // Chance says which of them cleans up: one in 256.
      for (let i = 0; i < 6_000 && (await requests()).includes(oldest); i++)
        await robot.init('POST', '/keys', key)
      const left = await requests()
      assert.ok(!before.some((request) => left.includes(request)))
      platform.clock.ahead = 0
    })
  })

  describe('by his user action', () => {
    it('who has none, an invented one, or that of another', async () => {
      await unchanged(async () => {
        says(await robot.send('POST', '/keys', key), 403, missing)
        says(await robot.send('POST', '/keys', key, 'invented'), 403, missing)
        const action = await admin.act('/keys', key)
        says(await robot.send('POST', '/keys', key, action), 403, missing)
        const other = rawClient(platform.baseUrl, foreign.serviceAccount)
        says(await other.send('POST', '/keys', key, action), 403, missing)
      })
    })
    it('who brings it to another path or with another body', async () => {
      await unchanged(async () => {
        const action = await robot.act('/keys', key)
        says(await robot.send('POST', '/keys', { ...key, name: 'other' }, action), 403, missing)
        const wallet = { network: 'KeyEdDSA' }
        says(await robot.send('POST', '/wallets', wallet, action), 403, missing)
      })
      const hash = { kind: 'Hash', hash: 'ab'.repeat(32) }
      const second = (await robot.call('/keys', key)).body.id
      const action = await robot.act(`/keys/${keyId}/signatures`, hash)
      says(await robot.send('POST', `/keys/${second}/signatures`, hash, action), 403, missing)
    })
    it('who uses it twice', async () => {
      const action = await robot.act('/keys', key)
      assert.equal((await robot.send('POST', '/keys', key, action)).status, 200)
      await unchanged(async () => {
        says(
          await robot.send('POST', '/keys', key, action),
          400,
          'user action has already been used',
        )
      })
    })
    it('who uses it twice at once', async () => {
      const action = await robot.act('/keys', key)
      const both = [1, 2].map(() => robot.send('POST', '/keys', key, action))
      const statuses = (await Promise.all(both)).map(({ status }) => status).toSorted()
      assert.deepEqual(statuses, [200, 400])
    })
    it('who uses it late', async () => {
      const action = await robot.act('/keys', key)
      platform.clock.ahead = 5 * 60_000 + 1
      await unchanged(async () =>
        says(await robot.send('POST', '/keys', key, action), 403, missing),
      )
      platform.clock.ahead = 0
    })
    it('not for another spelling of the same body', async () => {
      const action = await robot.act('/keys', key)
      const spelled = '{ "curve": "ed25519", "scheme": "EdDSA" }'
      assert.equal((await robot.send('POST', '/keys', spelled, action)).status, 200)
    })
    it('nobody for whom no signer could be asked: the request stays good', async () => {
      const action = await robot.act('/keys', key)
      platform.solo.missing = ['signer-3']
      await unchanged(async () => {
        const answer = await robot.send('POST', '/keys', key, action)
        says(answer, 503)
        assert.deepEqual(answer.body.error.details, { missing: ['signer-3'] })
      })
      platform.solo.missing = []
      assert.equal((await robot.send('POST', '/keys', key, action)).status, 200)
    })
  })

  describe('at the login', () => {
    const init = (username?: string, orgId = file.orgId) =>
      admin.send('POST', '/auth/login/init', { username, orgId })
    const finish = ({ body }: Answer, by: RawClient = admin) =>
      admin.send('POST', '/auth/login', {
        challengeIdentifier: body.challengeIdentifier,
        firstFactor: by.factor(body.challenge),
      })

    it('who is nobody here', async () => {
      says(await init(file.administrator.username, 'or-1'), 401, 'User not found')
      // Nobody learns at the beginning who is there; what fails, fails at the end.
      for (const name of ['nobody@quorate.local', 'robot'])
        says(await finish(await init(name)), 401)
    })
    it('who signs with another key, or answers one challenge twice, or late', async () => {
      const { username } = file.administrator
      const thief = rawClient(platform.baseUrl, { ...file.administrator, privateKey: newKey() })
      says(await finish(await init(username), thief), 401)
      says(await finish(await init(username), robot), 401)
      const challenge = await init(username)
      assert.equal((await finish(challenge)).status, 200)
      says(await finish(challenge), 400, 'Challenge token is not valid.')
      const late = await init(username)
      platform.clock.ahead = 10 * 60_000 + 1000
      says(await finish(late), 400, 'Challenge token is not valid.')
      platform.clock.ahead = 0
    })
    it('who answers an action with a login, or a login with an action', async () => {
      const { username } = file.administrator
      const [login, action] = [await init(username), await admin.init('POST', '/keys', key)]
      const { challengeIdentifier } = login.body
      says(await admin.sign(login), 400, 'Challenge token is not valid.')
      says(await finish(action), 400, 'Challenge token is not valid.')
      const firstFactor = admin.factor(action.body.challenge)
      says(await admin.send('POST', '/auth/login', { challengeIdentifier, firstFactor }), 401)
    })
  })

  describe('when a key signs', () => {
    const hash = { kind: 'Hash', hash: 'ab'.repeat(32) }

    it('raw bytes by a wallet on a chain', async () => {
      says(await robot.call(`/wallets/${walletId}/signatures`, hash), 403)
      const { body } = await robot.send('GET', `/wallets/${walletId}/signatures`)
      assert.deepEqual(body.items, [])
    })
    it('a body that names another network', async () => {
      const message = { kind: 'Message', message: '0x00', network: 'KeyECDSA' }
      says(await robot.call(`/wallets/${walletId}/signatures`, message), 400)
    })
    it('another body under the same external id; the same body gets the same signature', async () => {
      const path = `/keys/${keyId}/signatures`
      const body = { ...hash, externalId: 'once' }
      const first = await robot.call(path, body)
      assert.equal(first.body.status, 'Signed')
      assert.deepEqual(await robot.call(path, body), first)
      const other = await robot.init('POST', path, { ...body, hash: 'cd'.repeat(32) })
      says(other, 409, 'Conflicting signature with same externalId')
      const duplicate = { id: first.body.id, externalId: 'once' }
      assert.deepEqual(other.body.error.details, { duplicate })
    })
    it('a signature of another key is not found under this one', async () => {
      const path = `/keys/${keyId}/signatures`
      const { body } = await robot.call(path, hash)
      const second = (await robot.call('/keys', key)).body.id
      says(await robot.send('GET', `/keys/${second}/signatures/${body.id}`), 404)
      assert.equal((await robot.send('GET', `${path}/${body.id}`)).status, 200)
    })
  })

  it('a wallet whose network and key do not go together, before anything is burned', async () => {
    const unknown = { network: 'Bitcoin' }
    const action = await robot.act('/wallets', unknown)
    says(await robot.send('POST', '/wallets', unknown, action), 400, 'Bitcoin is not supported yet')
    const retired = { network: 'EthereumGoerli' }
    const other = await robot.act('/wallets', retired)
    says(
      await robot.send('POST', '/wallets', retired, other),
      400,
      'EthereumGoerli is retired and takes no new wallets',
    )
    says(
      await robot.call('/wallets', { network: 'KeyEdDSA', signingKey: { scheme: 'ECDSA' } }),
      400,
    )
    const evm = { network: 'EthereumSepolia', signingKey: { id: keyId } }
    says(await robot.call('/wallets', evm), 400)
    const pseudo = { network: 'KeyEdDSA', signingKey: { id: keyId } }
    assert.equal((await robot.call('/wallets', pseudo)).status, 200)
    says(await robot.call('/wallets', pseudo), 409)
    const { body: wallet } = await robot.call('/wallets', { network: 'KeyECDSA' })
    const second = { network: 'EthereumSepolia', signingKey: { id: wallet.signingKey.id } }
    says(await robot.call('/wallets', second), 400)
  })

  it('a service account with a key that nobody should sign with', async () => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 })
    const weak = publicKey.export({ type: 'spki', format: 'pem' }).toString()
    says(await admin.call('/auth/service-accounts', { name: 'weak', publicKey: weak }), 400)
    const permissionId = 'pm-aaaaa-aaaaa-aaaaaaaaaaaaaaaa'
    const body = { name: 'odd', publicKey: publicPem(newKey()), permissionId }
    says(await admin.init('POST', '/auth/service-accounts', body), 404, 'permission not found')
  })

  it('names of service accounts are given once, also to two that come at once', async () => {
    const body = { name: 'twin', publicKey: publicPem(newKey()) }
    const both = [1, 2].map(() => admin.call('/auth/service-accounts', body))
    const statuses = (await Promise.all(both)).map(({ status }) => status).toSorted()
    assert.deepEqual(statuses, [200, 409])
    platform.solo.missing = ['signer-1', 'signer-2']
    const late = { ...body, name: 'late' }
    says(await admin.call('/auth/service-accounts', late), 503)
    platform.solo.missing = []
    assert.equal((await admin.call('/auth/service-accounts', late)).status, 200)
  })

  it('a credential that was taken away, or that nobody has confirmed yet', async () => {
    const account = await newAccount('fading', await permissionNamed('FullAdmin'))
    const client = rawClient(platform.baseUrl, account)
    const { organization, user, fingerprint } = await platform.database
      .selectFrom('credentials')
      .selectAll()
      .where('cred_id', '=', account.credId)
      .executeTakeFirstOrThrow()
    const name = recordKey(credentialTable, user, fingerprint)
    const value = await platform.solo.read(organization, (reader) =>
      reader.read(rootOf(organization), name),
    )
    assert.ok(value)
    const record = decodeRecord(credentialTable, value)
    const challenge = await client.init('POST', '/keys', key)
    for (const change of [{ status: 'inactive' }, { rank: 'unconfirmed' }] as const) {
      const changed = encodeRecord(credentialTable, { ...record, ...change })
      platform.solo.write(organization, { key: name, value: changed })
      says(await client.sign(challenge), 401)
      says(await client.init('POST', '/keys', key), 401)
    }
    platform.solo.write(organization, { key: name, value })
    assert.equal((await client.sign(challenge)).status, 200)
  })

  describe('as a founder', () => {
    const privateKey = newKey()
    const words = (change: object = {}) =>
      JSON.stringify({
        ...{ name: 'New', username: 'new@example.test', publicKey: publicPem(privateKey) },
        ...{ rootQuorum: 1, manifest: toHex(platform.solo.cluster.manifest.hash) },
        ...change,
      })
    const setup = () =>
      rawClient(platform.baseUrl, { authToken: setupToken, credId: '', privateKey })
    const started = async () => {
      const payload = words()
      const { body } = await setup().send('POST', '/orgs/init', { payload })
      const { challenge, preimage, salt } = body
      return { payload, preimage, salt, assertion: assertionFor(challenge, privateKey) }
    }
    const found = (body: object) => setup().send('POST', '/orgs', body)

    it('whose words are not well-formed, or trust another cluster', async () => {
      const init = (payload: string) => setup().send('POST', '/orgs/init', { payload })
      says(await init(words({ manifest: '00'.repeat(32) })), 400)
      says(await init(words({ rootQuorum: 2 })), 400)
      says(await init(words({ publicKey: 'none' })), 400)
      says(await init(words({ more: 1 })), 400)
      says(await init('no words'), 400)
    })
    it('who has signed with another key, or something else', async () => {
      const good = await started()
      const { challenge } = (await admin.init('POST', '/keys', key)).body
      says(await found({ ...good, assertion: assertionFor(challenge, privateKey) }), 401)
      const { clientData } = good.assertion
      const forged = { clientData, signature: toBase64url(new Uint8Array(64)) }
      says(await found({ ...good, assertion: forged }), 401)
    })
    it('who says other words than were signed, or under another salt', async () => {
      const good = await started()
      const invalid = 'Challenge token is not valid.'
      says(await found({ ...good, payload: words({ name: 'Other' }) }), 400, invalid)
      says(await found({ ...good, salt: '00'.repeat(32) }), 400, invalid)
      const { preimage } = (await admin.init('POST', '/keys', key)).body
      says(await found({ ...good, preimage }), 400, invalid)
    })
    it('who comes late; who comes in time founds one organization, however often', async () => {
      const good = await started()
      platform.clock.ahead = 10 * 60_000 + 1
      says(await found(good), 400, 'Challenge token is not valid.')
      platform.clock.ahead = 0
      const [first, second] = [await found(good), await found(good)]
      assert.equal(first.status, 200)
      assert.equal(first.body.genesis, second.body.genesis)
      const founder = rawClient(platform.baseUrl, {
        ...first.body,
        authToken: first.body.token,
        privateKey,
      })
      assert.equal((await founder.call('/keys', key)).status, 200)
    })
  })

  it('a user who was deactivated, everywhere', async () => {
    const organization = idOf(fromHex(foreign.genesis), 'organization')
    const user = idOf(fromHex(foreign.genesis), 'user')
    const { username } = foreign.administrator
    const client = rawClient(platform.baseUrl, foreign.administrator)
    const { orgId } = foreign
    const login = await client.send('POST', '/auth/login/init', { username, orgId })
    const action = await client.act('/keys', key)
    platform.solo.alter(organization, userTable, [user], { status: 'inactive' })
    const deactivated = 'User account has been deactivated.'
    says(await client.init('POST', '/keys', key), 400, deactivated)
    assert.equal((await client.send('POST', '/auth/login/init', { username, orgId })).status, 200)
    const { challengeIdentifier, challenge } = login.body
    const firstFactor = client.factor(challenge)
    const finish = { challengeIdentifier, firstFactor }
    says(await client.send('POST', '/auth/login', finish), 400, deactivated)
    says(await client.send('POST', '/keys', key, action), 401, 'Not Authorized.')
    says(await client.send('GET', '/keys'), 401, 'Not Authorized.')
  })

  async function permissionNamed(part: string): Promise<string> {
    const { body } = await admin.send('GET', '/permissions')
    const items: readonly { readonly id: string; readonly name: string }[] = body.items
    return items.find(({ name }) => name.includes(part))?.id ?? assert.fail(`no ${part}`)
  }

  async function newAccount(name: string, permissionId?: string) {
    const privateKey = newKey()
    const publicKey = publicPem(privateKey)
    const body = { name, publicKey, ...(permissionId === undefined ? {} : { permissionId }) }
    const { body: made } = await admin.call('/auth/service-accounts', body)
    const { accessToken: authToken, credId } = made.accessTokens[0]
    return { authToken, credId, privateKey } as {
      authToken: string
      credId: string
      privateKey: string
    }
  }
})

function says({ status, body }: Answer, expected: number, message?: string): void {
  assert.equal(status, expected, JSON.stringify(body))
  assert.equal(body.error.message, body.message)
  if (message !== undefined) assert.equal(body.message, message)
}

function claimsOf(token: string) {
  const [, claims = ''] = token.split('.')
  return JSON.parse(Buffer.from(claims, 'base64url').toString())['https://custom/app_metadata']
}
