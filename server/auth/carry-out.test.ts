import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { sql } from 'kysely'
import { fromHex } from '@quorate/core/bytes'
import { Failure } from '@quorate/core/failure'
import { idOf, nameOf } from '@quorate/core/id'
import { inTransaction } from '../database/database.ts'
import { createSettled } from '../keys/create.ts'
import { claimName } from '../names.ts'
import { foundCompany, newKey, publicPem, type Company } from '../testing/company.ts'
import { startTestPlatform, type TestPlatform } from '../testing/platform.ts'
import { rawClient, type Answer } from '../testing/raw-client.ts'
import { claimUsername } from '../users/person.ts'
import type { Caller } from './caller.ts'
import { carryOut } from './carry-out.ts'
import type { Log } from './log.ts'

const used = 'user action has already been used'
const missing = 'user action signature is missing or invalid'
const key = { scheme: 'EdDSA', curve: 'ed25519' }
const message = { kind: 'Message', message: '0x00' }
const wallet = { network: 'KeyEdDSA' }

describe('a signed request whose answer was lost', () => {
  let platform: TestPlatform
  let company: Company
  let baseUrl = ''
  before(async () => {
    platform = await startTestPlatform()
    company = await foundCompany(platform)
    baseUrl = platform.baseUrl
  })
  after(() => platform.close())
  const client = (who: 'administrator' | 'serviceAccount' = 'administrator') =>
    rawClient(baseUrl, company[who])
  const nextLife = async () => {
    baseUrl = await platform.restart()
  }
  const names = async (path: string): Promise<readonly string[]> =>
    (await client().send('GET', path)).body.items.map((item: { id: string }) => item.id)
  const signed = async (method: string, path: string, body?: unknown) => {
    const payload = body === undefined ? '' : JSON.stringify(body)
    const speaker = client()
    const action = await speaker.sign(await speaker.init(method, path, payload))
    const { userAction } = action.body
    return (given: unknown = body, at = path) => client().send(method, at, given, userAction)
  }
  /** What a server does that is never heard of again. */
  const beginAndDie = async (path: string, body: object, settle: Log['settle'] = forEver) => {
    const payload = JSON.stringify(body)
    const userAction = await client().act(path, payload)
    const raw = { method: 'POST', url: path, body: payload, userAction }
    const item = path === '/keys' ? 'key' : 'wallet'
    const dying = {
      ...platform.deps,
      log: { ...platform.deps.log, read: platform.solo.read, settle },
    }
    const { promise, resolve } = Promise.withResolvers<void>()
    const made = createSettled(dying, callerOf(company), raw, {
      item,
      bearsKey: () => {
        resolve()
        return true
      },
      check: async () => undefined,
    })
    await Promise.race([promise, made])
    return {
      ...{ made, raw },
      ask: (given: unknown = payload) => client().send('POST', path, given, userAction),
    }
  }

  for (const [path, body] of [
    ['/keys', { ...key, name: 'lost' }],
    ['/wallets', { ...wallet, name: 'lost' }],
  ] as const)
    it(`is carried out once when ${path} comes again after the server has died`, async () => {
      const before = await names(path)
      const { ask } = await beginAndDie(path, body)
      assert.deepEqual(await names(path), before)
      await nextLife()
      const other = await ask({ ...body, name: 'another' })
      assert.deepEqual([other.status, other.body.message], [403, missing])
      const answers = await Promise.all([ask(), ask(), ask()])
      const statuses = answers.map(({ status }) => status).toSorted()
      assert.deepEqual(statuses, [200, 400, 400])
      const [made] = answers.filter(({ status }) => status === 200)
      assert.equal(made?.body.name, 'lost')
      assert.equal((await ask()).body.message, used)
      assert.deepEqual((await names(path)).toSorted(), [...before, made?.body.id].toSorted())
    })

  it('makes one thing with a server that is still at it, and both know of it', async () => {
    const before = await names('/keys')
    const gate = Promise.withResolvers<void>()
    const { made, ask } = await beginAndDie('/keys', key, async (wish) => {
      await gate.promise
      return platform.solo.settle(wish)
    })
    await nextLife()
    const taken = await ask()
    assert.equal(taken.status, 200)
    gate.resolve()
    assert.equal(nameOf('key', idOf((await made).request, 'key')), taken.body.id)
    assert.equal((await names('/keys')).length, before.length + 1)
  })

  it('is taken up by the first of two that both found it open', async () => {
    const { raw } = await beginAndDie('/keys', key)
    const deps = { ...platform.deps, life: new Uint8Array(16).fill(2) }
    const [found, mayCommit] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const takeUp = (claim: () => Promise<void>) =>
      carryOut(deps, callerOf(company), raw, { claim, work: async () => 'done' })
    const first = takeUp(() => {
      found.resolve()
      return mayCommit.promise
    })
    await found.promise
    const refused = assert.rejects(
      takeUp(async () => assert.fail('both have it')),
      { code: 'action.used' },
    )
    await waitingForLock(platform)
    mayCommit.resolve()
    assert.equal(await first, 'done')
    await refused
  })

  it('is not left open by a server whose work another has done', async () => {
    const gate = Promise.withResolvers<never>()
    const { made, ask } = await beginAndDie('/keys', key, () => gate.promise)
    await nextLife()
    assert.equal((await ask()).status, 200)
    gate.reject(new Failure('signers.unavailable', { missing: ['signer-1'] }))
    await assert.rejects(made, { code: 'signers.unavailable' })
    assert.equal((await ask()).body.message, used)
  })

  it('is over for every life once it has been refused', async () => {
    const refusing = async () => {
      throw new Failure('request.refused', { reason: 'as a test' })
    }
    const { made, ask } = await beginAndDie('/keys', key, refusing)
    await assert.rejects(made, { code: 'request.refused' })
    await nextLife()
    assert.equal((await ask()).body.message, used)
  })

  it('may come again in the same life when signers were away, unless its name is gone by then', async () => {
    const account = (name: string) => ({ name, publicKey: publicPem(newKey()) })
    const asks = [
      await signed('POST', '/auth/service-accounts', account('patient')),
      await signed('POST', '/auth/service-accounts', account('late')),
    ]
    platform.solo.missing = ['signer-1', 'signer-2']
    for (const ask of asks) assert.equal((await ask()).status, 503)
    platform.solo.missing = []
    assert.equal((await client().call('/auth/service-accounts', account('late'))).status, 200)
    const [made, late] = [await asks[0]?.(), await asks[1]?.()]
    assert.deepEqual([made?.status, made?.body.userInfo?.name], [200, 'patient'])
    assert.equal(late?.status, 409)
    assert.equal((await asks[0]?.())?.body.message, used)
  })

  it('is taken up by nobody but who has signed it', async () => {
    const { ask } = await beginAndDie('/keys', key)
    const userAction = await client().act('/keys', key)
    await nextLife()
    const stolen = await client('serviceAccount').send('POST', '/keys', key, userAction)
    assert.deepEqual([stolen.status, stolen.body.message], [403, missing])
    assert.equal((await ask()).status, 200)
  })

  it('is answered the same by the next life, whatever stands by then', async () => {
    const made = (await client().call('/keys', key)).body
    const gone = (await client().call('/keys', key)).body
    const renamed = `/keys/${made.id}`
    const permission = { name: 'reads', operations: ['Keys:Read'] }
    const asks = [
      await signed('POST', '/keys', { ...key, name: 'first' }),
      await signed('POST', '/wallets', { ...wallet, signingKey: { id: made.id } }),
      await signed('PUT', renamed, { name: 'renamed' }),
      await signed('DELETE', `/keys/${gone.id}`),
      await signed('POST', '/permissions', permission),
      await signed('POST', '/auth/users', { email: 'new@example.test', kind: 'CustomerEmployee' }),
      await signed('POST', '/auth/service-accounts', {
        name: 'new',
        publicKey: publicPem(newKey()),
      }),
      await signed('POST', '/auth/pats', { name: 'new', publicKey: publicPem(newKey()) }),
      await signed('POST', `/keys/${made.id}/signatures`, message),
      await signed('POST', `/keys/${made.id}/signatures`, { ...message, externalId: 'mine' }),
    ]
    const first = []
    for (const ask of asks) first.push(await ask())
    assert.deepEqual(
      first.map(({ status }) => status),
      asks.map(() => 200),
    )
    const there = [await names('/keys'), await names('/wallets'), await names('/permissions')]
    for (const ask of asks) assert.equal((await ask()).body.message, used)
    await nextLife()
    for (const [i, ask] of asks.entries()) assert.deepEqual(lasting(await ask()), lasting(first[i]))
    assert.deepEqual(
      [await names('/keys'), await names('/wallets'), await names('/permissions')],
      there,
    )
  })

  it('is the change that waits, where a policy has held it', async () => {
    const action = { kind: 'RequestApproval', approvalGroups: [{ quorum: 1, approvers: {} }] }
    const rule = { kind: 'AlwaysTrigger', configuration: {} }
    const activityKind = 'Permissions:Modify'
    const body = { name: 'all', operations: ['Wallets:Read'] }
    const { id } = (await client().call('/permissions', body)).body
    await client().call('/v2/policies', { name: 'hold', activityKind, rule, action })
    const ask = await signed('PUT', `/permissions/${id}`, { name: 'held' })
    const first = await ask()
    assert.deepEqual([first.status, first.body.status], [202, 'Pending'])
    await nextLife()
    assert.deepEqual(await ask(), first)
    assert.equal((await ask()).body.message, used)
  })
})

describe('a name that is claimed for a request', () => {
  let platform: TestPlatform
  before(async () => {
    platform = await startTestPlatform()
  })
  after(() => platform.close())
  const bytes = (byte: number) => new Uint8Array(32).fill(byte)
  const organization = bytes(1)

  it('is claimed by the same one again, and by no other', async () => {
    const claims = (byte: number, now: number) =>
      inTransaction(platform.database, (transaction) =>
        claimName(
          transaction,
          {
            organization,
            scope: organization,
            name: 'x',
            holder: bytes(byte),
            request: bytes(byte),
          },
          now,
        ),
      )
    assert.deepEqual(
      [await claims(2, 0), await claims(2, 1), await claims(3, 2)],
      [true, true, false],
    )
  })

  it('is claimed by the same user again, and by no other', async () => {
    const claim = (byte: number, now: number) =>
      inTransaction(platform.database, (transaction) =>
        claimUsername(transaction, {
          ...{ organization, user: bytes(byte), kind: 'employee', username: 'x@example.test', now },
        }),
      )
    await claim(2, 0)
    await claim(2, 1)
    await assert.rejects(claim(3, 2), { code: 'user.already_exists' })
  })
})

const forEver = () => new Promise<never>(() => undefined)

/** Until the second transaction stands before the row that the first one holds. */
async function waitingForLock({ database }: TestPlatform): Promise<void> {
  for (;;) {
    const { rows } = await sql`select 1 from pg_locks where not granted`.execute(database)
    if (rows.length > 0) return
  }
}

function callerOf({ genesis, orgId, administrator: { userId, username } }: Company): Caller {
  const hash = fromHex(genesis)
  return {
    ...{ organization: idOf(hash, 'organization'), user: idOf(hash, 'user') },
    ...{ orgId, userId, username, kind: 'CustomerEmployee', isServiceAccount: false },
  }
}

/** A receipt says when its bearer has heard of it, and a token when it was written: later this time. */
function lasting(answer: Answer | undefined) {
  const text = JSON.stringify(answer?.body, (name, value) =>
    name === 'effectiveAt' || name === 'accessToken' ? typeof value : value,
  )
  return { status: answer?.status, body: JSON.parse(text) }
}
