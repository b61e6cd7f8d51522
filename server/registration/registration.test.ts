import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { fromBase64url, toBase64url, toUtf8 } from '@quorate/core/bytes'
import { sha256 } from '@quorate/core/hash'
import { operations } from '@quorate/authority/operations'
import { userTable } from '@quorate/authority/records'
import { commitTo, completionHash, decodePreimage, requestHash } from '@quorate/authority/request'
import { newKeyCredential } from '@quorate/authority/testing/key-credential'
import { authenticateWith } from '../auth/authenticate.ts'
import { readRoot } from '../auth/log.ts'
import { newcomerMs } from '../auth/newcomer.ts'
import { applyRoots } from '../orgs/apply.ts'
import { foundCompany, newKey, publicPem, type Company } from '../testing/company.ts'
import { setupToken, startTestPlatform, type TestPlatform } from '../testing/platform.ts'
import { assertionFor, rawClient, type Answer, type RawClient } from '../testing/raw-client.ts'
import { register } from './register.ts'

let platform: TestPlatform
let company: Company
let admin: RawClient
let robot: RawClient
let nobody: RawClient
before(async () => {
  platform = await startTestPlatform()
  company = await foundCompany(platform)
  admin = rawClient(platform.baseUrl, company.administrator)
  robot = rawClient(platform.baseUrl, company.serviceAccount)
  nobody = rawClient(platform.baseUrl, { credId: '', privateKey: newKey() })
})
after(async () => {
  const { differences } = await platform.rebuild()
  await platform.close()
  assert.deepEqual(differences, [])
  assert.deepEqual(platform.unexpected, [])
})

const path = '/auth/registration'
let count = 0
const freshEmail = () => `person-${++count}@example.test`

async function invite(email = freshEmail(), body: object = {}) {
  const made = await admin.call('/auth/users', { email, kind: 'CustomerEmployee', ...body })
  assert.equal(made.status, 200, JSON.stringify(made.body))
  return { email, userId: String(made.body.userId) }
}
async function codeOf(email: string): Promise<string> {
  const { values_json } = await platform.database
    .selectFrom('mails')
    .select('values_json')
    .where('recipient', '=', email)
    .orderBy('created_at', 'desc')
    .executeTakeFirstOrThrow()
  return JSON.parse(values_json ?? '').code
}
function init(username: string, registrationCode: string, orgId = company.orgId): Promise<Answer> {
  return nobody.send('POST', `${path}/init`, { orgId, username, registrationCode })
}
async function begin(email: string) {
  const begun = await init(email, await codeOf(email))
  assert.equal(begun.status, 200, JSON.stringify(begun.body))
  return begun.body
}
function bearing(authToken: string): RawClient {
  return rawClient(platform.baseUrl, { authToken, credId: '', privateKey: newKey() })
}
function bodyFor(challenge: string, first = newKeyCredential()) {
  return { firstFactorCredential: first.create(challenge) }
}
async function finish(begun: { challenge: string; temporaryAuthenticationToken: string }) {
  const client = bearing(begun.temporaryAuthenticationToken)
  return client.send('POST', path, bodyFor(begun.challenge))
}
const enrolling = (email: string) => ({ email, kind: 'EndUser' })

describe('an invitation', () => {
  it('can be answered again and again until its way is gone to the end, and then never', async () => {
    const { email } = await invite()
    await begin(email)
    const begun = await begin(email)
    const code = await codeOf(email)
    assert.equal((await finish(begun)).status, 200)
    assert.equal((await init(email, code)).status, 403)
  })

  it('ends with a week, and says so to whoever had the right code', async () => {
    const { email } = await invite()
    const code = await codeOf(email)
    const weekMs = 7 * 24 * 60 * 60_000
    platform.clock.ahead += weekMs
    const late = await init(email, code)
    platform.clock.ahead -= weekMs
    assert.deepEqual([late.status, late.body.message], [400, 'Registration code expired'])
  })

  it('goes to a mail address and to no other word', async () => {
    for (const email of ['bob', 'bob@', 'a@b.test, c@d.test', 'a@b.test\nBcc: c@d.test']) {
      const body = { email, kind: 'CustomerEmployee' }
      assert.equal((await admin.call('/auth/users', body)).status, 400, email)
    }
    const body = { email: freshEmail(), kind: 'CustomerEmployee', admin: true }
    assert.equal((await admin.init('POST', '/auth/users', body)).status, 400)
  })

  it('is no longer good when its user is deactivated, or archived', async () => {
    const { email, userId } = await invite()
    const begun = await begin(email)
    const code = await codeOf(email)
    const set = async (verb: string) => {
      const signed = await admin.sign(await admin.init('PUT', `/auth/users/${userId}/${verb}`, {}))
      const { userAction } = signed.body
      return admin.send('PUT', `/auth/users/${userId}/${verb}`, {}, userAction)
    }
    assert.equal((await set('deactivate')).status, 200)
    assert.equal((await init(email, code)).status, 403)
    assert.equal((await finish(begun)).status, 401)
    assert.equal((await set('activate')).status, 200)
    assert.equal((await finish(begun)).status, 200)
  })
})

describe('whoever asks about a name', () => {
  it('hears the same whether somebody bears it or not', async () => {
    const { email } = await invite()
    const done = await invite()
    assert.equal((await finish(await begin(done.email))).status, 200)
    const wrong = '0000-0000-0000-0000'
    const answers = new Set<string>()
    for (const username of [
      email,
      done.email,
      'nobody@example.test',
      company.administrator.username,
    ])
      for (const orgId of [company.orgId, 'or-aaaaa-aaaaa-aaaaaaaaaaaaaaaa']) {
        const begun = performance.now()
        const resent = await nobody.send('PUT', `${path}/code`, { username, orgId })
        const { status, body } = await init(username, wrong, orgId)
        const said = { resent: [resent.status, resent.body], init: [status, body.message] }
        answers.add(JSON.stringify(said))
        assert.ok(performance.now() - begun >= 480, 'no answer comes early')
      }
    assert.equal(answers.size, 1, [...answers].join('\n'))
    assert.match([...answers].join(), /200.*success.*403.*Invalid code/)
  })

  it('is stopped after a few tries, whoever it is', async () => {
    const { email } = await invite()
    for (const username of [email, 'no-one@example.test']) {
      const tries = Array.from({ length: 10 }, () => init(username, '0000-0000-0000-0000'))
      for (const { status } of await Promise.all(tries)) assert.equal(status, 403)
      const { status, body } = await init(username, '0000-0000-0000-0000')
      assert.equal(status, 429)
      assert.ok(body.error.details.retryAfterSeconds > 0)
    }
  })
})

describe('a temporary token', () => {
  it('is good for the end of its one way and for nothing else', async () => {
    const { email, userId } = await invite()
    const { temporaryAuthenticationToken: token, challenge } = await begin(email)
    const client = bearing(token)
    const elsewhere = Object.values(operations).filter(
      ({ callers }) => callers.length > 0 && !callers.includes('newcomer'),
    )
    for (const { method, path: pattern } of elsewhere) {
      const asked = pattern.replace(/:[A-Za-z]+/g, userId)
      const { status } = await client.send(method, asked, method === 'GET' ? undefined : {})
      assert.ok(status === 401 || status === 404, `${method} ${pattern} ${status}`)
    }
    const recovering = await client.send('POST', '/auth/recover/user', {})
    assert.ok(recovering.status >= 400)
    const body = { ...bodyFor(challenge), wallets: [] }
    const asEndUser = await client.send('POST', `${path}/enduser`, body)
    assert.equal(asEndUser.status, 401)
  })

  it('is the only one that is good there', async () => {
    const { email } = await invite()
    const { challenge } = await begin(email)
    for (const { authToken } of [company.administrator, company.serviceAccount]) {
      const client = bearing(authToken)
      assert.equal((await client.send('POST', path, bodyFor(challenge))).status, 401)
    }
    assert.equal((await nobody.send('POST', path, bodyFor(challenge))).status, 401)
  })

  it('is good once', async () => {
    const begun = await begin((await invite()).email)
    assert.deepEqual(
      (await Promise.all([finish(begun), finish(begun)])).map(({ status }) => status).toSorted(),
      [200, 401],
    )
  })

  it('is good for a quarter of an hour', async () => {
    const begun = await begin((await invite()).email)
    platform.clock.ahead += newcomerMs
    assert.equal((await finish(begun)).status, 401)
    platform.clock.ahead -= newcomerMs
  })

  it('is good again after signers could not be asked', async () => {
    const begun = await begin((await invite()).email)
    platform.solo.missing = ['signer-1', 'signer-2']
    assert.equal((await finish(begun)).status, 503)
    platform.solo.missing = []
    assert.equal((await finish(begun)).status, 200)
  })

  it('says in its claims what official clients look for', async () => {
    const { temporaryAuthenticationToken: token, user } = await begin((await invite()).email)
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
    const { orgId, userId, tokenKind } = claims['https://custom/app_metadata']
    assert.deepEqual([orgId, userId, tokenKind], [company.orgId, user.id, 'Temp'])
    assert.equal(claims.exp - claims.iat, newcomerMs / 1000)
  })
})

describe('the challenge of a registration', () => {
  it('is the hash of a pre-image over nothing, for this user and this purpose', async () => {
    const { email } = await invite()
    const { challenge, preimage: text, salt, user } = await begin(email)
    const encoded = fromBase64url(text)
    assert.equal(challenge, toBase64url(requestHash(encoded)))
    const preimage = decodePreimage(encoded)
    const { payload } = commitTo('', Buffer.from(salt, 'hex'))
    assert.deepEqual(
      [preimage.purpose, preimage.path, preimage.payload],
      ['register', path, payload],
    )
    assert.equal(user.name, email)
  })

  it('is signed by what is handed in, or nothing is registered', async () => {
    const [begun, other] = [
      await begin((await invite()).email),
      await begin((await invite()).email),
    ]
    const client = bearing(begun.temporaryAuthenticationToken)
    const { status, body } = await client.send('POST', path, bodyFor(other.challenge))
    assert.equal(status, 403)
    assert.match(body.message, /not made for this challenge/)
  })

  it('takes no credential whose id another has, no password alone and no foreign member', async () => {
    const used = newKeyCredential()
    const first = await begin((await invite()).email)
    const client = bearing(first.temporaryAuthenticationToken)
    assert.equal((await client.send('POST', path, bodyFor(first.challenge, used))).status, 200)
    const { challenge, temporaryAuthenticationToken } = await begin((await invite()).email)
    const again = bearing(temporaryAuthenticationToken)
    const credentialInfo = { password: 'long enough for anybody' }
    const bodies = [
      bodyFor(challenge, used),
      { firstFactorCredential: { credentialKind: 'Password', credentialInfo } },
      { ...bodyFor(challenge), rank: 'confirmed' },
      {},
    ]
    for (const body of bodies) assert.equal((await again.send('POST', path, body)).status, 400)
    assert.equal((await again.send('POST', path, bodyFor(challenge))).status, 200)
  })
})

describe('a pinned key', () => {
  it('signs the whole enrolment where user actions come, and what it brings is confirmed', async () => {
    const pin = newKey()
    const { email, userId } = await invite(freshEmail(), { publicKey: publicPem(pin) })
    const unsigned = await begin(email)
    assert.match((await finish(unsigned)).body.message, /pinned key has not signed/)
    const { challenge, preimage, temporaryAuthenticationToken: token } = await begin(email)
    const body = JSON.stringify(bodyFor(challenge))
    const named = completionHash(requestHash(fromBase64url(preimage)), sha256(toUtf8(body)))
    const word = toBase64url(toUtf8(JSON.stringify(assertionFor(toBase64url(named), pin))))
    const { status } = await bearing(token).send('POST', path, body, word)
    assert.equal(status, 200)
    assert.equal(await rankOf(userId), 'confirmed')
  })

  it('is wanted from nobody who was invited without one, and refused where it is nonsense', async () => {
    for (const word of ['e30', '!', toBase64url(toUtf8('{"clientData":"x","signature":"y"}'))]) {
      const { challenge, temporaryAuthenticationToken: token } = await begin((await invite()).email)
      const { status } = await bearing(token).send('POST', path, bodyFor(challenge), word)
      assert.ok(status === 400 || status === 403, `${word} ${status}`)
    }
  })
})

async function rankOf(userId: string): Promise<string> {
  const shown = await admin.send('GET', `/auth/users/${userId}/credentials`)
  return shown.body.items[0].rank
}

describe('an end user', () => {
  it('is registered by a service account with its permission, and by nobody else', async () => {
    const body = enrolling(freshEmail())
    assert.equal((await admin.init('POST', `${path}/delegated`, body)).status, 403)
    assert.equal((await nobody.send('POST', `${path}/delegated`, body)).status, 401)
    assert.equal((await robot.send('POST', `${path}/delegated`, body)).status, 403)
    const made = await robot.call(`${path}/delegated`, body)
    assert.equal(made.status, 200)
    assert.equal((await finish(made.body)).status, 200)
  })

  it('begins again by both paths until he is registered', async () => {
    const body = enrolling(freshEmail())
    const missing = await robot.call(`${path}/delegated/restart`, body)
    assert.equal(missing.status, 401)
    const made = await robot.call(`${path}/delegated`, body)
    const again = await robot.call(`${path}/delegated/restart`, body)
    assert.equal(again.body.user.id, made.body.user.id)
    assert.equal((await finish(again.body)).status, 200)
    for (const way of ['delegated', 'delegated/restart'])
      assert.equal((await robot.call(`${path}/${way}`, body)).status, 401)
  })

  it('is logged in by a registration of his own kind', async () => {
    const begun = (await robot.call(`${path}/delegated`, enrolling(freshEmail()))).body
    const client = bearing(begun.temporaryAuthenticationToken)
    const body = { ...bodyFor(begun.challenge), wallets: [] }
    const made = await client.send('POST', `${path}/enduser`, body)
    assert.equal(made.status, 200, JSON.stringify(made.body))
    assert.deepEqual(made.body.wallets, [])
    const his = bearing(made.body.authentication.token)
    assert.equal((await his.send('GET', '/wallets')).status, 200)
    assert.equal((await his.send('GET', '/auth/users')).status, 403)
  })

  it('may bear the name of an employee, who is somebody else', async () => {
    const { email, userId } = await invite()
    const made = await robot.call(`${path}/delegated`, enrolling(email))
    assert.equal(made.status, 200)
    assert.notEqual(made.body.user.id, userId)
  })
})

describe('two who want one name at once', () => {
  it('get one user', async () => {
    const body = { email: freshEmail(), kind: 'CustomerEmployee' }
    const actions = [await admin.act('/auth/users', body), await admin.act('/auth/users', body)]
    const made = await Promise.all(
      actions.map((action) => admin.send('POST', '/auth/users', body, action)),
    )
    assert.deepEqual(made.map(({ status }) => status).toSorted(), [200, 401])
  })

  it('leave it free when signers refuse the one who had it', async () => {
    const body = { email: freshEmail(), kind: 'CustomerEmployee' }
    const action = await admin.act('/auth/users', body)
    platform.solo.missing = ['signer-1', 'signer-2']
    assert.equal((await admin.send('POST', '/auth/users', body, action)).status, 503)
    platform.solo.missing = []
    assert.equal((await admin.call('/auth/users', body)).status, 200)
  })
})

/** Who may hand in what was brought to a challenge, as the routes have it. */
async function callerBy(token: string, name: 'auth.register' | 'auth.registerEndUser') {
  return authenticateWith({ ...platform.deps, setupToken })({
    ...{ name, operation: operations[name] },
    authorization: `Bearer ${token}`,
  })
}
const killed = new Error('killed')
type Settle = TestPlatform['solo']['settle']
/** The platform's own, but for the moment at which its server dies. */
function dying(settle: Settle) {
  const { deps, solo } = platform
  return { ...deps, log: { read: solo.read, settle } }
}

describe('a server that dies', () => {
  it('between agreement and its rows has registered whom it did at its next start', async () => {
    const { email, userId } = await invite()
    const { challenge, temporaryAuthenticationToken: token } = await begin(email)
    const { solo, database } = platform
    const caller = await callerBy(token, 'auth.register')
    const deps = dying(async (ask) => {
      await solo.settle(ask)
      throw killed
    })
    const body = JSON.stringify(bodyFor(challenge))
    const raw = { method: 'POST', url: path, body, userAction: undefined }
    await assert.rejects(register(deps, caller, raw), killed)
    const shown = () => admin.send('GET', `/auth/users/${userId}/credentials`)
    assert.deepEqual((await shown()).body.items, [])
    await applyRoots(database, assert.fail)
    assert.equal((await shown()).body.items.length, 1)
    const isRegistered = await readRoot(solo, caller.organization, ({ find }) => {
      return find(userTable, caller.user)?.registered
    })
    assert.equal(isRegistered, 'yes')
    assert.equal((await init(email, await codeOf(email))).status, 403)
  })

  it('before agreement is asked once more for the very same, and for nothing else', async () => {
    const { challenge, temporaryAuthenticationToken: token } = await begin((await invite()).email)
    const caller = await callerBy(token, 'auth.register')
    const body = JSON.stringify(bodyFor(challenge))
    const raw = { method: 'POST', url: path, body, userAction: undefined }
    const deps = dying(() => Promise.reject(killed))
    await assert.rejects(register(deps, caller, raw), killed)
    const client = bearing(token)
    assert.equal((await client.send('POST', path, bodyFor(challenge))).status, 401)
    assert.equal((await client.send('POST', path, body)).status, 200)
    assert.equal((await client.send('POST', path, body)).status, 401)
  })
})

describe('people of another organization', () => {
  it('are not found', async () => {
    const other = await foundCompany(platform)
    const stranger = rawClient(platform.baseUrl, other.administrator)
    const { userId } = await invite()
    for (const rest of ['', '/credentials'])
      assert.equal((await stranger.send('GET', `/auth/users/${userId}${rest}`)).status, 404)
    for (const verb of ['activate', 'deactivate'])
      assert.equal((await stranger.init('PUT', `/auth/users/${userId}/${verb}`, {})).status, 404)
    assert.equal((await stranger.init('DELETE', `/auth/users/${userId}`, {})).status, 404)
    assert.equal((await stranger.init('POST', `/auth/users/${userId}/confirm`, {})).status, 404)
  })
})
