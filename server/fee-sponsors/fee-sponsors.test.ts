import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { foundCompany, type Company } from '../testing/company.ts'
import { startTestPlatform, type TestPlatform } from '../testing/platform.ts'
import { rawClient, type RawClient } from '../testing/raw-client.ts'

describe('fee sponsors over the API', () => {
  let platform: TestPlatform
  let company: Company
  let admin: RawClient
  before(async () => {
    platform = await startTestPlatform()
    company = await foundCompany(platform)
    admin = rawClient(platform.baseUrl, company.administrator)
  })
  after(async () => {
    const { differences } = await platform.rebuild()
    await platform.close()
    assert.deepEqual(differences, [])
    assert.deepEqual(platform.unexpected, [])
  })
  const ask = async (method: string, path: string, body: unknown, client = admin) => {
    const begun = await client.init(method, path, body)
    if (begun.status !== 200) return begun
    const signed = await client.sign(begun)
    assert.equal(signed.status, 200, JSON.stringify(signed.body))
    return client.send(method, path, body, signed.body.userAction)
  }
  const makeWallet = async (network = 'EthereumSepolia'): Promise<string> =>
    (await ask('POST', '/wallets', { network })).body.id
  const make = (walletId: string, more: object = {}) =>
    ask('POST', '/fee-sponsors', { walletId, ...more })
  const get = (id: string) => admin.send('GET', `/fee-sponsors/${id}`)

  it('are made, read, limited, switched off and on, and archived for ever', async () => {
    const walletId = await makeWallet()
    const limits = { perOperation: '1000', perDay: '5000' }
    const made = await make(walletId, { name: 'gas', allowEndUser: true, limits })
    assert.equal(made.status, 200, JSON.stringify(made.body))
    const { id, dateCreated, ...rest } = made.body
    assert.match(id, /^fs-/)
    assert.deepEqual(rest, {
      ...{ name: 'gas', walletId, network: 'EthereumSepolia', status: 'Active' },
      ...{ allowEndUser: true, limits },
    })
    assert.deepEqual((await get(id)).body, made.body)
    const path = `/fee-sponsors/${id}`
    const limited = await ask('PUT', path, { limits: { perUserPerDay: '7' } })
    assert.deepEqual(limited.body, { ...made.body, limits: { perUserPerDay: '7' } })
    const off = await ask('PUT', `${path}/deactivate`, {})
    assert.equal(off.body.status, 'Deactivated')
    assert.equal(off.body.acknowledgedBy.length, 4)
    const on = await ask('PUT', `${path}/activate`, {})
    assert.deepEqual(on.body, { ...limited.body, dateCreated })
    const gone = await ask('DELETE', path, {})
    assert.equal(gone.body.status, 'Archived')
    assert.equal(gone.body.acknowledgedBy.length, 4)
    for (const [method, at, body] of [
      ['PUT', `${path}/activate`, {}],
      ['PUT', path, { limits: {} }],
      ['DELETE', path, {}],
    ] as const) {
      const refused = await ask(method, at, body)
      assert.deepEqual(
        [refused.status, refused.body.error.message],
        [400, 'the fee sponsor is archived'],
      )
    }
    assert.equal((await get(id)).body.status, 'Archived')
  })

  it('are refused where they could not pay, in words', async () => {
    const walletId = await makeWallet()
    assert.equal((await make(walletId)).status, 200)
    const again = await make(walletId)
    assert.deepEqual(
      [again.status, again.body.error.message],
      [400, 'the wallet is a fee sponsor already'],
    )
    const elsewhere = await make(await makeWallet('KeyEdDSA'))
    assert.deepEqual(
      [elsewhere.status, elsewhere.body.error.message],
      [400, 'there are no fee sponsors on KeyEdDSA'],
    )
    const legacy = await make(await makeWallet('EthereumClassicMordor'))
    assert.equal(legacy.status, 400)
    assert.equal((await make(walletId, { limits: { perDay: '1.5' } })).status, 400)
    assert.equal((await make(walletId, { limits: { perWeek: '1' } })).status, 400)
  })

  it('are never wallets that are delegated, or wait to be', async () => {
    const robot = rawClient(platform.baseUrl, company.serviceAccount)
    const body = { network: 'EthereumSepolia', delayDelegation: true }
    const waiting = (await ask('POST', '/wallets', body, robot)).body.id
    const refused = await make(waiting)
    assert.equal(refused.status, 400)
    assert.match(refused.body.error.message, /delegated/)
  })

  it('of another organization are not found, nor are its wallets', async () => {
    const other = rawClient(platform.baseUrl, (await foundCompany(platform)).administrator)
    const walletId = await makeWallet()
    const { id } = (await make(walletId)).body
    assert.equal((await other.send('GET', `/fee-sponsors/${id}`)).status, 404)
    assert.equal((await ask('PUT', `/fee-sponsors/${id}/deactivate`, {}, other)).status, 404)
    assert.equal((await ask('POST', '/fee-sponsors', { walletId }, other)).status, 404)
    assert.deepEqual((await other.send('GET', '/fee-sponsors')).body, { items: [] })
    assert.equal((await get('fs-aaaaa-aaaaa-aaaaaaaaaaaaaaaa')).status, 404)
    assert.equal((await get(id)).body.status, 'Active')
  })

  it('are listed from the newest on, page by page', async () => {
    const ids: string[] = []
    for (let i = 0; i < 3; i++) ids.push((await make(await makeWallet())).body.id)
    const found: string[] = []
    for (let token: string | undefined, page = 0; page < 10; page++) {
      const query = token === undefined ? 'limit=2' : `limit=2&paginationToken=${token}`
      const { body } = await admin.send('GET', `/fee-sponsors?${query}`)
      assert.ok(body.items.length <= 2)
      found.push(...body.items.map(({ id }: { readonly id: string }) => id))
      token = body.nextPageToken
      if (token === undefined) break
    }
    assert.deepEqual(found.slice(0, 3), ids.toReversed())
    assert.equal(new Set(found).size, found.length)
  })
})
