import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { DfnsApiClient } from '@dfns/sdk'
import { AsymmetricKeySigner } from '@dfns/sdk-keysigner'
import { operations } from '@quorate/authority/operations'
import { equalBytes } from '@quorate/core/bytes'
import { Failure } from '@quorate/core/failure'
import { retire, secretHash } from '../auth/use-action.ts'
import { authenticateWith } from '../auth/authenticate.ts'
import { foundCompany, newKey, publicPem, type Company } from '../testing/company.ts'
import { setupToken, startTestPlatform, type TestPlatform } from '../testing/platform.ts'
import { rawClient, type Speaker } from '../testing/raw-client.ts'
import { forgetKept, keptMs, openKeptAnswers } from './kept-answers.ts'
import { requestHashOf } from './repeatable.ts'

const inFlight = 'the request under this idempotency key is still being carried out'
const reused = 'another request was made under this idempotency key'
const lost = 'how the request under this idempotency key ended is not known: look for what it made'
const permission = (name: string) => ({ name, operations: ['Keys:Read'] })

let platform: TestPlatform
let company: Company
let baseUrl = ''
before(async () => {
  platform = await startTestPlatform()
  company = await foundCompany(platform)
  baseUrl = platform.baseUrl
})
after(async () => {
  await platform.close()
  assert.deepEqual(platform.unexpected, [])
})

type Ask = {
  readonly method?: string
  readonly path?: string
  readonly body?: unknown
  readonly key?: string
  /** Signed anew unless given; `undefined`: not at all. */
  readonly userAction?: string | undefined
  readonly who?: Speaker
}

async function send(ask: Ask) {
  const { method = 'POST', path = '/permissions', body = {}, key } = ask
  const { who = company.serviceAccount } = ask
  const userAction = 'userAction' in ask ? ask.userAction : await sign(ask)
  const response = await fetch(new URL(path, baseUrl), {
    method,
    headers: {
      ...{ authorization: `Bearer ${who.authToken}`, 'content-type': 'application/json' },
      ...(key === undefined ? {} : { 'idempotency-key': key }),
      ...(userAction === undefined ? {} : { 'x-dfns-useraction': userAction }),
    },
    body: JSON.stringify(body),
  })
  const repeated = response.headers.get('idempotent-replayed')
  return { status: response.status, repeated, body: JSON.parse(await response.text()) }
}

async function sign({ method = 'POST', path = '/permissions', body = {}, who }: Ask) {
  const client = rawClient(baseUrl, who ?? company.serviceAccount)
  const signed = await client.sign(await client.init(method, path, JSON.stringify(body)))
  assert.equal(signed.status, 200, JSON.stringify(signed.body))
  const userAction: string = signed.body.userAction
  return userAction
}

/** How many permissions are called so: what these tests make, as it is quickly made. */
async function count(name: string): Promise<number> {
  const { body } = await rawClient(baseUrl, company.serviceAccount).send('GET', '/permissions')
  return body.items.filter((item: { readonly name: string }) => item.name === name).length
}

const rows = () => platform.database.selectFrom('kept_answers').selectAll().execute()
/** As a server leaves it that dies before it has kept the answer. */
const reopen = () =>
  platform.database.updateTable('kept_answers').set({ status: null, answer: null }).execute()
const age = (ms: number) =>
  platform.database
    .updateTable('kept_answers')
    .set((eb) => ({ begun_at: eb('begun_at', '-', ms) }))
    .execute()
/** The user actions that there are, as after five minutes. */
const expire = () =>
  platform.database.updateTable('challenges').set({ action_expires_at: 0 }).execute()
const nextLife = async () => {
  baseUrl = await platform.restart()
}

describe('a request under an idempotency key', () => {
  it('is carried out once, and answered the same, signed again or not at all', async () => {
    const ask = { key: 'once', body: permission('once') }
    const first = await send(ask)
    assert.deepEqual([first.status, first.repeated], [200, 'false'])
    for (const again of [ask, { ...ask, userAction: undefined }, { ...ask, key: '"once"' }])
      assert.deepEqual(await send(again), { ...first, repeated: 'true' })
    await nextLife()
    assert.deepEqual(await send(ask), { ...first, repeated: 'true' })
    assert.equal(await count('once'), 1)
  })

  it('is none that differs in method, path or body', async () => {
    const made = await send({ key: 'differs', body: permission('differs') })
    const path = `/permissions/${made.body.id}`
    for (const other of [
      { body: permission('differs more') },
      { method: 'PUT', path, body: permission('differs') },
      { path: '/permissions?a=1', body: permission('differs'), userAction: 'x' },
    ]) {
      const { status, body, repeated } = await send({ ...other, key: 'differs' })
      assert.deepEqual([status, body.message, repeated], [422, reused, 'false'])
      assert.equal(body.error.message, reused)
    }
    assert.equal(await count('differs more'), 0)
  })

  it('is its caller’s alone', async () => {
    const ask = { key: 'shared', body: permission('of one') }
    const first = await send(ask)
    const body = permission('of another')
    const second = await send({ key: 'shared', body, who: company.administrator })
    assert.deepEqual([second.status, second.repeated], [200, 'false'])
    assert.notEqual(second.body.id, first.body.id)
  })

  it('may come without one, and is then nobody’s repetition', async () => {
    const [held, made] = [(await rows()).length, await send({ body: permission('plain') })]
    assert.deepEqual([made.status, made.repeated], [200, null])
    assert.equal((await rows()).length, held)
  })

  it('has a key of 1 to 64 visible characters', async () => {
    for (const key of ['a b', 'x'.repeat(65), '""']) {
      const { status, body } = await send({ key, body: permission('malformed') })
      assert.equal(status, 400)
      assert.equal(body.message, 'an idempotency key is 1 to 64 visible characters of ASCII')
    }
    assert.equal(await count('malformed'), 0)
  })

  it('is refused while the first is still at work', async () => {
    const ask = { key: 'slow', body: permission('slow') }
    const userAction = await sign(ask)
    const { promise: mayGoOn, resolve: goOn } = Promise.withResolvers<void>()
    const locked = Promise.withResolvers<void>()
    const lock = platform.database.transaction().execute(async (transaction) => {
      const challenge = transaction.selectFrom('challenges').select('request')
      await challenge.where('action', '=', secretHash(userAction)).forUpdate().execute()
      locked.resolve()
      await mayGoOn
    })
    await locked.promise
    const first = send({ ...ask, userAction })
    while ((await rows()).every(({ status }) => status !== null));
    const second = await send(ask)
    goOn()
    await lock
    const { status, body, repeated } = second
    assert.deepEqual([status, body.message, repeated], [409, inFlight, 'false'])
    const made = await first
    assert.deepEqual(await send(ask), { ...made, repeated: 'true' })
    assert.equal(await count('slow'), 1)
  })

  it('is given as an answer what was refused after its signature was spent', async () => {
    const made = await send({ path: '/wallets', body: { network: 'KeyEdDSA' } })
    const rule = { kind: 'AlwaysTrigger' }
    const policy = { activityKind: 'Wallets:Sign', rule, action: { kind: 'Block' } }
    const filters = { walletId: { in: [made.body.id] } }
    const body = { name: 'none', ...policy, filters }
    assert.equal((await send({ path: '/v2/policies', body })).status, 200)
    const path = `/wallets/${made.body.id}/signatures`
    const ask = { path, key: 'blocked', body: { kind: 'Message', message: '0x00' } }
    const refused = await send(ask)
    assert.deepEqual([refused.status, refused.body.message], [403, 'Blocked by policy'])
    assert.deepEqual(await send(ask), { ...refused, repeated: 'true' })
    const list = await rawClient(baseUrl, company.serviceAccount).send('GET', path)
    assert.equal(list.body.items.length, 1)
  })

  it('may be asked otherwise when it was refused and has spent nothing', async () => {
    const ask = { key: 'again', body: permission('again') }
    assert.equal((await send({ ...ask, userAction: undefined })).status, 403)
    assert.equal((await send({ ...ask, userAction: 'nonsense' })).status, 403)
    assert.equal((await send({ ...ask, body: { operations: [] }, userAction: 'x' })).status, 400)
    const used = await sign(ask)
    assert.equal((await send({ body: ask.body, userAction: used })).status, 200)
    assert.equal((await send({ ...ask, userAction: used })).status, 400)
    const { status, repeated } = await send({ ...ask, path: '/permissions/', userAction: 'x' })
    assert.deepEqual([status, repeated], [403, 'false'])
    assert.equal((await rows()).filter((row) => row.status === null).length, 0)
  })
})

describe('a request under a key whose answer is not known', () => {
  it('is carried out to the same end by the next life, whatever signature comes with it', async () => {
    const ask = { key: 'died', body: permission('died') }
    const first = await send(ask)
    await reopen()
    await nextLife()
    assert.deepEqual(await send(ask), { ...first, repeated: 'true' })
    assert.deepEqual(await send(ask), { ...first, repeated: 'true' })
    assert.equal(await count('died'), 1)
  })

  it('is not carried out by a second signature while the first may still be', async () => {
    const ask = { key: 'begun', body: permission('begun') }
    const userAction = await sign(ask)
    await beginAndDie(ask, userAction)
    await nextLife()
    const made = await send(ask)
    assert.deepEqual([made.status, made.repeated], [200, 'true'])
    assert.notEqual(await usedAt(userAction), null)
    assert.equal(await count('begun'), 1)
    assert.equal((await send({ body: ask.body, userAction })).status, 400)
  })

  it('is carried out by the next signature once the first is too old, and was never used', async () => {
    const ask = { key: 'old', body: permission('old') }
    const userAction = await sign(ask)
    await beginAndDie(ask, userAction)
    await expire()
    const made = await send(ask)
    assert.deepEqual([made.status, made.repeated], [200, 'false'])
    // Whoever still has it at hand, and is slow, comes too late.
    assert.notEqual(await usedAt(userAction), null)
    assert.deepEqual(await send(ask), { ...made, repeated: 'true' })
  })

  it('is carried out no more when nobody knows what became of the first signature', async () => {
    const ask = { key: 'lost', body: permission('lost') }
    await send(ask)
    await reopen()
    const used = await send(ask)
    assert.deepEqual([used.status, used.body.message], [409, lost])
    await expire()
    await nextLife()
    assert.equal((await send(ask)).body.message, lost)
    await platform.database.deleteFrom('challenges').execute()
    assert.equal((await send(ask)).body.message, lost)
    assert.equal(await count('lost'), 1)
  })

  it('is open after an error of the server, and is the same request when it is asked again', async () => {
    const ask = { path: '/keys', key: 'away', body: { scheme: 'EdDSA', curve: 'ed25519' } }
    const before = await countKeys()
    platform.solo.missing = ['signer-1', 'signer-2']
    for (let i = 0; i < 2; i++) {
      const { status, repeated } = await send(ask)
      assert.deepEqual([status, repeated], [503, 'false'])
    }
    platform.solo.missing = []
    const made = await send(ask)
    assert.deepEqual([made.status, made.repeated], [200, 'true'])
    assert.deepEqual(await send(ask), made)
    assert.equal(await countKeys(), before + 1)
  })

  it('is one signature, whose signers were away, however often somebody signs for it', async () => {
    const wallet = await send({ path: '/wallets', body: { network: 'KeyEdDSA' } })
    const path = `/wallets/${wallet.body.id}/signatures`
    const ask = { path, key: 'unsigned', body: { kind: 'Message', message: '0x00' } }
    platform.solo.missing = ['signer-1', 'signer-2']
    assert.equal((await send(ask)).status, 503)
    platform.solo.missing = []
    const made = await send(ask)
    assert.deepEqual([made.status, made.repeated, made.body.status], [200, 'true', 'Signed'])
    const list = await rawClient(baseUrl, company.serviceAccount).send('GET', path)
    assert.deepEqual(
      list.body.items.map(({ id }: { readonly id: string }) => id),
      [made.body.id],
    )
  })

  it('is what stands under its external id, whose signers were away when it was asked for anew', async () => {
    const wallet = await send({ path: '/wallets', body: { network: 'KeyEdDSA' } })
    const path = `/wallets/${wallet.body.id}/signatures`
    const body = { kind: 'Message', message: '0x00', externalId: 'away' }
    platform.solo.missing = ['signer-1', 'signer-2']
    assert.equal((await send({ path, body })).status, 503)
    const ask = { path, key: 'away-anew', body }
    const userAction = await sign(ask)
    for (let i = 0; i < 2; i++) assert.equal((await send({ ...ask, userAction })).status, 503)
    platform.solo.missing = []
    const made = await send(ask)
    assert.deepEqual([made.status, made.repeated, made.body.status], [200, 'true', 'Signed'])
    assert.equal((await send({ path, body, userAction })).body.id, made.body.id)
    const list = await rawClient(baseUrl, company.serviceAccount).send('GET', path)
    assert.deepEqual(
      list.body.items.map(({ id }: { readonly id: string }) => id),
      [made.body.id],
    )
  })

  it('is not begun anew when an erasure has taken its signature before it failed', async () => {
    const ask = { key: 'taken', body: permission('taken') }
    const userAction = await sign(ask)
    const given = { ...(await asked(ask)), userAction }
    const failed = openKeptAnswers(platform.deps)(given, async (action) => {
      const { database, now } = platform.deps
      assert.ok(action !== undefined && (await retire(database, action, now())))
      await database.deleteFrom('challenges').where('action', '=', action).execute()
      throw new Failure('signers.unavailable', { missing: [] })
    })
    await assert.rejects(failed, { code: 'signers.unavailable' })
    const { status, body } = await send(ask)
    assert.deepEqual([status, body.message], [409, lost])
    assert.equal(await count('taken'), 0)
  })

  it('may be asked otherwise when it is refused now and has spent nothing before', async () => {
    const wallet = await send({ path: '/wallets', body: { network: 'KeyEdDSA' } })
    const path = `/wallets/${wallet.body.id}/signatures`
    const ask = { path, key: 'refused-now', body: { kind: 'Eip191', message: '0x00' } }
    const userAction = await sign({ ...ask, body: { kind: 'Message', message: '0x00' } })
    await beginAndDie(ask, userAction)
    assert.ok([400, 403].includes((await send(ask)).status))
    const otherwise = await send({ ...ask, body: { kind: 'Message', message: '0x00' } })
    assert.deepEqual([otherwise.status, otherwise.repeated], [200, 'false'])
  })

  it('is called refused only when a slow server can make nothing of it any more', async () => {
    const ask = { key: 'slow-elsewhere', body: permission('slow elsewhere') }
    const slow = await beginSlowly(ask)
    await assert.rejects(openKeptAnswers(platform.deps)(slow.asked, refusing), { code: notFound })
    const anew = await send(ask)
    assert.deepEqual([anew.status, anew.repeated], [200, 'false'])
    slow.goOn()
    await assert.rejects(slow.answer, { code: 'idempotency_key.in_flight' })
    assert.equal(slow.made(), false)
  })

  it('is not called refused by one server while another one carries it out', async () => {
    const ask = { key: 'made-elsewhere', body: permission('made elsewhere') }
    const slow = await beginSlowly(ask)
    const overtaken = openKeptAnswers(platform.deps)(slow.asked, async () => {
      slow.goOn()
      await slow.answer
      return refusing()
    })
    await assert.rejects(overtaken, { code: 'idempotency_key.lost' })
    assert.equal(slow.made(), true)
    assert.deepEqual(await send(ask), { status: 200, repeated: 'true', body: {} })
  })

  it('is not called refused for what refuses now, though it was carried out before', async () => {
    const ask = { key: 'later-refused', body: permission('later refused') }
    const userAction = await sign(ask)
    await send({ ...ask, userAction })
    await reopen()
    const keep = openKeptAnswers(platform.deps)
    await assert.rejects(keep(await asked(ask), refusing), { code: 'idempotency_key.lost' })
    assert.equal((await rows()).filter((row) => row.status === null).length > 0, true)
  })
})

describe('what is kept of answers', () => {
  it('is nothing that is a secret: such a request is carried out, and its key is not looked at', async () => {
    const body = { name: 'robot 2', publicKey: publicPem(newKey()) }
    const who = company.administrator
    const ask = { path: '/auth/service-accounts', key: 'secret', body, who }
    const made = await send(ask)
    assert.deepEqual([made.status, made.repeated], [200, null])
    assert.equal((await send(ask)).status, 409)
    const token: string = made.body.accessTokens[0].accessToken
    assert.ok((await rows()).every(({ answer }) => answer?.includes(token) !== true))
  })

  it('is forgotten after a day, and the key is another request’s then', async () => {
    const ask = { key: 'day', body: permission('day') }
    const first = await send(ask)
    await age(keptMs - 60_000)
    assert.deepEqual(await send(ask), { ...first, repeated: 'true' })
    await age(60_000)
    const second = await send({ key: 'day', body: permission('next day') })
    assert.deepEqual([second.status, second.repeated], [200, 'false'])
    await forgetKept(platform.database, platform.deps.now())
    assert.equal((await rows()).length, 1)
  })

  it('has room for so many of an organization within a day, and then refuses', async () => {
    const max = (await rows()).length + 2
    const keep = openKeptAnswers({ ...platform.deps }, max)
    const made = { status: 200, text: '{}' }
    const ask = async (key: string) => keep(await asked({ key }), async () => made)
    await ask('a')
    await ask('b')
    await assert.rejects(ask('c'), { code: 'idempotency_key.too_many' })
    assert.deepEqual(await ask('b'), { ...made, isRepeated: true })
    const mine = await asked({ key: 'c' })
    const other = { ...mine, caller: { ...mine.caller, organization: new Uint8Array(32) } }
    assert.equal((await keep(other, async () => made)).isRepeated, false)
  })

  it('goes with an erasure, whoever has asked for it', async () => {
    const body = { email: 'eve7c1f@example.test', kind: 'CustomerEmployee' }
    const made = await send({ path: '/auth/users', key: 'eve', body })
    assert.equal(made.status, 200)
    const path = `/auth/users/${made.body.userId}`
    assert.equal((await send({ method: 'DELETE', path })).status, 200)
    const hasHer = async () => JSON.stringify(await rows()).includes('eve7c1f')
    assert.ok(await hasHer())
    assert.equal((await send({ method: 'PUT', path: `${path}/erase`, key: 'erase' })).status, 200)
    assert.ok(!(await hasHer()))
  })

  it('leaves its key when it goes with an erasure: what comes under it is not done again', async () => {
    const ask = { path: '/keys', key: 'kept', body: { scheme: 'EdDSA', curve: 'ed25519' } }
    assert.equal((await send(ask)).status, 200)
    const { request } = await asked(ask)
    const hasIt = async () => (await rows()).some((row) => equalBytes(row.request, request))
    assert.ok(await hasIt())
    const keys = await countKeys()
    await eraseSomebody()
    assert.ok(!(await hasIt()))
    for (const again of [ask, { ...ask, body: { ...ask.body, name: 'other' } }]) {
      const { status, body } = await send(again)
      assert.deepEqual([status, body.message], [409, lost])
    }
    assert.equal(await countKeys(), keys)
    await age(keptMs)
    assert.equal((await send(ask)).status, 200)
  })
})

describe('the official client behind something that adds a key', () => {
  it('makes one wallet where it asks twice, and reads and signs as ever', async () => {
    const proxy = await startProxy('one-key-for-all')
    try {
      const { authToken, credId, privateKey } = company.serviceAccount
      const signer = new AsymmetricKeySigner({ credId, privateKey })
      const { orgId } = company
      const sdk = new DfnsApiClient({ baseUrl: proxy.url, orgId, authToken, signer })
      const body = { network: 'KeyEdDSA', name: 'once' } as const
      const made = await sdk.wallets.createWallet({ body })
      assert.deepEqual(await sdk.wallets.createWallet({ body }), made)
      const { items } = await sdk.wallets.listWallets({})
      assert.equal(items.filter(({ name }) => name === 'once').length, 1)
      const other = sdk.wallets.createWallet({ body: { ...body, name: 'another' } })
      await assert.rejects(other, { httpStatus: 422, message: reused })
    } finally {
      await proxy.close()
    }
  })
})

/** What a server has begun under a key that is never heard of again. */
async function beginAndDie(ask: Ask, userAction: string): Promise<void> {
  const keep = openKeptAnswers(platform.deps)
  const given = { ...(await asked({ ...ask, userAction })), userAction }
  const begun = Promise.withResolvers<void>()
  void keep(given, () => {
    begun.resolve()
    return new Promise<never>(() => undefined)
  })
  await begun.promise
}

async function eraseSomebody(): Promise<void> {
  const body = { email: 'somebody@example.test', kind: 'CustomerEmployee' }
  const made = await send({ path: '/auth/users', body })
  const path = `/auth/users/${made.body.userId}`
  assert.equal((await send({ method: 'DELETE', path })).status, 200)
  assert.equal((await send({ method: 'PUT', path: `${path}/erase` })).status, 200)
}

const notFound = 'wallet.not_found'
const refusing = () => Promise.reject(new Failure(notFound, { walletId: 'wa-1' }))

/** What a server has begun under a key, and goes on with when it is let: it spends the action then. */
async function beginSlowly(ask: Ask) {
  const userAction = await sign(ask)
  const given = { ...(await asked(ask)), userAction }
  const [begun, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  let isMade = false
  const answer = openKeptAnswers(platform.deps)(given, async (action) => {
    begun.resolve()
    await gate.promise
    if (action === undefined) assert.fail()
    const { database, now } = platform.deps
    if (!(await retire(database, action, now()))) throw new Failure('action.used', {})
    isMade = true
    return { status: 200, text: '{}' }
  })
  answer.catch(() => undefined)
  await begun.promise
  return { asked: given, answer, made: () => isMade, goOn: gate.resolve }
}

async function asked({ method = 'POST', path = '/permissions', body = {}, key = '' }: Ask) {
  const authenticate = authenticateWith({ ...platform.deps, setupToken })
  const authorization = `Bearer ${company.serviceAccount.authToken}`
  const name = 'permissions.createPermission'
  const caller = await authenticate({ name, operation: operations[name], authorization })
  const raw = { method, url: path, body: JSON.stringify(body), userAction: undefined }
  return { caller, key, request: requestHashOf(raw), userAction: undefined }
}

async function usedAt(userAction: string): Promise<number | null> {
  const row = await platform.database
    .selectFrom('challenges')
    .select('used_at')
    .where('action', '=', secretHash(userAction))
    .executeTakeFirstOrThrow()
  return row.used_at
}

async function countKeys(): Promise<number> {
  return (await rawClient(baseUrl, company.serviceAccount).send('GET', '/keys')).body.items.length
}

/** It changes nothing but a header, as a back end's own client would. */
async function startProxy(key: string) {
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => void parts.push(part))
    request.on('end', () => {
      const { method = '', url = '', headers } = request
      const passed = ['authorization', 'content-type', 'x-dfns-useraction'] as const
      const given = passed.flatMap((name) => (headers[name] ? [[name, String(headers[name])]] : []))
      const answer = fetch(new URL(url, baseUrl), {
        method,
        headers: { ...Object.fromEntries(given), 'idempotency-key': key },
        ...(method === 'GET' ? {} : { body: Buffer.concat(parts) }),
      })
      answer.then(
        async (back) => {
          response.writeHead(back.status, { 'content-type': 'application/json' })
          response.end(await back.text())
        },
        (error: unknown) => response.destroy(error instanceof Error ? error : undefined),
      )
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const close = async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  }
  return { url: `http://127.0.0.1:${port}`, close }
}
