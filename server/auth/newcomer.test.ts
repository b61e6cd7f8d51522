import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { operations, type OperationName } from '@quorate/authority/operations'
import { userTable } from '@quorate/authority/records'
import { fromHex, toHex } from '@quorate/core/bytes'
import { idOf } from '@quorate/core/id'
import { inTransaction } from '../database/database.ts'
import { foundCompany, type Company } from '../testing/company.ts'
import { setupToken, startTestPlatform, type TestPlatform } from '../testing/platform.ts'
import { rawClient } from '../testing/raw-client.ts'
import { findPerson, type Person } from '../users/person.ts'
import { authenticateWith } from './authenticate.ts'
import type { Caller } from './caller.ts'
import { newcomerMs, openNewcomer, releaseNewcomer, useNewcomer } from './newcomer.ts'
import type { Bearer } from './tokens.ts'

const refused = { code: 'token.invalid' }

/** Called directly: behind these doors stand others, which would close in their place. */
describe('a way that has begun', () => {
  let platform: TestPlatform
  let company: Company
  let organization: Uint8Array
  let person: Person
  let token: string
  let count = 0

  before(async () => {
    platform = await startTestPlatform()
    company = await foundCompany(platform)
    organization = idOf(fromHex(company.genesis), 'organization')
  })
  after(async () => {
    await platform.close()
    assert.deepEqual(platform.unexpected, [])
  })
  beforeEach(async () => {
    const username = `newcomer-${++count}@example.test`
    const admin = rawClient(platform.baseUrl, company.administrator)
    await admin.call('/auth/users', { email: username, kind: 'CustomerEmployee' })
    const named = { orgId: company.orgId, username, kinds: ['employee'] } as const
    person = (await findPerson(platform.database, named)) ?? assert.fail()
    const opened = await openNewcomer(platform.deps, { person, purpose: 'register' })
    token = opened.temporaryAuthenticationToken
  })

  const entering = (name: OperationName, bearer = token) =>
    authenticateWith({ ...platform.deps, setupToken })({
      ...{ name, operation: operations[name], authorization: `Bearer ${bearer}` },
    })
  /** What this server would have signed itself, were its own claims mixed up. */
  const issued = (changed: Partial<Bearer>) => {
    const { orgId, userId, username } = person
    const now = Date.now()
    return platform.tokens.issue(
      { orgId, userId, username, tokenKind: 'Temp', tokenId: '00'.repeat(32), ...changed },
      { from: now, until: now + newcomerMs },
    )
  }
  const use = (
    caller: Caller,
    at: number,
    purpose: 'register' | 'recover' = 'register',
    handedIn?: Uint8Array,
  ) =>
    inTransaction(platform.database, (transaction) =>
      useNewcomer(transaction, caller, { purpose, now: at, ...(handedIn && { handedIn }) }),
    )

  it('is entered by its temporary token, as the user and the challenge it was given for', async () => {
    const caller = await entering('auth.register')
    assert.deepEqual(
      [caller.userId, caller.kind, caller.isServiceAccount],
      [person.userId, 'CustomerEmployee', false],
    )
    assert.equal(caller.challenge?.length, 32)
  })

  it('is entered by no token of another kind, whatever that one names', async () => {
    const { challenge = assert.fail() } = await entering('auth.register')
    for (const tokenKind of ['Token', 'Pat', 'ServiceAccount'] as const) {
      const mixed = await issued({ tokenKind, tokenId: toHex(challenge) })
      await assert.rejects(entering('auth.register', mixed), refused, tokenKind)
    }
  })

  it('is entered by nobody who is switched off, unknown or a machine', async () => {
    platform.solo.alter(organization, userTable, [person.user], { status: 'inactive' })
    await assert.rejects(entering('auth.register'), refused)
    const nameless: Partial<Bearer>[] = [
      { userId: 'us-none' },
      { orgId: 'or-none' },
      { userId: company.serviceAccount.userId },
    ]
    for (const changed of nameless)
      await assert.rejects(entering('auth.register', await issued(changed)), refused)
  })

  it('opens nothing else', async () => {
    for (const name of ['auth.listCredentials', 'auth.logout', 'wallets.listWallets'] as const)
      await assert.rejects(entering(name), refused, name)
  })

  it('lasts a quarter of an hour by its own row, whatever its token says', async () => {
    const caller = await entering('auth.register')
    const { expires_at } = await platform.database
      .selectFrom('newcomer_challenges')
      .select('expires_at')
      .where('request', '=', caller.challenge ?? assert.fail())
      .executeTakeFirstOrThrow()
    await assert.rejects(use(caller, expires_at), refused)
    await assert.rejects(use(caller, expires_at + 1), refused)
    await use(caller, expires_at - 1)
  })

  it('is gone again with the very same in hand, and with nothing else', async () => {
    const caller = await entering('auth.register')
    const [same, other] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)]
    const now = Date.now()
    const used = await use(caller, now, 'register', same)
    assert.deepEqual((await use(caller, now, 'register', same)).request, used.request)
    await assert.rejects(use(caller, now, 'register', other), refused)
    await assert.rejects(use(caller, now), refused)
    await releaseNewcomer(platform.database, caller, used)
    await use(caller, now)
    await assert.rejects(use(caller, now, 'register', same), refused)
  })

  it('is gone once, to the end it was begun for, by whom it was begun for', async () => {
    const caller = await entering('auth.register')
    const now = Date.now()
    const other = { ...caller, user: new Uint8Array(32) }
    const elsewhere = { ...caller, organization: new Uint8Array(32) }
    const { challenge: _, ...nothing } = caller
    for (const one of [other, elsewhere, nothing]) await assert.rejects(use(one, now), refused)
    await assert.rejects(use(caller, now, 'recover'), refused)
    const used = await use(caller, now)
    await assert.rejects(use(caller, now), refused)
    await releaseNewcomer(platform.database, caller, used)
    await use(caller, now)
  })
})
