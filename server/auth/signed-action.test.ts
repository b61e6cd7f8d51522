import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { decodePreimage } from '@quorate/authority/request'
import { fromBase64url } from '@quorate/core/bytes'
import { after, before, describe, it } from 'node:test'
import { foundCompany, newKey, publicPem, type Company } from '../testing/company.ts'
import { startTestPlatform, type TestPlatform } from '../testing/platform.ts'
import { rawClient, type RawClient, type Speaker } from '../testing/raw-client.ts'
import { recentOf } from './recent.ts'

/** Between a signature and the request that it is for, much can happen. */
describe('what somebody has signed and not yet asked for', () => {
  let platform: TestPlatform
  let company: Company
  let admin: RawClient
  let permissionId: string
  let path: string
  const body = { kind: 'Message', message: '0x00' }
  before(async () => {
    platform = await startTestPlatform()
    company = await foundCompany(platform)
    admin = rawClient(platform.baseUrl, company.administrator)
    const { items } = (await admin.send('GET', '/permissions')).body
    const isFull = ({ name }: { readonly name: string }) => name.includes('FullAdmin')
    permissionId = items.find(isFull).id
    const made = await admin.call('/keys', { scheme: 'EdDSA', curve: 'ed25519' })
    path = `/keys/${made.body.id}/signatures`
  })
  after(() => platform.close())

  const remembered = () => recentOf(platform.database).actions.size
  const requests = async () =>
    (await platform.database.selectFrom('signature_requests').select('id').execute()).length

  async function robot() {
    const privateKey = newKey()
    const account = { name: randomUUID(), publicKey: publicPem(privateKey), permissionId }
    const { userInfo, accessTokens } = (await admin.call('/auth/service-accounts', account)).body
    const [{ accessToken: authToken, credId }] = accessTokens
    const speaker: Speaker = { authToken, credId, privateKey }
    return { userId: userInfo.userId, client: rawClient(platform.baseUrl, speaker) }
  }

  async function off(method: string, way: string): Promise<void> {
    const action = (await admin.sign(await admin.init(method, way, {}))).body.userAction
    const done = await admin.send(method, way, {}, action)
    assert.equal(done.status, 200, JSON.stringify(done.body))
  }

  it('is signed for, while it is remembered, so that the refusals below mean something', async () => {
    const { client } = await robot()
    const action = await client.act(path, body)
    const before = remembered()
    const { status, body: signed } = await client.send('POST', path, body, action)
    assert.deepEqual([status, signed.status], [200, 'Signed'])
    assert.equal(remembered(), before - 1)
  })

  it('is refused once its author is deactivated, remembered or not', async () => {
    const { client, userId } = await robot()
    const action = await client.act(path, body)
    await off('PUT', `/auth/service-accounts/${userId}/deactivate`)
    const [before, known] = [await requests(), remembered()]
    const { status } = await client.send('POST', path, body, action)
    assert.equal(status, 401)
    assert.equal(await requests(), before)
    assert.equal(remembered(), known)
  })

  it('is refused once the token of its author is deactivated', async () => {
    const privateKey = newKey()
    const pat = { name: 'pat', publicKey: publicPem(privateKey), permissionId }
    const made = (await admin.call('/auth/pats', pat)).body
    const { accessToken: authToken, credId, tokenId } = made
    const client = rawClient(platform.baseUrl, { authToken, credId, privateKey })
    const action = await client.act(path, body)
    await off('PUT', `/auth/pats/${tokenId}/deactivate`)
    const before = await requests()
    assert.equal((await client.send('POST', path, body, action)).status, 401)
    assert.equal(await requests(), before)
  })

  it('may be agreed on for an hour where it stands in line, and is signed within ten minutes', async () => {
    const { client } = await robot()
    const wallet = (await admin.call('/wallets', { network: 'EthereumSepolia' })).body
    const payment = { kind: 'Native', to: `0x${'11'.repeat(20)}`, amount: '1' }
    for (const [way, asked, minutes] of [
      [`/wallets/${wallet.id}/transfers`, payment, 60],
      [path, body, 10],
    ] as const) {
      const { preimage } = (await client.init('POST', way, asked)).body
      const { issuedAt, signBefore } = decodePreimage(fromBase64url(preimage))
      assert.equal(signBefore - issuedAt, minutes * 60_000)
      const { expires_at } = await platform.database
        .selectFrom('challenges')
        .select('expires_at')
        .orderBy('issued_at', 'desc')
        .limit(1)
        .executeTakeFirstOrThrow()
      assert.equal(expires_at - issuedAt, 10 * 60_000)
    }
  })

  it('waits while signers say that the clock of this server is off, and is good afterwards', async () => {
    const { client } = await robot()
    const key = { scheme: 'EdDSA', curve: 'ed25519' }
    const [signature, another] = [await client.act(path, body), await client.act('/keys', key)]
    for (const clockState of ['ahead', 'behind'] as const) {
      platform.solo.clockState = clockState
      for (const [way, asked, action] of [
        [path, body, signature],
        ['/keys', key, another],
      ] as const) {
        const answer = await client.send('POST', way, asked, action)
        assert.equal(answer.status, 503)
        assert.match(answer.body.error.message, new RegExp(`is ${clockState}`))
      }
      // Nobody is asked to sign what could not be agreed on.
      assert.equal((await client.init('POST', path, body)).status, 503)
    }
    platform.solo.clockState = 'right'
    assert.equal((await client.send('POST', '/keys', key, another)).status, 200)
    const made = await client.send('POST', path, body, signature)
    assert.deepEqual([made.status, made.body.status], [200, 'Signed'])
    const again = await client.send('POST', path, body, signature)
    assert.deepEqual(again.body, made.body)
  })
})
