import assert from 'node:assert/strict'
import { it } from 'node:test'
import { foundCompany } from '../testing/company.ts'
import { startTestPlatform } from '../testing/platform.ts'
import { rawClient } from '../testing/raw-client.ts'

it('an empty name or note is none, when a wallet or a key is made and when it is renamed', async (test) => {
  const platform = await startTestPlatform()
  test.after(() => platform.close())
  const client = rawClient(platform.baseUrl, (await foundCompany(platform)).serviceAccount)
  const call = async (method: string, path: string, wish: object) => {
    const signed = await client.sign(await client.init(method, path, wish))
    const { status, body } = await client.send(method, path, wish, signed.body.userAction)
    assert.equal(status, 200, JSON.stringify(body))
    assert.deepEqual(
      (await client.send('GET', `/${path.split('/')[1]}/${body.id}`)).body.name,
      body.name,
    )
    return body
  }
  const empty = { name: '', externalId: '' }
  const wallet = await call('POST', '/wallets', { network: 'KeyEdDSA', ...empty })
  assert.deepEqual([wallet.name, wallet.externalId], [undefined, undefined])
  const named = await call('PUT', `/wallets/${wallet.id}`, { name: 'hot', externalId: 'c-17' })
  assert.deepEqual([named.name, named.externalId], ['hot', 'c-17'])
  const bare = await call('PUT', `/wallets/${wallet.id}`, empty)
  assert.deepEqual([bare.name, bare.externalId], [undefined, undefined])
  const key = await call('POST', '/keys', { scheme: 'EdDSA', curve: 'ed25519', name: '' })
  assert.equal(key.name, undefined)
  assert.equal((await call('PUT', `/keys/${key.id}`, { name: 'ops' })).name, 'ops')
  assert.equal((await call('PUT', `/keys/${key.id}`, { name: '' })).name, undefined)
  assert.deepEqual(platform.unexpected, [])
})
