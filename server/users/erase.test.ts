import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import { newKeyCredential } from '@quorate/authority/testing/key-credential'
import { rootOf, streamCodec } from '@quorate/authority/stream'
import { decode, encode } from '@quorate/core/codec'
import { beginSession } from '../auth/sessions.ts'
import { Ledger, opaqueOf } from '../coordinator/ledger.ts'
import { inTransaction } from '../database/database.ts'
import type { Tables } from '../database/tables.ts'
import { applyRoots } from '../orgs/apply.ts'
import { foundCompany, newKey, publicPem, type Company } from '../testing/company.ts'
import { startTestPlatform, type TestPlatform } from '../testing/platform.ts'
import { rawClient, type RawClient } from '../testing/raw-client.ts'
import { personal } from './personal.ts'

/** `orgs/rebuild.test.ts` holds these names against the database. */
const tables = Object.keys(personal) as (keyof Tables)[]

let platform: TestPlatform
let company: Company
let admin: RawClient
let robot: RawClient
before(async () => {
  platform = await startTestPlatform()
  company = await foundCompany(platform)
  admin = rawClient(platform.baseUrl, company.administrator)
  robot = rawClient(platform.baseUrl, company.serviceAccount)
})
after(async () => {
  const { differences } = await platform.rebuild()
  await platform.close()
  assert.deepEqual(differences, [])
  assert.deepEqual(platform.unexpected, [])
})

/** One signed request. */
async function send(client: RawClient, method: string, path: string, body: object = {}) {
  const signed = await client.sign(await client.init(method, path, body))
  return client.send(method, path, body, signed.body.userAction)
}
async function ask(client: RawClient, method: string, path: string, body: object = {}) {
  const answer = await send(client, method, path, body)
  assert.equal(answer.status, 200, JSON.stringify(answer.body))
  return answer.body
}

/** An employee who may do everything, with words that nobody else has. */
async function hire(word: string) {
  const first = newKeyCredential()
  const email = `${word}-mail@example.test`
  const invited = { email, kind: 'CustomerEmployee', externalId: `${word}-external` }
  const { userId } = await ask(admin, 'POST', '/auth/users', { ...invited, publicKey: first.pem })
  const { values_json } = await platform.database
    .selectFrom('mails')
    .select('values_json')
    .where('recipient', '=', email)
    .executeTakeFirstOrThrow()
  const { orgId } = company
  const nobody = rawClient(platform.baseUrl, { credId: '', privateKey: newKey() })
  const begun = await nobody.send('POST', '/auth/registration/init', {
    ...{ orgId, username: email, registrationCode: JSON.parse(values_json ?? '').code },
  })
  const privateKey = first.key.export({ type: 'pkcs8', format: 'pem' }).toString()
  const { temporaryAuthenticationToken: temporary, challenge } = begun.body
  const newcomer = rawClient(platform.baseUrl, { authToken: temporary, credId: '', privateKey })
  const brought = { firstFactorCredential: first.create(challenge) }
  const done = await newcomer.send('POST', '/auth/registration', brought)
  assert.equal(done.status, 200, JSON.stringify(done.body))
  const permissions = (await admin.send('GET', '/permissions')).body.items
  const full = permissions.find(({ name }: { name: string }) => name.includes('FullAdmin'))
  await ask(admin, 'POST', `/permissions/${full.id}/assignments`, { identityId: userId })
  const { organization, id: user } = await platform.database
    .selectFrom('users')
    .select(['organization', 'id'])
    .where('user_id', '=', userId)
    .executeTakeFirstOrThrow()
  const named = { organization, user, orgId, userId, username: email }
  const authToken = await beginSession(platform.deps, named)
  const client = rawClient(platform.baseUrl, { authToken, credId: first.credId, privateKey })
  return { organization, user, userId, client }
}

async function live(client: RawClient, word: string) {
  const words = { name: `${word}-name`, externalId: `${word}-external` }
  const wallet = await ask(client, 'POST', '/wallets', { network: 'EthereumSepolia', ...words })
  const key = await ask(client, 'POST', '/keys', {
    ...{ scheme: 'EdDSA', curve: 'ed25519', name: words.name },
  })
  await ask(client, 'POST', `/keys/${key.id}/signatures`, {
    ...{ kind: 'Message', message: '0x00', externalId: `${word}-payment` },
  })
  await transferOf(key.id, `${word}-payment`)
  const pat = { ...words, publicKey: publicPem(newKey()), daysValid: 3 }
  const { tokenId } = await ask(client, 'POST', '/auth/pats', pat)
  await ask(client, 'PUT', `/auth/pats/${tokenId}`, { name: `${word}-renamed` })
  const robotic = { name: `${word}-robot`, publicKey: publicPem(newKey()) }
  const { userInfo } = await ask(client, 'POST', '/auth/service-accounts', robotic)
  // What others call it afterwards is theirs; what he calls theirs is his.
  await ask(admin, 'PUT', `/wallets/${wallet.id}`, { name: 'of the company' })
  const theirs = await ask(admin, 'POST', '/wallets', { network: 'EthereumSepolia', name: 'ours' })
  await ask(client, 'PUT', `/wallets/${theirs.id}`, { name: `${word}-theirs` })
  const local = { kind: 'CustomerEmployee', email: `${word}-guest@example.test` }
  await client.init('POST', '/auth/users', local)
  await approve(client, word)
  return { wallet, theirs, key, account: userInfo.userId }
}

/** He asks for what others approve, and denies what others ask for: there are events of both. */
async function approve(client: RawClient, word: string): Promise<void> {
  const { id } = await ask(admin, 'POST', '/wallets', { network: 'KeyEdDSA' })
  await ask(admin, 'POST', '/v2/policies', {
    ...{ name: 'all', activityKind: 'Wallets:Sign', rule: { kind: 'AlwaysTrigger' } },
    action: { kind: 'RequestApproval', approvalGroups: [{ quorum: 1, approvers: {} }] },
    filters: { walletId: { in: [id] } },
  })
  const path = `/wallets/${id}/signatures`
  const message = { kind: 'Message', message: '0x00' }
  await ask(client, 'POST', path, { ...message, externalId: `${word}-held` })
  const { approvalId } = await ask(robot, 'POST', path, message)
  const decision = { value: 'Denied', reason: `${word}-reason` }
  await ask(client, 'POST', `/v2/policy-approvals/${approvalId}/decisions`, decision)
  await platform.workApprovals()
}

/** The row of a transfer that has come to its end: no chain is here that could bring one there. */
async function transferOf(keyId: string, externalId: string): Promise<void> {
  const [signed] = await platform.database
    .selectFrom('signature_requests')
    .select(['organization', 'id', 'key', 'user_id', 'evidence'])
    .where('key', '=', (eb) => eb.selectFrom('keys').select('id').where('key_id', '=', keyId))
    .execute()
  assert.ok(signed)
  const { key } = signed
  await platform.database
    .insertInto('outgoing')
    .values({
      ...{ ...signed, kind: 'transfer', name: externalId.slice(0, 3), external_id: externalId },
      ...{ wallet: key, wallet_id: '', public_key: key, network: '', address: '', request: key },
      ...{ execute_before: 0, names_slot: false, state: 'refused', attempts: 0, lease_until: 0 },
      ...{ bid: 0, created_at: 0 },
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

/** Everything that stands in a table, bytes as they are. */
async function dump(table: string): Promise<string> {
  const { rows } = await sql<object>`select * from ${sql.table(table)}`.execute(platform.database)
  return JSON.stringify(rows, (_, value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value,
  )
}
async function tablesWith(word: string): Promise<readonly (keyof Tables)[]> {
  const found: (keyof Tables)[] = []
  for (const table of tables) if ((await dump(table)).includes(word)) found.push(table)
  return found
}

const erasePath = (userId: string) => `/auth/users/${userId}/erase`

describe('the erasure of a person', () => {
  let bob: Awaited<ReturnType<typeof hire>>
  let things: Awaited<ReturnType<typeof live>>
  let before: readonly { seq: number; stream: Uint8Array; body: Uint8Array }[]

  it('is of somebody whose words are everywhere', async () => {
    bob = await hire('bob7c1f')
    things = await live(bob.client, 'bob7c1f')
    before = await platform.database
      .selectFrom('steps')
      .select(['seq', 'stream', 'body'])
      .where('organization', '=', bob.organization)
      .execute()
    const found = await tablesWith('bob7c1f')
    const expected = ['steps', 'users', 'usernames', 'names', 'tokens', 'keys', 'wallets']
    const beside = ['challenges', 'external_ids', 'outbox', 'mails']
    const uses = ['signature_requests', 'outgoing', 'approval_decisions']
    assert.deepEqual(found.toSorted(), [...expected, ...beside, ...uses].toSorted())
    for (const table of found) assert.equal(personal[table].is, 'erased')
  })

  it('is refused while he has not been archived, and never takes the founder', async () => {
    for (const userId of [bob.userId, company.administrator.userId]) {
      const { status } = await send(admin, 'PUT', erasePath(userId))
      assert.equal(status, 403)
    }
    assert.notDeepEqual(await tablesWith('bob7c1f'), [])
  })

  it('leaves none of his words in any table, and answers the same when it is asked again', async () => {
    await ask(admin, 'DELETE', `/auth/users/${bob.userId}`)
    const first = await ask(admin, 'PUT', erasePath(bob.userId))
    assert.deepEqual(await tablesWith('bob7c1f'), [])
    assert.equal(first.userId, bob.userId)
    assert.match(first.dateErased, /^20/)
    assert.deepEqual(await ask(admin, 'PUT', erasePath(bob.userId)), first)
  })

  it('leaves what others have called their own, and the things themselves', async () => {
    const wallet = await admin.send('GET', `/wallets/${things.wallet.id}`)
    assert.equal(wallet.body.name, 'of the company')
    assert.equal(wallet.body.externalId, undefined)
    for (const path of [`/wallets/${things.theirs.id}`, `/keys/${things.key.id}`]) {
      const { status, body } = await admin.send('GET', path)
      assert.deepEqual([status, body.name], [200, undefined], path)
    }
    const signatures = await admin.send('GET', `/keys/${things.key.id}/signatures`)
    const [signature] = signatures.body.items
    assert.equal(signature.status, 'Signed')
    assert.equal(signature.requester.userId, bob.userId)
    assert.ok(!('externalId' in signature) && !('externalId' in signature.requestBody))
    const shown = await admin.send('GET', `/auth/users/${bob.userId}`)
    assert.deepEqual([shown.body.username, shown.body.isActive], ['', false])
    const account = await admin.send('GET', `/auth/service-accounts/${things.account}`)
    assert.equal(account.status, 200)
  })

  it('leaves him no way in', async () => {
    assert.equal((await bob.client.send('GET', '/wallets')).status, 401)
  })

  it('leaves a log of which all rows can be made again', async () => {
    assert.deepEqual((await platform.rebuild()).differences, [])
    await sql`delete from wallets`.execute(platform.database)
    await sql`update users set username = 'eve' where username = ''`.execute(platform.database)
    assert.equal((await platform.rebuild({ write: true })).differences.length, 2)
    assert.deepEqual((await platform.rebuild()).differences, [])
    assert.deepEqual(await tablesWith('bob7c1f'), [])
  })

  it('reaches what another server writes down too late', async () => {
    const root = encode(streamCodec, rootOf(bob.organization))
    const late = before.filter(
      ({ stream, body }) =>
        Buffer.compare(stream, root) !== 0 && Buffer.from(body).includes('bob7c1f-payment'),
    )
    assert.equal(late.length, 1)
    const { database } = platform
    for (const { stream, seq, body } of late) {
      const at = { organization: bob.organization, stream: decode(streamCodec, stream) }
      const [kept] = await new Ledger(database).steps(at, seq, 1)
      assert.ok(kept)
      for (const table of ['steps', 'request_places', 'records'] as const)
        await database
          .deleteFrom(table)
          .where('stream', '=', stream)
          .where('seq', '=', seq)
          .execute()
      const { certificate } = kept
      await new Ledger(database).keep(at, opaqueOf(body), { certificate, writes: [] })
    }
    assert.deepEqual(await tablesWith('bob7c1f'), [])
    assert.match((await platform.rebuild({ write: true })).differences.join(), /records/)
  })
})

describe('an erasure that a server dies of', () => {
  it('is done to the end by the next one', async () => {
    const dave = await hire('dave7c1f')
    await live(dave.client, 'dave7c1f')
    await ask(admin, 'DELETE', `/auth/users/${dave.userId}`)
    // In force, and no row of it has been made.
    const { settle } = platform.solo
    const dies = async (): Promise<never> => {
      throw new Error('the server dies here')
    }
    const { log } = platform.deps
    Object.assign(log, {
      settle: async (given: Parameters<typeof settle>[0]) => {
        await settle(given)
        return dies()
      },
    })
    assert.equal((await send(admin, 'PUT', erasePath(dave.userId))).status, 500)
    Object.assign(log, { settle })
    assert.equal(platform.unexpected.splice(0).length, 1)
    assert.notDeepEqual(await tablesWith('dave7c1f'), [])
    // As at every start.
    await applyRoots(platform.database, assert.fail)
    assert.deepEqual(await tablesWith('dave7c1f'), [])
  })

  it('is done to the end when it is asked for again', async () => {
    const erin = await hire('erin7c1f')
    await ask(admin, 'DELETE', `/auth/users/${erin.userId}`)
    await ask(admin, 'PUT', erasePath(erin.userId))
    await platform.database
      .updateTable('users')
      .set({ external_id: 'erin7c1f' })
      .where('id', '=', erin.user)
      .execute()
    await ask(admin, 'PUT', erasePath(erin.userId))
    assert.deepEqual(await tablesWith('erin7c1f'), [])
  })
})

describe('an erasure that has much to read', () => {
  it('keeps nothing else of its organization waiting', async () => {
    const fred = await hire('fred7c1f')
    await ask(admin, 'DELETE', `/auth/users/${fred.userId}`)
    const { database } = platform
    const words = sql<boolean>`position('fred7c1f'::bytea in body) > 0`
    const due = () => database.selectFrom('erasures_due').selectAll().execute()
    const [reached, over] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    // Whoever reads the log stops at the first body of his.
    const holding = inTransaction(database, async (transaction) => {
      const held = transaction.selectFrom('steps').select('seq').where(words).orderBy('stream')
      await held.orderBy('seq').limit(1).forUpdate().executeTakeFirstOrThrow()
      reached.resolve()
      await over.promise
    })
    await reached.promise
    const erasing = ask(admin, 'PUT', erasePath(fred.userId))
    while ((await due()).length === 0) await sleep(10)
    await ask(admin, 'POST', '/wallets', { network: 'EthereumSepolia', name: 'meanwhile' })
    assert.ok((await tablesWith('fred7c1f')).includes('steps'))
    assert.equal((await due()).length, 1)
    over.resolve()
    await Promise.all([erasing, holding])
    assert.deepEqual(await tablesWith('fred7c1f'), [])
    assert.deepEqual(await due(), [])
    assert.ok((await tablesWith('meanwhile')).includes('wallets'))
  })

  it('is carried out at the next start where the server dies of it', async () => {
    const gina = await hire('gina7c1f')
    await ask(admin, 'DELETE', `/auth/users/${gina.userId}`)
    await ask(admin, 'PUT', erasePath(gina.userId))
    const named = { external_id: 'gina7c1f' }
    const { database } = platform
    await database.updateTable('users').set(named).where('id', '=', gina.user).execute()
    const { organization, user } = gina
    await database.insertInto('erasures_due').values({ organization, user, time: 1 }).execute()
    await applyRoots(database, assert.fail)
    assert.deepEqual(await tablesWith('gina7c1f'), [])
    assert.deepEqual(await database.selectFrom('erasures_due').selectAll().execute(), [])
  })
})

describe('the erasure of a customer', () => {
  it('takes what a back end has called his wallets', async () => {
    const email = 'carol7c1f@example.test'
    const registered = await ask(robot, 'POST', '/auth/registration/delegated', {
      ...{ email, kind: 'EndUser', externalId: 'carol7c1f' },
    })
    const userId = registered.user.id
    const wallet = await ask(robot, 'POST', '/wallets', {
      ...{ network: 'EthereumSepolia', delegateTo: userId, name: 'carol7c1f first' },
    })
    await ask(robot, 'PUT', `/wallets/${wallet.id}`, { name: 'carol7c1f second' })
    assert.ok((await tablesWith('carol7c1f')).includes('wallets'))
    await ask(admin, 'DELETE', `/auth/users/${userId}`)
    await ask(admin, 'PUT', erasePath(userId))
    assert.deepEqual(await tablesWith('carol7c1f'), [])
  })
})
