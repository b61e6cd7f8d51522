import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { DfnsApiClient, DfnsAuthenticator } from '@dfns/sdk'
import { AsymmetricKeySigner } from '@dfns/sdk-keysigner'
import { encodeRecord, recordKey, settingsTable } from '@quorate/authority/records'
import { defaultSettings } from '@quorate/authority/settings'
import { newKeyCredential, type KeyCredential } from '@quorate/authority/testing/key-credential'
import { newPasskey, type Passkey } from '@quorate/authority/testing/passkey'
import { toHex } from '@quorate/core/bytes'
import { fingerprintOf } from '@quorate/authority/credential'
import { fingerprintWords } from '@quorate/core/words'
import { foundCompany, type Company } from '@quorate/server/testing/company'
import { startTestPlatform, type TestPlatform } from '@quorate/server/testing/platform'
import { rawClient } from '@quorate/server/testing/raw-client'
import { responseChecker, type CheckResponse, type SdkOperation } from './sdk-types/checker.ts'

type RegisterBody = Parameters<DfnsApiClient['auth']['register']>[0]['body']
type Brought = { readonly create: (challenge: string) => unknown }

const weekMs = 7 * 24 * 60 * 60_000

describe('people, through the official client', () => {
  let platform: TestPlatform
  let company: Company
  let check: CheckResponse
  let admin: DfnsApiClient
  let robot: DfnsApiClient

  before(async () => {
    platform = await startTestPlatform()
    company = await foundCompany(platform)
    check = await responseChecker()
    const { administrator, serviceAccount } = company
    admin = clientFor(administrator)
    robot = clientFor(serviceAccount)
    const { id: organization } = await platform.database
      .selectFrom('organizations')
      .select('id')
      .executeTakeFirstOrThrow()
    const relyingParties = [{ id: 'example.test', origins: ['https://example.test'] }]
    platform.solo.write(organization, {
      key: recordKey(settingsTable),
      value: encodeRecord(settingsTable, { ...defaultSettings, relyingParties }),
    })
  })
  after(async () => {
    await platform.close()
    assert.deepEqual(platform.unexpected, [])
  })

  const clientFor = (given: { authToken: string; credId: string; privateKey: string }) =>
    new DfnsApiClient({
      ...{ baseUrl: platform.baseUrl, orgId: company.orgId, authToken: given.authToken },
      signer: new AsymmetricKeySigner(given),
    })
  const right = <T>(operation: SdkOperation, answer: T): T => {
    assert.deepEqual(check(operation, answer), [])
    return answer
  }
  const optionsWith = (authToken?: string) => ({
    ...{ baseUrl: platform.baseUrl, orgId: company.orgId },
    ...(authToken === undefined ? {} : { authToken }),
  })
  const invite = async (email: string, body: { publicKey?: string } = {}) =>
    right(
      'auth.createUser',
      await admin.auth.createUser({ body: { email, kind: 'CustomerEmployee', ...body } }),
    )
  const mailedCode = async (email: string): Promise<string> => {
    const { values_json } = await platform.database
      .selectFrom('mails')
      .select('values_json')
      .where('recipient', '=', email)
      .orderBy('created_at', 'desc')
      .executeTakeFirstOrThrow()
    return JSON.parse(values_json ?? '').code
  }
  const begin = async (username: string) =>
    new DfnsApiClient(optionsWith()).auth.createRegistrationChallenge({
      body: { ...{ orgId: company.orgId, username }, registrationCode: await mailedCode(username) },
    })
  const finish = async (
    {
      challenge,
      temporaryAuthenticationToken,
    }: { challenge: string; temporaryAuthenticationToken: string },
    brought: { first: Brought; recovery?: Brought },
  ) => {
    const body = {
      firstFactorCredential: brought.first.create(challenge),
      ...(brought.recovery && { recoveryCredential: brought.recovery.create(challenge) }),
    } as RegisterBody
    const client = new DfnsApiClient(optionsWith(temporaryAuthenticationToken))
    return right('auth.register', await client.auth.register({ body }))
  }
  const registered = async (email: string, first: KeyCredential | Passkey = newKeyCredential()) => {
    const { userId } = await invite(email)
    await finish(await begin(email), { first })
    return { userId, email, first }
  }

  it('invites an employee, who registers with his mailed code and logs in', async () => {
    const email = 'bob@example.test'
    const user = await invite(` Bob@Example.test`)
    const { username, isRegistered, isActive, kind, credentialUuid } = user
    assert.deepEqual(
      { username, isRegistered, isActive, kind, credentialUuid },
      {
        ...{ username: email, isRegistered: false, isActive: true },
        ...{ kind: 'CustomerEmployee', credentialUuid: '' },
      },
    )
    const key = newKeyCredential()
    const { credId } = key
    const privateKey = key.key.export({ type: 'pkcs8', format: 'pem' }).toString()
    const signer = {
      sign: (challenge: Parameters<AsymmetricKeySigner['sign']>[0]) =>
        new AsymmetricKeySigner({ credId, privateKey }).sign(challenge),
      create: async (given: object) => {
        assert.ok('challenge' in given && typeof given.challenge === 'string')
        return key.create(given.challenge) as never
      },
    }
    const authenticator = new DfnsAuthenticator({ ...optionsWith(), signer })
    const registrationCode = await mailedCode(email)
    const named = { orgId: company.orgId, username: 'BOB@example.test' }
    const made = await authenticator.register({ ...named, registrationCode })
    const { credential } = made
    assert.deepEqual(made.user, { id: user.userId, username: email, orgId: company.orgId })
    assert.deepEqual([credential.kind, credential.name], ['Key', 'Default Credential'])
    const { token } = await authenticator.login({ orgId: company.orgId, username: email })
    assert.ok(token)
    const shown = right('auth.getUser', await admin.auth.getUser({ userId: user.userId }))
    assert.equal(shown.isRegistered, true)
    assert.equal(shown.credentialUuid, credential.uuid)
  })

  it('gives out a challenge with what a browser needs, and registers a passkey with a way back', async () => {
    const email = 'passkey@example.test'
    await invite(email)
    const challenge = right('auth.createRegistrationChallenge', await begin(email))
    assert.deepEqual(challenge.rp, { id: 'example.test', name: 'Example' })
    assert.deepEqual(challenge.supportedCredentialKinds.firstFactor, ['Fido2', 'Key'])
    const algorithms = challenge.pubKeyCredParams.map(({ alg }) => alg)
    assert.deepEqual(algorithms, [-7, -8, -257])
    assert.equal(challenge.attestation, 'none')
    assert.equal(challenge.authenticatorSelection.userVerification, 'required')
    const recovery = newKeyCredential({ kind: 'RecoveryKey' })
    const { credential } = await finish(challenge, { first: newPasskey(), recovery })
    assert.equal(credential.kind, 'Fido2')
  })

  it('mails a new code, and the old one is dead', async () => {
    const username = 'resend@example.test'
    await invite(username)
    const [first, client] = [await mailedCode(username), new DfnsApiClient(optionsWith())]
    const { orgId } = company
    const answer = await client.auth.resendRegistrationCode({ body: { username, orgId } })
    assert.deepEqual(right('auth.resendRegistrationCode', answer), { message: 'success' })
    const body = { orgId, username, registrationCode: first }
    await assert.rejects(client.auth.createRegistrationChallenge({ body }), { httpStatus: 403 })
    await finish(await begin(username), { first: newKeyCredential() })
  })

  it('takes no code that is a week old, and mails another', async () => {
    const username = 'late@example.test'
    await invite(username)
    const { orgId } = company
    const old = { orgId, username, registrationCode: await mailedCode(username) }
    const anybody = new DfnsApiClient(optionsWith())
    platform.clock.ahead += weekMs
    try {
      await assert.rejects(anybody.auth.createRegistrationChallenge({ body: old }), {
        httpStatus: 400,
      })
      await anybody.auth.resendRegistrationCode({ body: { username, orgId } })
      right('auth.createRegistrationChallenge', await begin(username))
    } finally {
      platform.clock.ahead -= weekMs
    }
  })

  it('lets a service account register an end user, once begun and begun again', async () => {
    const body = { email: 'eve@customers.test', kind: 'EndUser' } as const
    const register = async () =>
      right(
        'auth.createDelegatedRegistrationChallenge',
        await robot.auth.createDelegatedRegistrationChallenge({ body }),
      )
    const [begun, again] = [await register(), await register()]
    assert.equal(begun.user.id, again.user.id)
    assert.notEqual(begun.challenge, again.challenge)
    await finish(again, { first: newKeyCredential() })
    await assert.rejects(register(), { httpStatus: 401, message: 'User already exists.' })
    const shown = await admin.auth.getUser({ userId: begun.user.id })
    assert.equal(shown.kind, 'EndUser')
    const names = shown.permissionAssignments.map(({ permissionName }) => permissionName)
    assert.deepEqual(names, ['ManagedDefaultEndUserAccess'])
  })

  it('lists people by kind, page by page, without those who are archived', async () => {
    const archived = await invite('gone@example.test')
    await admin.auth.archiveUser({ userId: archived.userId })
    const all = right('auth.listUsers', await admin.auth.listUsers())
    assert.ok(all.items.every(({ userId }) => userId !== archived.userId))
    const endUsers = (await admin.auth.listUsers({ query: { kind: 'EndUser' } })).items
    assert.ok(endUsers.length > 0 && endUsers.every(({ kind }) => kind === 'EndUser'))
    const paged: string[] = []
    let paginationToken: string | undefined
    do {
      const query = { limit: 2, ...(paginationToken && { paginationToken }) }
      const page = await admin.auth.listUsers({ query })
      assert.ok(page.items.length <= 2)
      paged.push(...page.items.map(({ userId }) => userId))
      paginationToken = page.nextPageToken
    } while (paginationToken !== undefined)
    assert.deepEqual(
      paged,
      all.items.map(({ userId }) => userId),
    )
    await assert.rejects(admin.auth.listUsers({ query: { limit: 201 } }), { httpStatus: 400 })
  })

  it('updates, deactivates, activates and archives, and then the name is free', async () => {
    const email = 'life@example.test'
    const { userId } = await invite(email)
    await assert.rejects(invite(email), { httpStatus: 401, message: 'User already exists.' })
    const updated = await admin.auth.updateUser({ userId, body: { isSSORequired: true } })
    assert.equal(right('auth.updateUser', updated).isSSORequired, true)
    const off = right('auth.deactivateUser', await admin.auth.deactivateUser({ userId }))
    assert.equal(off.isActive, false)
    assert.ok('acknowledgedBy' in off && Array.isArray(off.acknowledgedBy))
    assert.equal(off.acknowledgedBy.length, 4)
    const on = right('auth.activateUser', await admin.auth.activateUser({ userId }))
    assert.equal(on.isActive, true)
    const gone = right('auth.archiveUser', await admin.auth.archiveUser({ userId }))
    assert.equal(gone.isActive, false)
    await assert.rejects(admin.auth.activateUser({ userId }), { httpStatus: 403 })
    assert.notEqual((await invite(email)).userId, userId)
  })

  it('takes nobody away by himself, and no service account for a user', async () => {
    const { administrator, serviceAccount } = company
    const self = { userId: administrator.userId }
    await assert.rejects(admin.auth.deactivateUser(self), { httpStatus: 403 })
    await assert.rejects(robot.auth.archiveUser(self), { httpStatus: 403 })
    const machine = { userId: serviceAccount.userId }
    await assert.rejects(admin.auth.getUser(machine), { httpStatus: 404 })
    await assert.rejects(admin.auth.deactivateUser(machine), { httpStatus: 404 })
  })

  it('shows what a newcomer has brought, in words to compare, and covers it', async () => {
    const { userId, first } = await registered('newcomer@example.test')
    const shown = await credentialsOf(userId)
    const fingerprint = fingerprintOf(first.spki)
    const words = [...fingerprintWords(fingerprint)]
    assert.deepEqual(
      shown.map((one) => [one.fingerprint, one.words, one.rank, one.isActive]),
      [[toHex(fingerprint), words, 'unconfirmed', true]],
    )
    await confirm(userId)
    assert.equal((await credentialsOf(userId))[0]?.rank, 'confirmed')
  })

  it('covers a newcomer also by the permission that he is given afterwards', async () => {
    const { userId, email, first } = await registered('promoted@example.test')
    const client = await loggedIn(email, first)
    const body = { email: 'friend@example.test', kind: 'CustomerEmployee' } as const
    await assert.rejects(client.auth.createUser({ body }), { httpStatus: 403 })
    const { items } = await admin.permissions.listPermissions()
    const permissionId = items.find(({ name }) => name.includes('FullAdmin'))?.id ?? assert.fail()
    await admin.permissions.createAssignment({ permissionId, body: { identityId: userId } })
    assert.equal((await credentialsOf(userId))[0]?.rank, 'confirmed')
    assert.equal((await client.auth.createUser({ body })).username, body.email)
  })

  it('lets nobody act whose permission came before his credentials', async () => {
    const email = 'shadow@example.test'
    const { userId } = await invite(email)
    const { items } = await admin.permissions.listPermissions()
    const permissionId = items.find(({ name }) => name.includes('FullAdmin'))?.id ?? assert.fail()
    await admin.permissions.createAssignment({ permissionId, body: { identityId: userId } })
    // Whoever owns the server reads the code in its own mail.
    const first = newKeyCredential()
    await finish(await begin(email), { first })
    const client = await loggedIn(email, first)
    assert.equal((await client.auth.getUser({ userId })).isRegistered, true)
    const body = { email: 'victim@example.test', kind: 'CustomerEmployee' } as const
    await assert.rejects(client.auth.createUser({ body }), { httpStatus: 401 })
    await confirm(userId)
    assert.equal((await client.auth.createUser({ body })).username, body.email)
  })

  const loggedIn = async (username: string, first: KeyCredential | Passkey) => {
    const { credId, key } = first
    const privateKey = key.export({ type: 'pkcs8', format: 'pem' }).toString()
    const signer = new AsymmetricKeySigner({ credId, privateKey })
    const authenticator = new DfnsAuthenticator({ ...optionsWith(), signer })
    const { token } = await authenticator.login({ orgId: company.orgId, username })
    return clientFor({ authToken: token ?? assert.fail(), credId, privateKey })
  }
  const credentialsOf = async (userId: string) => {
    const response = await fetch(`${platform.baseUrl}/auth/users/${userId}/credentials`, {
      headers: { authorization: `Bearer ${company.administrator.authToken}` },
    })
    assert.equal(response.status, 200)
    type Shown = { fingerprint: string; words: string[]; rank: string; isActive: boolean }
    return ((await response.json()) as { items: Shown[] }).items
  }
  const confirm = async (userId: string) => {
    const client = rawClient(platform.baseUrl, company.administrator)
    const { status, body } = await client.call(`/auth/users/${userId}/confirm`, {})
    assert.equal(status, 200, JSON.stringify(body))
  }
})
