import assert from 'node:assert/strict'
import { createHmac, createPublicKey } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { DfnsApiClient, DfnsAuthenticator, DfnsDelegatedApiClient } from '@dfns/sdk'
import type { CredentialSigner } from '@dfns/sdk'
import { AsymmetricKeySigner } from '@dfns/sdk-keysigner'
import { bootstrap, type BootstrapFile } from '@quorate/cli/bootstrap'
import { encodeRecord, recordKey, settingsTable, userTable } from '@quorate/authority/records'
import { defaultSettings, type Settings } from '@quorate/authority/settings'
import { newKeyCredential } from '@quorate/authority/testing/key-credential'
import { newPasskey } from '@quorate/authority/testing/passkey'
import { fromHex } from '@quorate/core/bytes'
import { idOf } from '@quorate/core/id'
import { rawClient } from '@quorate/server/testing/raw-client'
import { setupToken, startTestPlatform, type TestPlatform } from '@quorate/server/testing/platform'
import { SignJWT } from 'jose'
import { responseChecker, type CheckResponse } from './sdk-types/checker.ts'

let platform: TestPlatform
let file: BootstrapFile
let check: CheckResponse
let admin: DfnsApiClient
let username = ''

const keySigner = () => {
  const { credId, privateKey } = file.administrator
  return new AsymmetricKeySigner({ credId, privateKey })
}
const clientWith = (authToken: string, signer: CredentialSigner = keySigner()) =>
  new DfnsApiClient({ baseUrl: platform.baseUrl, orgId: file.orgId, authToken, signer })
const authenticator = (signer: CredentialSigner = keySigner()) =>
  new DfnsAuthenticator({ baseUrl: platform.baseUrl, signer })
const login = async (signer?: CredentialSigner, name: string | undefined = username) => {
  // Absent is what the client leaves out of its JSON; its type only forgot that.
  const asked = { orgId: file.orgId, username: (name === '' ? undefined : name) as string }
  return (await authenticator(signer).login(asked)).token
}
type Signing = { get: (challenge: string) => unknown }
const signerOf = (made: Signing) =>
  ({
    sign: async ({ challenge }: { challenge: string }) => made.get(challenge),
  }) as CredentialSigner
const statusOf = (status: number) => (error: unknown) =>
  (error as { httpStatus?: number }).httpStatus === status

function settle(changed: Partial<Settings>): void {
  const organization = idOf(fromHex(file.genesis), 'organization')
  const value = encodeRecord(settingsTable, { ...defaultSettings, relyingParties, ...changed })
  platform.solo.write(organization, { key: recordKey(settingsTable), value })
}
const relyingParties = [{ id: 'example.test', origins: ['https://example.test'] }]

before(async () => {
  platform = await startTestPlatform()
  const { baseUrl, dataDir } = platform
  file = await bootstrap({ baseUrl, dataDir, setupToken })
  username = file.administrator.username
  check = await responseChecker()
  admin = clientWith(file.administrator.authToken)
  settle({})
})
after(async () => {
  await platform.close()
  assert.deepEqual(platform.unexpected, [])
})

async function addPasskey() {
  const passkey = newPasskey({ userHandle: file.administrator.userId })
  const init = await admin.auth.createCredentialChallenge({ body: { kind: 'Fido2' } })
  assert.deepEqual(check('auth.createCredentialChallenge', init), [])
  const { challengeIdentifier } = init
  const { challenge } = init as unknown as { challenge: string }
  const body = { ...passkey.create(challenge), credentialName: 'telephone', challengeIdentifier }
  const made = await admin.auth.createCredential({ body })
  assert.deepEqual(check('auth.createCredential', made), [])
  return { passkey, made, body }
}

describe('credentials of one’s own, through the official client', () => {
  it('are added, and sign and log in from then on', async () => {
    const { passkey, made } = await addPasskey()
    assert.deepEqual(
      [made.kind, made.credentialId, made.relyingPartyId, made.origin, made.isActive],
      ['Fido2', passkey.credId, 'example.test', 'https://example.test', true],
    )
    assert.match(made.publicKey, /^-----BEGIN PUBLIC KEY-----/)
    const listed = await admin.auth.listCredentials()
    assert.deepEqual(check('auth.listCredentials', listed), [])
    assert.ok(listed.items.some(({ credentialUuid }) => credentialUuid === made.credentialUuid))
    const signer = signerOf(passkey)
    const byPasskey = clientWith(await login(signer), signer)
    const key = await byPasskey.keys.createKey({ body: { scheme: 'EdDSA', curve: 'ed25519' } })
    assert.match(key.id, /^key-/)
    assert.ok(await login(signer, ''))
  })

  it('take no challenge twice, and none of somebody else', async () => {
    const { body } = await addPasskey()
    const again = { ...newPasskey().create('x'), credentialName: 'a', challengeIdentifier: 'b' }
    await assert.rejects(admin.auth.createCredential({ body }), statusOf(403))
    await assert.rejects(admin.auth.createCredential({ body: again }), statusOf(400))
  })

  it('go off, on and away, but for the last one', async () => {
    const { passkey, made } = await addPasskey()
    const body = { credentialUuid: made.credentialUuid }
    assert.deepEqual(
      check('auth.deactivateCredential', await admin.auth.deactivateCredential({ body })),
      [],
    )
    await assert.rejects(login(signerOf(passkey)), statusOf(401))
    await admin.auth.activateCredential({ body })
    assert.ok(await login(signerOf(passkey)))
    const raw = rawClient(platform.baseUrl, file.administrator)
    const path = `/auth/credentials/${made.credentialUuid}`
    const signed = await raw.sign(await raw.init('DELETE', path, {}))
    const ended = await raw.send('DELETE', path, {}, signed.body.userAction)
    assert.equal(ended.status, 200)
    assert.ok(ended.body.acknowledgedBy.length >= 3)
    await assert.rejects(login(signerOf(passkey)), statusOf(401))
    const { items } = await admin.auth.listCredentials()
    assert.ok(!items.some(({ credentialUuid }) => credentialUuid === made.credentialUuid))
    await assert.rejects(admin.auth.activateCredential({ body }), statusOf(403))
    const unknown = { credentialUuid: 'cr-aaaaa-aaaaa-aaaaaaaaaaaaaaaa' }
    await assert.rejects(admin.auth.activateCredential({ body: unknown }), statusOf(404))
  })

  it('come from another device by a code, once, and sign nothing before they are confirmed', async () => {
    const expiration = new Date(Date.now() + 50_000).toISOString()
    const given = await admin.auth.createCredentialCode({ body: { expiration } })
    assert.deepEqual(check('auth.createCredentialCode', given), [])
    assert.match(given.code, /^[A-Z0-9]{3}-[A-Z0-9]{3}-[A-Z0-9]{3}$/)
    const device = clientWith('')
    const begin = () =>
      device.auth.createCredentialChallengeWithCode({
        body: { credentialKind: 'Fido2', code: given.code },
      })
    const [init, second] = [await begin(), await begin()]
    assert.deepEqual(check('auth.createCredentialChallengeWithCode', init), [])
    const passkey = newPasskey()
    const bodyFor = (at: typeof init) => ({
      ...passkey.create((at as unknown as { challenge: string }).challenge),
      ...{ credentialName: 'tablet', challengeIdentifier: at.challengeIdentifier },
    })
    const made = await device.auth.createCredentialWithCode({ body: bodyFor(init) })
    assert.equal((made as unknown as { rank: string }).rank, 'unconfirmed')
    await assert.rejects(
      device.auth.createCredentialWithCode({ body: bodyFor(second) }),
      statusOf(403),
    )
    await assert.rejects(begin(), statusOf(403))
    const token = await login(signerOf(passkey))
    const reader = clientWith(token, signerOf(passkey))
    assert.ok(await reader.auth.listCredentials())
    const key = { scheme: 'EdDSA', curve: 'ed25519' } as const
    await assert.rejects(reader.keys.createKey({ body: key }), statusOf(401))
    const mail = await platform.database.selectFrom('mails').select('template').execute()
    assert.ok(mail.some(({ template }) => template === 'credential-added'))
  })
})

describe('a login', () => {
  const anonymous = () => rawClient(platform.baseUrl, { credId: '', privateKey: '' })
  const init = async (name: string) =>
    (await anonymous().send('POST', '/auth/login/init', { orgId: file.orgId, username: name })).body

  it('begins for nobody as it does for somebody, every time in the same way', async () => {
    const [somebody, nobody, again] = [
      await init(username),
      await init('nobody@example.test'),
      await init(' Nobody@Example.test'),
    ]
    assert.deepEqual(Object.keys(nobody), Object.keys(somebody))
    assert.deepEqual(nobody.allowCredentials, again.allowCredentials)
    const shown = [...nobody.allowCredentials.webauthn, ...nobody.allowCredentials.key]
    assert.ok(shown.length >= 1)
    assert.notDeepEqual(
      (await init('other@example.test')).allowCredentials,
      nobody.allowCredentials,
    )
    const passkey = newPasskey()
    const answer = (credId: string, challenge: string) => {
      const { kind, credentialAssertion } = passkey.get(challenge)
      return { kind, credentialAssertion: { ...credentialAssertion, credId } }
    }
    // One of 26 whom nobody has invited seems to have no passkey.
    let absent = nobody
    for (let i = 0; absent.allowCredentials.webauthn.length === 0 && i < 20; i += 1)
      absent = await init(`absent-${i}@example.test`)
    const [known] = somebody.allowCredentials.webauthn
    const [decoy] = absent.allowCredentials.webauthn
    const answers = []
    for (const [at, { id }] of [
      [somebody, known],
      [absent, decoy],
    ]) {
      const firstFactor = answer(id, at.challenge)
      const { challengeIdentifier } = at
      answers.push(
        await anonymous().send('POST', '/auth/login', { challengeIdentifier, firstFactor }),
      )
    }
    assert.equal(answers[0]?.status, 401)
    // All but the number of the answer.
    const [one, two] = answers.map(({ status, body }) => [status, body.message])
    assert.deepEqual(one, two)
  })

  it('of one is not answered by the credential of another, nor twice', async () => {
    const { passkey } = await addPasskey()
    const started = await init('nobody@example.test')
    const firstFactor = passkey.get(started.challenge)
    const { challengeIdentifier } = started
    const wrong = await anonymous().send('POST', '/auth/login', {
      challengeIdentifier,
      firstFactor,
    })
    assert.equal(wrong.status, 401)
  })

  it('takes no factor for two, and no passkey that its authenticator keeps for another user', async () => {
    const { passkey } = await addPasskey()
    const started = await init(username)
    const { challengeIdentifier, challenge } = started
    const send = (more: object) =>
      anonymous().send('POST', '/auth/login', { challengeIdentifier, ...more })
    const firstFactor = passkey.get(challenge)
    assert.equal((await send({ firstFactor, secondFactor: firstFactor })).status, 401)
    const userHandle = Buffer.from('us-other').toString('base64url')
    const { kind, credentialAssertion } = firstFactor
    const foreign = { kind, credentialAssertion: { ...credentialAssertion, userHandle } }
    assert.equal((await send({ firstFactor: foreign })).status, 401)
    assert.equal((await send({ firstFactor })).status, 200)
  })

  it('is over when a recovery has moved on from the credentials it began with', async () => {
    const token = await login()
    const organization = idOf(fromHex(file.genesis), 'organization')
    const user = idOf(fromHex(file.genesis), 'user')
    platform.solo.alter(organization, userTable, [user], { generation: 1 })
    await assert.rejects(asked(token), statusOf(401))
    platform.solo.alter(organization, userTable, [user], { generation: 0 })
    await asked(token)
  })

  it('is no action, and an action no login', async () => {
    const { passkey } = await addPasskey()
    const raw = rawClient(platform.baseUrl, file.administrator)
    const action = (await raw.init('POST', '/keys', { scheme: 'EdDSA', curve: 'ed25519' })).body
    const asLogin = await anonymous().send('POST', '/auth/login', {
      challengeIdentifier: action.challengeIdentifier,
      firstFactor: passkey.get(action.challenge),
    })
    assert.deepEqual([asLogin.status, asLogin.body.message], [400, 'Challenge token is not valid.'])
    const started = await init(username)
    const { challengeIdentifier } = started
    const firstFactor = passkey.get(started.challenge)
    const asAction = await raw.send('POST', '/auth/action', { challengeIdentifier, firstFactor })
    assert.deepEqual(
      [asAction.status, asAction.body.message],
      [400, 'Challenge token is not valid.'],
    )
    const adding = await admin.auth.createCredentialChallenge({ body: { kind: 'Fido2' } })
    const third = await anonymous().send('POST', '/auth/login', {
      challengeIdentifier: adding.challengeIdentifier,
      firstFactor: passkey.get((adding as unknown as { challenge: string }).challenge),
    })
    assert.equal(third.status, 400)
  })

  it('ends with its logout, or with all of them', async () => {
    const [one, two, three] = [await login(), await login(), await login()]
    const reads = (token: string) => clientWith(token).auth.listCredentials()
    await clientWith(one).auth.logout()
    await assert.rejects(reads(one), statusOf(401))
    await reads(two)
    await clientWith(two).auth.logout({ body: { allSessions: true } })
    await assert.rejects(reads(two), statusOf(401))
    await assert.rejects(reads(three), statusOf(401))
    file = { ...file, administrator: { ...file.administrator, authToken: await login() } }
    admin = clientWith(file.administrator.authToken)
  })

  it('lives no longer by being exchanged', async () => {
    const raw = (authToken: string) =>
      rawClient(platform.baseUrl, { ...file.administrator, authToken })
    const first = await login()
    const hourMs = 60 * 60_000
    platform.clock.ahead = 5 * hourMs
    const target = file.orgId
    const { token } = (await raw(first).send('POST', '/auth/tokens', { target })).body
    assert.equal((await raw(token).send('GET', '/auth/credentials')).status, 200)
    platform.clock.ahead = 6 * hourMs + 1000
    const again = await raw(token).send('POST', '/auth/tokens', { target })
    platform.clock.ahead = 0
    assert.equal(again.status, 401)
  })

  it('is forged with no algorithm, the public key as a secret, another key or audience', async () => {
    const token = file.administrator.authToken
    const [, claims = ''] = token.split('.')
    const payload = JSON.parse(Buffer.from(claims, 'base64url').toString())
    const [{ x }] = (await anonymous().send('GET', '/.well-known/jwks.json')).body.keys
    const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const hs256 = (secret: Buffer) => {
      const body = `${encoded({ alg: 'HS256', typ: 'JWT' })}.${claims}`
      return `${body}.${createHmac('sha256', secret).update(body).digest('base64url')}`
    }
    const pem = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
    const spki = pem.export({ type: 'spki', format: 'pem' })
    const stranger = newKeyCredential().key
    const forged = [
      `${encoded({ alg: 'none' })}.${claims}.`,
      hs256(Buffer.from(x, 'base64url')),
      hs256(Buffer.from(String(spki))),
      await new SignJWT(payload).setProtectedHeader({ alg: 'EdDSA' }).sign(stranger),
      (await init(username)).challengeIdentifier,
    ]
    for (const bad of forged) await assert.rejects(asked(bad), statusOf(401))
  })
  const asked = async (authToken: string) => {
    const raw = rawClient(platform.baseUrl, { ...file.administrator, authToken })
    const { status } = await raw.send('GET', '/auth/credentials')
    if (status !== 200) throw Object.assign(new Error(), { httpStatus: status })
  }
})

describe('an action', () => {
  it('has its second factor in the log', async () => {
    const { passkey } = await addPasskey()
    const raw = rawClient(platform.baseUrl, file.administrator)
    const key = { scheme: 'EdDSA', curve: 'ed25519' }
    const { body } = await raw.init('POST', '/keys', key)
    const factors = (secondFactor: unknown) => ({
      challengeIdentifier: body.challengeIdentifier,
      firstFactor: raw.factor(body.challenge),
      secondFactor,
    })
    const twice = await raw.send('POST', '/auth/action', factors(raw.factor(body.challenge)))
    assert.equal(twice.status, 401)
    const wrong = await raw.send('POST', '/auth/action', factors(newPasskey().get(body.challenge)))
    assert.equal(wrong.status, 401)
    const signed = await raw.send('POST', '/auth/action', factors(passkey.get(body.challenge)))
    assert.equal(signed.status, 200)
    assert.equal((await raw.send('POST', '/keys', key, signed.body.userAction)).status, 200)
  })
})

describe('delegated login', () => {
  it('gives an end user’s session to a service account, and no other user’s', async () => {
    const robot = rawClient(platform.baseUrl, file.serviceAccount)
    const email = 'customer@example.test'
    const begun = await robot.call('/auth/registration/delegated', { email, kind: 'EndUser' })
    assert.equal(begun.status, 200, JSON.stringify(begun.body))
    const account = clientWith(
      file.serviceAccount.authToken,
      new AsymmetricKeySigner(file.serviceAccount),
    )
    const { token } = await account.auth.delegatedLogin({ body: { username: email } })
    const { baseUrl } = platform
    const delegated = new DfnsDelegatedApiClient({ baseUrl, authToken: token })
    assert.equal((await delegated.auth.listCredentials()).items.length, 0)
    // Nobody but he himself signs for him, and he has no credential yet.
    const asHim = rawClient(baseUrl, { ...file.serviceAccount, authToken: token })
    const body = { kind: 'Hash', hash: 'ab'.repeat(32) }
    const kind = 'Key'
    const his = (await asHim.send('POST', '/auth/credentials/init', { kind })).body
    const { challengeIdentifier, challenge } = his
    const mine = {
      ...{ ...newKeyCredential().create(challenge), credentialName: 'taken', challengeIdentifier },
    }
    const taken = await rawClient(baseUrl, file.administrator).call('/auth/credentials', mine)
    assert.deepEqual([taken.status, taken.body.message], [400, 'Challenge token is not valid.'])
    assert.equal((await asHim.init('POST', '/auth/credentials', body)).status, 400)
    await assert.rejects(account.auth.delegatedLogin({ body: { username } }), (error) =>
      statusOf(401)(error),
    )
  })
})

describe('what proves nothing to a signer', () => {
  const add = async (raw: ReturnType<typeof rawClient>, kind: string, info: object) => {
    const begun = (await raw.send('POST', '/auth/credentials/init', { kind })).body
    const { challengeIdentifier, otpUrl } = begun
    const secret = otpUrl === undefined ? undefined : secretIn(otpUrl)
    const otpCode = secret === undefined ? '' : codeOf(secret, 0)
    const credentialInfo = secret === undefined ? info : { otpCode }
    const body = { credentialKind: kind, credentialInfo, credentialName: kind, challengeIdentifier }
    const action = await raw.act('/auth/credentials', body)
    const kept = await platform.database
      .selectFrom('challenges')
      .select('payload')
      .orderBy('issued_at', 'desc')
      .executeTakeFirstOrThrow()
    assert.equal(kept.payload, null)
    const other = { ...body, credentialName: 'swapped' }
    const swapped = await raw.send('POST', '/auth/credentials', other, action)
    assert.equal(swapped.status, 403)
    const made = await raw.send('POST', '/auth/credentials', body, action)
    assert.equal(made.status, 200, JSON.stringify(made.body))
    return { secret: secret ?? new Uint8Array(), otpCode, made: made.body }
  }
  const codeOf = (secret: Uint8Array, ahead: number) =>
    otp(secret, Math.floor((Date.now() + platform.clock.ahead) / 30_000) + ahead)

  it('lets in with both of its factors, once, and signs no action', async () => {
    const raw = rawClient(platform.baseUrl, file.administrator)
    const password = 'a password of a test'
    const off = await raw.send('POST', '/auth/credentials/init', { kind: 'Password' })
    assert.equal(off.status, 400)
    settle({ passwords: 'on' })
    await add(raw, 'Password', { password })
    const { secret, otpCode: used, made } = await add(raw, 'Totp', {})
    const begin = async () =>
      (await raw.send('POST', '/auth/login/init', { orgId: file.orgId, username })).body
    const enter = async (first: string, otpCode?: string) => {
      const { challengeIdentifier, supportedCredentialKinds } = await begin()
      assert.ok(
        supportedCredentialKinds.some(
          (one: { kind: string; requiresSecondFactor: boolean }) =>
            one.kind === 'Password' && one.requiresSecondFactor,
        ),
      )
      const firstFactor = { kind: 'Password', password: first }
      const second = otpCode === undefined ? {} : { secondFactor: { kind: 'Totp', otpCode } }
      const given = { challengeIdentifier, firstFactor, ...second }
      return raw.send('POST', '/auth/login', given)
    }
    assert.equal((await enter(password)).status, 401)
    assert.equal((await enter('another', codeOf(secret, 1))).status, 401)
    // The code with which it was added is used up.
    assert.equal((await enter(password, used)).status, 401)
    // Whatever half minute it is by now, this is the same code again.
    const next = codeOf(secret, 1)
    const inside = await enter(password, next)
    assert.equal(inside.status, 200, JSON.stringify(inside.body))
    assert.equal((await enter(password, next)).status, 401)
    const action = (await raw.init('POST', '/keys', { scheme: 'EdDSA', curve: 'ed25519' })).body
    const { challengeIdentifier } = action
    const firstFactor = { kind: 'Password', password }
    const acting = await raw.send('POST', '/auth/action', { challengeIdentifier, firstFactor })
    assert.equal(acting.status, 401)
    await endsLocal(raw, made.credentialUuid)
    settle({})
    assert.equal((await enterOff(begin, raw, password)).status, 401)
  })

  const endsLocal = async (raw: ReturnType<typeof rawClient>, uuid: string) => {
    const path = `/auth/credentials/${uuid}`
    const signed = await raw.sign(await raw.init('DELETE', path, {}))
    assert.equal((await raw.send('DELETE', path, {}, signed.body.userAction)).status, 200)
    const { items } = (await raw.send('GET', '/auth/credentials')).body
    assert.ok(!items.some((one: { credentialUuid: string }) => one.credentialUuid === uuid))
  }
  const enterOff = async (
    begin: () => Promise<{ challengeIdentifier: string }>,
    raw: ReturnType<typeof rawClient>,
    password: string,
  ) => {
    const { challengeIdentifier } = await begin()
    const firstFactor = { kind: 'Password', password }
    return raw.send('POST', '/auth/login', { challengeIdentifier, firstFactor })
  }

  it('keeps its secrets hashed and sealed', async () => {
    const rows = await platform.database.selectFrom('local_credentials').select('secret').execute()
    for (const { secret } of rows)
      assert.ok(!Buffer.from(secret).includes(Buffer.from('a password of a test')))
    assert.ok(rows.length > 0)
  })
})

describe('a key under a password', () => {
  it('is shown to whoever reads its owner’s mail, and signs where that is wanted', async () => {
    settle({ passwordProtectedKeys: 'on' })
    const raw = rawClient(platform.baseUrl, file.administrator)
    const made = newKeyCredential({ kind: 'PasswordProtectedKey' })
    const kind = 'PasswordProtectedKey'
    const begun = (await raw.send('POST', '/auth/credentials/init', { kind })).body
    const { challengeIdentifier, challenge } = begun
    const body = {
      ...made.create(challenge),
      ...{ challengeIdentifier, credentialName: 'paper', encryptedPrivateKey: 'sealed' },
    }
    assert.equal((await raw.call('/auth/credentials', body)).status, 200)
    const who = { orgId: file.orgId, username }
    const init = (more: object) => raw.send('POST', '/auth/login/init', { ...who, ...more })
    assert.equal((await init({})).body.allowCredentials.passwordProtectedKey, undefined)
    const refused = await init({ loginCode: '0000-0000-0000-0000' })
    assert.deepEqual([refused.status, refused.body.message], [403, 'Invalid code'])
    assert.equal((await raw.send('POST', '/auth/login/code', who)).body.message, 'success')
    const stranger = { ...who, username: 'nobody@example.test' }
    assert.equal((await raw.send('POST', '/auth/login/code', stranger)).body.message, 'success')
    const mails = await platform.database
      .selectFrom('mails')
      .select('values_json')
      .where('template', '=', 'login-code')
      .execute()
    assert.equal(mails.length, 1)
    const { code: loginCode } = JSON.parse(mails[0]?.values_json ?? '')
    const shown = (await init({ loginCode })).body
    const handle = { type: 'public-key', id: made.credId, encryptedPrivateKey: 'sealed' }
    assert.deepEqual(shown.allowCredentials.passwordProtectedKey, [handle])
    const given = { challengeIdentifier: shown.challengeIdentifier }
    const firstFactor = made.get(shown.challenge)
    assert.equal((await raw.send('POST', '/auth/login', { ...given, firstFactor })).status, 200)
    const key = { scheme: 'EdDSA', curve: 'ed25519' }
    const action = (await raw.init('POST', '/keys', key)).body
    assert.deepEqual(action.allowCredentials.passwordProtectedKey, [handle])
    const signed = await raw.send('POST', '/auth/action', {
      challengeIdentifier: action.challengeIdentifier,
      firstFactor: made.get(action.challenge),
    })
    assert.equal((await raw.send('POST', '/keys', key, signed.body.userAction)).status, 200)
    settle({})
    const later = (await raw.init('POST', '/keys', key)).body
    assert.equal(later.allowCredentials.passwordProtectedKey, undefined)
  })
})

describe('an employee who has to come by single sign-on', () => {
  it('is told where from, and gets no session for his key', async () => {
    const { userId } = file.administrator
    const organization = idOf(fromHex(file.genesis), 'organization')
    const user = idOf(fromHex(file.genesis), 'user')
    const issuers = [
      {
        ...{ use: 'sso' as const, issuer: 'https://login.example.test', clientIds: ['client-7'] },
        redirectUris: ['https://example.test/'],
      },
    ]
    const answer = async () => {
      const anybody = new DfnsApiClient({ baseUrl: platform.baseUrl, orgId: file.orgId })
      const begun = await anybody.auth.createLoginChallenge({
        body: { username, orgId: file.orgId },
      })
      const { challengeIdentifier, rp } = begun
      assert.ok(rp)
      const allowCredentials = { ...begun.allowCredentials, passwordProtectedKey: [] }
      const firstFactor = await keySigner().sign({ ...begun, rp, allowCredentials })
      return anybody.auth.login({ body: { challengeIdentifier, firstFactor } })
    }
    platform.solo.alter(organization, userTable, [user], { ssoRequired: 'yes' })
    settle({ issuers })
    try {
      const told = await answer()
      assert.deepEqual(check('auth.login', told), [])
      assert.deepEqual(told, { ssoClientId: 'client-7' })
      assert.equal((await admin.auth.getUser({ userId })).isSSORequired, true)
    } finally {
      platform.solo.alter(organization, userTable, [user], { ssoRequired: 'no' })
      settle({})
    }
    assert.ok('token' in (await answer()))
  })
})

describe('applications', () => {
  it('are none: a list of nothing, and one that is not found', async () => {
    const listed = await admin.auth.listApplications()
    assert.deepEqual(check('auth.listApplications', listed), [])
    assert.deepEqual(listed, { items: [] })
    await assert.rejects(admin.auth.getApplication({ appId: 'ap-none' }), statusOf(404))
    const stranger = rawClient(platform.baseUrl, { credId: '', privateKey: '' })
    assert.equal((await stranger.send('GET', '/auth/apps')).status, 401)
  })
})

/** RFC 4648, section 6. */
function secretIn(otpUrl: string): Uint8Array {
  const text = new URL(otpUrl).searchParams.get('secret') ?? ''
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
  const bits = [...text].map((digit) => alphabet.indexOf(digit).toString(2).padStart(5, '0'))
  const bytes = bits.join('').match(/.{8}/g) ?? []
  return Uint8Array.from(bytes, (byte) => Number.parseInt(byte, 2))
}

/** RFC 4226, section 5.3, as an authenticator app works it out. */
function otp(secret: Uint8Array, counter: number): string {
  const message = Buffer.alloc(8)
  message.writeUInt32BE(counter, 4)
  const mac = createHmac('sha1', secret).update(message).digest()
  const at = mac.readUInt8(19) & 15
  return String((mac.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, '0')
}
