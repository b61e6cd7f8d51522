import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { foundCompany } from '../testing/company.ts'
import { startTestPlatform, type TestPlatform } from '../testing/platform.ts'
import { rawClient, type RawClient } from '../testing/raw-client.ts'

describe('a signature request', () => {
  let platform: TestPlatform
  let client: RawClient
  let path: string
  before(async () => {
    platform = await startTestPlatform()
    const { administrator } = await foundCompany(platform)
    client = rawClient(platform.baseUrl, administrator)
    const body = JSON.stringify({ scheme: 'EdDSA', curve: 'ed25519' })
    const { id } = (await client.call('/keys', body)).body
    path = `/keys/${id}/signatures`
  })
  after(() => platform.close())

  const bodyOf = (text: string, externalId?: string) =>
    JSON.stringify({
      ...{ kind: 'Message', message: `0x${Buffer.from(text).toString('hex')}` },
      ...(externalId === undefined ? {} : { externalId }),
    })
  const rowsOf = async () => {
    const { database } = platform
    const requests = await database.selectFrom('signature_requests').select('status').execute()
    const events = await database
      .selectFrom('outbox')
      .select('kind')
      .where('kind', 'like', 'wallet.signature.%')
      .orderBy('kind')
      .execute()
    return {
      statuses: requests.map(({ status }) => status),
      events: events.map(({ kind }) => kind),
    }
  }
  const [requested, signed] = ['wallet.signature.requested', 'wallet.signature.signed']

  it('is written once and told of once, however many come with one user action', async () => {
    const body = bodyOf('once')
    const userAction = await client.act(path, body)
    const send = () => client.send('POST', path, body, userAction)
    const answers = await Promise.all([send(), send(), send(), send()])
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 400, 400, 400])
    assert.deepEqual(await rowsOf(), { statuses: ['Signed'], events: [requested, signed] })
  })

  it('is not made when another server has used its action, whatever this one remembers', async () => {
    const { database } = platform
    const before = await rowsOf()
    const body = bodyOf('elsewhere')
    const userAction = await client.act(path, body)
    const used = await database
      .updateTable('challenges')
      .set({ used_at: Date.now(), begun_by: new Uint8Array(16).fill(7) })
      .where('action', 'is not', null)
      .where('used_at', 'is', null)
      .executeTakeFirst()
    assert.equal(used.numUpdatedRows, 1n)
    assert.equal((await client.send('POST', path, body, userAction)).status, 400)
    assert.deepEqual(await rowsOf(), before)
  })

  it('is the same under one external id, whose second action is burned all the same', async () => {
    const body = bodyOf('twice', 'invoice 1')
    const actions = [await client.act(path, body), await client.act(path, body)]
    const answers = []
    for (const userAction of [...actions, ...actions])
      answers.push(await client.send('POST', path, body, userAction))
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 400, 400],
    )
    assert.equal(answers[0]?.body.id, answers[1]?.body.id)
    const { statuses, events } = await rowsOf()
    assert.equal(statuses.length, 2)
    assert.deepEqual(events, [requested, requested, signed, signed])
  })

  it('is shown to whoever has found it under an external id by the server’s next life, until that is erased', async () => {
    const body = bodyOf('third', 'invoice 4')
    const first = await client.call(path, body)
    const userAction = await client.act(path, body)
    const send = () => client.send('POST', path, body, userAction)
    assert.deepEqual(await send(), first)
    const { database } = platform
    const left = { begun_by: new Uint8Array(16).fill(7) }
    await database.updateTable('challenges').set(left).where('used_at', 'is not', null).execute()
    const before = await rowsOf()
    assert.deepEqual(await send(), first)
    await database.deleteFrom('external_ids').where('external_id', '=', 'invoice 4').execute()
    const { status, body: said } = await send()
    assert.deepEqual([status, said.message], [400, 'user action has already been used'])
    assert.deepEqual(await rowsOf(), before)
  })

  it('is shown under its external id, although its key is archived by then; other words are refused', async () => {
    const { database } = platform
    const body = bodyOf('last', 'invoice 2')
    const first = await client.call(path, body)
    const actions = [await client.act(path, body), await client.act(path, body)]
    const other = await client.act(path, bodyOf('another', 'invoice 3'))
    const archived = { deleted_at: Date.now() }
    const key_id = path.split('/')[2] ?? assert.fail()
    await database.updateTable('keys').set(archived).where('key_id', '=', key_id).execute()
    const before = await rowsOf()
    assert.deepEqual([first.status, await client.call(path, body)], [200, first])
    for (const userAction of actions)
      assert.deepEqual(await client.send('POST', path, body, userAction), first)
    const conflict = await client.init('POST', path, bodyOf('no more', 'invoice 2'))
    assert.equal(conflict.status, 409)
    const refused = await client.send('POST', path, bodyOf('another', 'invoice 3'), other)
    assert.deepEqual([refused.status, refused.body.error.message], [403, 'the key is archived'])
    assert.deepEqual(await rowsOf(), before)
  })
})
