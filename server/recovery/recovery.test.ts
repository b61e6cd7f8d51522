import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { newKeyCredential, type KeyCredential } from '@quorate/authority/testing/key-credential'
import { encodeRecord, recordKey, settingsTable } from '@quorate/authority/records'
import { defaultSettings } from '@quorate/authority/settings'
import { applyRoot } from '../orgs/apply.ts'
import { foundCompany, type Company } from '../testing/company.ts'
import { startTestPlatform, type TestPlatform } from '../testing/platform.ts'
import { rawClient, type Speaker } from '../testing/raw-client.ts'

const minuteMs = 60_000
const waitMs = 7 * 24 * 60 * minuteMs

describe('a recovery', () => {
  let platform: TestPlatform
  let company: Company
  let organization: Uint8Array
  let admin: ReturnType<typeof rawClient>
  let robot: ReturnType<typeof rawClient>
  const nobody = (authToken?: string) =>
    rawClient(platform.baseUrl, {
      ...{ credId: '', privateKey: '' },
      ...(authToken === undefined ? {} : { authToken }),
    })

  before(async () => {
    platform = await startTestPlatform()
    company = await foundCompany(platform)
    admin = rawClient(platform.baseUrl, company.administrator)
    robot = rawClient(platform.baseUrl, company.serviceAccount)
    const row = await platform.database
      .selectFrom('organizations')
      .select('id')
      .executeTakeFirstOrThrow()
    organization = row.id
  })
  after(async () => {
    await platform.close()
    assert.deepEqual(platform.unexpected, [])
  })

  function waitFor(ms: number, enrolment: 'open' | 'confirmed' = 'open'): void {
    platform.solo.write(organization, {
      key: recordKey(settingsTable),
      value: encodeRecord(settingsTable, {
        ...defaultSettings,
        enrolment: { employees: enrolment, endUsers: enrolment },
        recovery: { ...defaultSettings.recovery, waitMs: ms },
      }),
    })
  }
  const mailsTo = async (recipient: string) =>
    platform.database
      .selectFrom('mails')
      .select(['template', 'values_json', 'next_try'])
      .where('recipient', '=', recipient)
      .orderBy('created_at')
      .execute()
  const codeFor = async (recipient: string) => {
    const mails = await mailsTo(recipient)
    const last = mails.findLast(({ values_json }) => values_json?.includes('"code"'))
    return JSON.parse(last?.values_json ?? '').code
  }
  const orgId = () => company.orgId

  /** Somebody with a key and a recovery key, registered through the real endpoints. */
  async function person(username: string) {
    const email = { email: username, kind: 'CustomerEmployee' }
    assert.equal((await admin.call('/auth/users', email)).status, 200)
    const [first, recovery] = [newKeyCredential(), newKeyCredential({ kind: 'RecoveryKey' })]
    const registrationCode = await codeFor(username)
    const begun = await nobody().send('POST', '/auth/registration/init', {
      ...{ orgId: orgId(), username, registrationCode },
    })
    const { challenge, temporaryAuthenticationToken: token } = begun.body
    const done = await nobody(token).send('POST', '/auth/registration', {
      firstFactorCredential: first.create(challenge),
      recoveryCredential: { ...recovery.create(challenge), encryptedPrivateKey: 'sealed' },
    })
    assert.equal(done.status, 200, JSON.stringify(done.body))
    return { username, first, recovery }
  }
  const speaker = async (username: string, key: KeyCredential) => {
    const given: Speaker = {
      credId: key.credId,
      privateKey: key.key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    }
    const client = rawClient(platform.baseUrl, given)
    const begun = await client.send('POST', '/auth/login/init', { username, orgId: orgId() })
    if (begun.status !== 200) return begun
    const { challengeIdentifier, challenge } = begun.body
    const firstFactor = client.factor(challenge)
    return client.send('POST', '/auth/login', { challengeIdentifier, firstFactor })
  }
  const loggedIn = async (username: string, key: KeyCredential) => {
    const { body } = await speaker(username, key)
    return rawClient(platform.baseUrl, {
      ...{ authToken: body.token, credId: key.credId },
      privateKey: key.key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    })
  }
  async function begin(username: string, credentialId: string) {
    const sent = await nobody().send('POST', '/auth/recover/user/code', {
      ...{ username, orgId: orgId() },
    })
    assert.deepEqual(sent, { status: 200, body: { message: 'success' } })
    const verificationCode = await codeFor(username)
    return nobody().send('POST', '/auth/recover/user/init', {
      ...{ username, orgId: orgId(), verificationCode, credentialId },
    })
  }
  type Begun = { readonly challenge: string; readonly temporaryAuthenticationToken: string }
  function finish(begun: Begun, old: KeyCredential, made: readonly KeyCredential[]) {
    const [first, next] = made
    const newCredentials = {
      firstFactorCredential: first?.create(begun.challenge),
      ...(next && { recoveryCredential: next.create(begun.challenge) }),
    }
    const recovery = old.recover(JSON.stringify(newCredentials))
    const client = nobody(begun.temporaryAuthenticationToken)
    return client.send('POST', '/auth/recover/user', { recovery, newCredentials })
  }

  it('without a waiting period replaces what was there, and says so by mail', async () => {
    waitFor(0)
    const { username, first, recovery } = await person('ada@example.test')
    const begun = await begin(username, recovery.credId)
    assert.equal(begun.status, 200, JSON.stringify(begun.body))
    assert.deepEqual(begun.body.allowedRecoveryCredentials, [
      { id: recovery.credId, encryptedRecoveryKey: 'sealed' },
    ])
    const session = await loggedIn(username, first)
    const cancelling = '/auth/recoveries/rec-aaaaa-aaaaa-aaaaaaaaaaaaaaaa'
    // Known to be logged in: what he asks about is what there is none of.
    assert.equal((await session.init('DELETE', cancelling, {})).status, 404)
    const [next, nextRecovery] = [newKeyCredential(), newKeyCredential({ kind: 'RecoveryKey' })]
    const done = await finish(begun.body, recovery, [next, nextRecovery])
    assert.equal(done.status, 200, JSON.stringify(done.body))
    assert.deepEqual([done.body.credential.kind, done.body.user.username], ['Key', username])
    assert.equal((await speaker(username, next)).status, 200)
    assert.notEqual((await speaker(username, first)).status, 200)
    assert.equal((await session.init('DELETE', cancelling, {})).status, 401)
    const mails = await mailsTo(username)
    assert.equal(mails.at(-1)?.template, 'recovery-effective')
    assert.equal((await begin(username, recovery.credId)).status, 401)
    assert.equal((await begin(username, nextRecovery.credId)).status, 200)
  })

  it('waits where the organization wants it so, and a live credential stops it', async () => {
    waitFor(waitMs)
    const { username, first, recovery } = await person('bob@example.test')
    const made = newKeyCredential()
    const answer = await finish((await begin(username, recovery.credId)).body, recovery, [made])
    assert.equal(answer.status, 202, JSON.stringify(answer.body))
    const { id, userId, effectiveAt, dateCreated, status } = answer.body.recovery
    assert.equal(status, 'Waiting')
    assert.equal(Date.parse(effectiveAt) - Date.parse(dateCreated), waitMs)
    const shown = await nobody().send('GET', `/auth/recoveries/${id}`)
    assert.deepEqual(shown, { status: 200, body: { id, effectiveAt, dateCreated, status } })
    assert.ok(!JSON.stringify(shown).includes(userId))
    const pending = (await mailsTo(username)).slice(-2)
    assert.deepEqual(pending.map(({ template }) => template).toSorted(), [
      'recovery-effective',
      'recovery-notice',
    ])
    assert.notEqual((await speaker(username, made)).status, 200)
    const path = `/auth/recoveries/${id}`
    const stranger = await admin.init('DELETE', path, {})
    const userAction = (await admin.sign(stranger)).body.userAction
    assert.equal((await admin.send('DELETE', path, {}, userAction)).status, 404)
    const own = await loggedIn(username, first)
    const signed = await own.sign(await own.init('DELETE', path, {}))
    const cancelled = await own.send('DELETE', path, {}, signed.body.userAction)
    assert.equal(cancelled.status, 200, JSON.stringify(cancelled.body))
    assert.equal(cancelled.body.status, 'Cancelled')
    assert.ok(cancelled.body.acknowledgedBy.length >= 3)
    assert.equal((await nobody().send('GET', path)).body.status, 'Cancelled')
    const templates = (await mailsTo(username)).map(({ template }) => template)
    assert.ok(!templates.includes('recovery-effective'))
    assert.equal(templates.at(-1), 'recovery-cancelled')
  })

  it('of somebody whom nobody has confirmed is stopped by him, who signs nothing else', async () => {
    waitFor(waitMs, 'confirmed')
    const { username, first, recovery } = await person('newcomer@example.test')
    const answer = await finish((await begin(username, recovery.credId)).body, recovery, [
      newKeyCredential(),
    ])
    assert.equal(answer.status, 202, JSON.stringify(answer.body))
    const own = await loggedIn(username, first)
    const code = { expiration: new Date(Date.now() + minuteMs).toISOString() }
    assert.equal((await own.init('POST', '/auth/credentials/code', code)).status, 401)
    const path = `/auth/recoveries/${answer.body.recovery.id}`
    const signed = await own.sign(await own.init('DELETE', path, {}))
    assert.equal(signed.status, 200, JSON.stringify(signed.body))
    const cancelled = await own.send('DELETE', path, {}, signed.body.userAction)
    assert.equal(cancelled.status, 200, JSON.stringify(cancelled.body))
    assert.equal((await nobody().send('GET', path)).body.status, 'Cancelled')
  })

  it('begins for an end user by a service account, without a mail, and ends as every one', async () => {
    waitFor(0)
    const username = 'customer-17'
    const enrol = { email: username, kind: 'EndUser' }
    const begun = (await robot.call('/auth/registration/delegated', enrol)).body
    const [first, recovery] = [newKeyCredential(), newKeyCredential({ kind: 'RecoveryKey' })]
    const done = await nobody(begun.temporaryAuthenticationToken).send(
      ...(['POST', '/auth/registration'] as const),
      {
        firstFactorCredential: first.create(begun.challenge),
        recoveryCredential: recovery.create(begun.challenge),
      },
    )
    assert.equal(done.status, 200, JSON.stringify(done.body))
    const path = '/auth/recover/user/delegated'
    const again = await robot.call(path, { username, credentialId: recovery.credId })
    assert.equal(again.status, 200, JSON.stringify(again.body))
    assert.equal((await finish(again.body, recovery, [newKeyCredential()])).status, 200)
    assert.equal((await robot.call(path, { username: 'nobody', credentialId: 'x' })).status, 401)
  })

  it('says the same of nobody, of a wrong code and of a wrong organization', async () => {
    waitFor(0)
    const { username, recovery } = await person('dan@example.test')
    for (const method of ['POST', 'PUT']) {
      const ask = (name: string) =>
        nobody().send(method, '/auth/recover/user/code', { username: name, orgId: orgId() })
      assert.deepEqual(await ask('nobody@example.test'), await ask(username))
    }
    const verificationCode = '0000-0000-0000-0000'
    const given = { username, orgId: orgId(), verificationCode, credentialId: recovery.credId }
    const init = async (changed: object) => {
      const { status, body } = await nobody().send('POST', '/auth/recover/user/init', {
        ...{ ...given, ...changed },
      })
      return { status, message: body.message }
    }
    const wrong = await init({})
    assert.deepEqual(wrong, { status: 403, message: 'Invalid code' })
    assert.deepEqual(await init({ username: 'nobody@example.test' }), wrong)
    assert.deepEqual(await init({ orgId: 'or-aaaaa-aaaaa-aaaaaaaaaaaaaaaa' }), wrong)
    assert.deepEqual(await init({ credentialId: 'none' }), wrong)
  })

  it('gets nowhere with a code alone', async () => {
    waitFor(0)
    const { username, first, recovery } = await person('fay@example.test')
    const begun = await begin(username, recovery.credId)
    const mine = newKeyCredential({ kind: 'RecoveryKey' })
    const refused = await finish(begun.body, mine, [newKeyCredential()])
    assert.equal(refused.status, 403)
    assert.match(refused.body.message, /signature of the recovery key is not valid/)
    assert.equal((await begin(username, first.credId)).status, 401)
    assert.equal((await speaker(username, first)).status, 200)
    // The temporary token was good for that one try.
    assert.equal((await finish(begun.body, recovery, [newKeyCredential()])).status, 401)
  })

  it('is found by its id alone, by nobody who guesses, and not too often', async () => {
    const unknown = '/auth/recoveries/rec-aaaaa-aaaaa-aaaaaaaaaaaaaaaa'
    assert.equal((await nobody().send('GET', unknown)).status, 404)
    const row = await platform.database
      .selectFrom('recoveries')
      .select('recovery_id')
      .executeTakeFirstOrThrow()
    const path = `/auth/recoveries/${row.recovery_id}`
    const statuses = new Set<number>()
    for (let i = 0; i <= 120; i++) statuses.add((await nobody().send('GET', path)).status)
    assert.deepEqual(statuses, new Set([200, 429]))
  })

  it('gets its rows of the log, when a server died before it had made them', async () => {
    waitFor(waitMs)
    const { username, recovery } = await person('gus@example.test')
    const begun = (await begin(username, recovery.credId)).body
    assert.equal((await finish(begun, recovery, [newKeyCredential()])).status, 202)
    const { database } = platform
    const rows = () =>
      Promise.all([
        database.selectFrom('recoveries').selectAll().orderBy('created_at').execute(),
        database.selectFrom('credentials').selectAll().orderBy('created_at').execute(),
      ])
    const [recoveries, credentials] = await rows()
    const [made, brought] = [recoveries.at(-1), credentials.at(-1)]
    assert.ok(made && brought)
    await database.deleteFrom('recoveries').where('id', '=', made.id).execute()
    await database.deleteFrom('credentials').where('id', '=', brought.id).execute()
    await database
      .updateTable('root_applied')
      .set((eb) => ({ seq: eb('seq', '-', 1) }))
      .execute()
    await applyRoot(database, organization)
    const [again, keys] = await rows()
    const withoutMail = (row: object | undefined) => ({ ...row, last_mail: null })
    assert.deepEqual(again.map(withoutMail), recoveries.map(withoutMail))
    assert.deepEqual(keys, credentials)
  })

  // The last, since the sessions of all others have ended by then.
  it('counts from its time on, without anybody doing anything', async () => {
    waitFor(waitMs)
    const { username, first, recovery } = await person('eve@example.test')
    const made = newKeyCredential()
    const answer = await finish((await begin(username, recovery.credId)).body, recovery, [made])
    const { id } = answer.body.recovery
    const [last] = (await mailsTo(username)).filter(({ template }) =>
      template.endsWith('effective'),
    )
    assert.equal(last?.next_try, Date.parse(answer.body.recovery.effectiveAt))
    platform.clock.ahead += waitMs + minuteMs
    assert.equal((await nobody().send('GET', `/auth/recoveries/${id}`)).body.status, 'Effective')
    assert.equal((await speaker(username, made)).status, 200)
    assert.notEqual((await speaker(username, first)).status, 200)
    platform.clock.ahead -= waitMs + minuteMs
  })
})
