import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import type { DfnsApiClient } from '@dfns/sdk'
import type { Credentials } from '../checked-client.ts'
import { type Answer, refusal, send, userActionFor } from '../http.ts'
import type { Platform } from '../platform.ts'
import { checkReceipt } from '../receipt.ts'
import { employ, promote, type Employee } from './people.ts'

const settings = { method: 'PUT', path: '/orgs/settings' } as const
const freezes = { method: 'POST', path: '/orgs/freezes' } as const
const minuteMs = 60_000
const message = { kind: 'Message', message: '0x01' } as const

type Asked = { readonly method: 'POST' | 'PUT' | 'DELETE'; readonly path: string }

/** What the official client has no method for, signed as it would sign it. */
async function call(
  { baseUrl }: { readonly baseUrl: string },
  credentials: Credentials,
  { method, path }: Asked,
  given: object,
): Promise<Answer> {
  const body = JSON.stringify(given)
  const userAction = await userActionFor({ baseUrl, credentials, method, path, body })
  return send(baseUrl, { method, path, token: credentials.authToken, body, userAction })
}

async function changeSettings(platform: Platform, by: Credentials, body: object): Promise<Answer> {
  return call(platform.bootstrap(), by, settings, body)
}

/** By the administrator, while he is the whole root quorum. */
export async function ruleAlone(platform: Platform, body: object): Promise<void> {
  const answer = await changeSettings(platform, platform.bootstrap().administrator, body)
  await isInForce(platform, answer)
}

async function readSettings(platform: Platform, by: Credentials) {
  const { baseUrl } = platform.bootstrap()
  const { status, body } = await send(baseUrl, {
    ...{ method: 'GET', path: settings.path, token: by.authToken },
  })
  assert.equal(status, 200)
  return Object(body)
}

async function isInForce(platform: Platform, { status, body }: Answer): Promise<void> {
  assert.deepEqual([status, Object(body).status], [200, 'InForce'], JSON.stringify(body))
  await checkReceipt(platform, body)
}

function isPending({ status, body }: Answer, { userId }: { readonly userId: string }): void {
  assert.deepEqual([status, Object(body).status], [202, 'Pending'], JSON.stringify(body))
  assert.deepEqual(Object(body).signedBy, [userId])
}

/** Everything here is judged by the real signers: what they allow is no server's word. */
export function rulers(platform: Platform): void {
  describe('the root quorum', () => {
    let second: Employee
    before(async () => {
      second = await employ(platform)
      await promote(platform, second)
    })

    it('of two members changes nothing by one of them, and all by both', async () => {
      const first = platform.bootstrap().administrator
      const put = (by: Credentials, body: object) => changeSettings(platform, by, body)
      const members = [first.userId, second.userId]
      const wish = { settings: { recovery: { waitMs: minuteMs } } }
      refusal(await put(second, wish), 403)
      await ruleAlone(platform, { rootQuorum: { needed: 2, members } })
      isPending(await put(first, wish), first)
      isPending(await put(first, wish), first)
      const waiting = await readSettings(platform, second)
      assert.deepEqual(waiting.rootQuorum, { needed: 2, members })
      assert.equal(waiting.settings.recovery.waitMs, 0)
      assert.equal(waiting.proposals.length, 1)
      // Another outcome, however near, is another proposal.
      isPending(await put(second, { settings: { recovery: { waitMs: 1 } } }), second)
      await isInForce(platform, await put(second, wish))
      assert.equal((await readSettings(platform, first)).settings.recovery.waitMs, minuteMs)

      const rootQuorum = { needed: 1, members: [first.userId] }
      const back = { settings: { recovery: { waitMs: 0 } }, rootQuorum }
      isPending(await put(first, back), first)
      await isInForce(platform, await put(second, back))
      refusal(await put(second, wish), 403)
      const now = await readSettings(platform, first)
      assert.deepEqual([now.settings.recovery.waitMs, now.rootQuorum], [0, rootQuorum])
    })

    it('alone lets go on what others may freeze', async () => {
      const { baseUrl, serviceAccount, administrator } = platform.bootstrap()
      const backend = await platform.sdk('serviceAccount')
      const [keyId, other] = [await newKey(backend), await newKey(backend)]
      const sign = (one: string) => backend.keys.generateSignature({ keyId: one, body: message })
      assert.equal((await sign(keyId)).status, 'Signed')
      const made = await call({ baseUrl }, serviceAccount, freezes, { keyId })
      assert.equal(made.status, 200, JSON.stringify(made.body))
      await checkReceipt(platform, made.body)
      const { id, kind, status } = Object(made.body)
      assert.deepEqual([kind, status], ['Key', 'Active'])
      await assert.rejects(sign(keyId), { httpStatus: 403, message: /the key is frozen/ })
      assert.equal((await sign(other)).status, 'Signed')

      const lifting = { method: 'DELETE', path: `/orgs/freezes/${id}` } as const
      await assert.rejects(call({ baseUrl }, serviceAccount, lifting, {}), { httpStatus: 403 })
      refusal(await call({ baseUrl }, second, lifting, {}), 403)
      await assert.rejects(sign(keyId), { httpStatus: 403 })
      const lifted = await call({ baseUrl }, administrator, lifting, {})
      assert.deepEqual([lifted.status, Object(lifted.body).status], [200, 'Ended'])
      assert.equal((await sign(keyId)).status, 'Signed')
    })
  })
}

async function newKey({ keys }: DfnsApiClient): Promise<string> {
  return (await keys.createKey({ body: { scheme: 'EdDSA', curve: 'ed25519' } })).id
}
