import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { foundCompany, newKey, publicPem, type Company } from '../testing/company.ts'
import { startTestPlatform, type TestPlatform } from '../testing/platform.ts'
import { rawClient, type RawClient } from '../testing/raw-client.ts'

describe('a key that waits to be delegated', () => {
  let platform: TestPlatform
  let company: Company
  let admin: RawClient
  let maker: RawClient
  before(async () => {
    platform = await startTestPlatform()
    company = await foundCompany(platform)
    admin = rawClient(platform.baseUrl, company.administrator)
    maker = rawClient(platform.baseUrl, company.serviceAccount)
  })
  after(async () => {
    await platform.close()
    assert.deepEqual(platform.unexpected, [])
  })

  async function another(): Promise<RawClient> {
    const permissions = (await admin.send('GET', '/permissions')).body.items
    const { id: permissionId } = permissions.find(({ name }: { readonly name: string }) =>
      name.includes('FullAdmin'),
    )
    const privateKey = newKey()
    const account = { name: 'second robot', publicKey: publicPem(privateKey), permissionId }
    const [token] = (await admin.call('/auth/service-accounts', account)).body.accessTokens
    const { accessToken: authToken, credId } = token
    return rawClient(platform.baseUrl, { authToken, credId, privateKey })
  }
  async function customer(): Promise<string> {
    const body = { email: 'customer@example.test', kind: 'EndUser' }
    return (await maker.call('/auth/registration/delegated', body)).body.user.id
  }

  it('is refused to other service accounts before their request is burned', async () => {
    const other = await another()
    const userId = await customer()
    const body = { network: 'KeyECDSA', delayDelegation: true }
    const { id: walletId, signingKey } = (await maker.call('/wallets', body)).body
    const ways = [
      [`/keys/${signingKey.id}/delegate`, { delegateTo: userId }],
      [`/wallets/${walletId}/delegate`, { userId }],
    ] as const
    const signed = await Promise.all(
      ways.map(async ([path, asked]) => ({ path, asked, action: await other.act(path, asked) })),
    )
    for (const { path, asked, action } of signed) {
      const refused = await other.send('POST', path, asked, action)
      assert.equal(refused.status, 403)
      assert.equal(refused.body.message, 'another service account has made the key')
    }
    // Nobody else could ever reach the key, were it not for those who are left.
    const { userId: made } = company.serviceAccount
    const end = `/auth/service-accounts/${made}`
    const gone = await admin.sign(await admin.init('DELETE', end, {}))
    assert.equal((await admin.send('DELETE', end, {}, gone.body.userAction)).status, 200)
    const [first] = signed
    assert.ok(first)
    const { path, asked, action } = first
    const given = await other.send('POST', path, asked, action)
    assert.equal(given.status, 200, JSON.stringify(given.body))
    assert.equal((await other.send('POST', path, asked, action)).status, 400)
  })
})
