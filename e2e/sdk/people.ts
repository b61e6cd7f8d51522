import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DfnsApiClient } from '@dfns/sdk'
import { newKeyCredential, type KeyCredential } from '@quorate/authority/testing/key-credential'
import { checkedAnswers, checkedClient, type Credentials } from '../checked-client.ts'
import { mailedCode } from '../mailbox.ts'
import type { Platform } from '../platform.ts'

let count = 0

export type Employee = Credentials & { readonly userId: string; readonly username: string }

/** Invited by mail and registered with a key of his own: he may read, and nobody has covered him. */
export async function employ(platform: Platform): Promise<Employee> {
  const admin = await platform.sdk('administrator')
  const username = `employee-${++count}-${Date.now()}@example.test`
  const body = { email: username, kind: 'CustomerEmployee' } as const
  const { userId } = await admin.auth.createUser({ body })
  const key = newKeyCredential()
  await register(platform, username, { key, code: await mailedCode(platform, username) })
  return { ...(await logIn(platform, username, key)), userId, username }
}

/** By the one who made everything: whom a permission is given is vouched for by that. */
export async function promote(platform: Platform, { userId }: Employee): Promise<void> {
  const { permissions } = await platform.sdk('administrator')
  const { items } = await permissions.listPermissions()
  const all = items.find(({ name }) => name.includes('FullAdmin'))
  assert.ok(all, 'there is a permission for everything')
  const body = { identityId: userId }
  await permissions.createAssignment({ permissionId: all.id, body })
}

async function register(
  platform: Platform,
  username: string,
  { key, code }: { readonly key: KeyCredential; readonly code: string },
): Promise<void> {
  const { baseUrl, orgId } = platform.bootstrap()
  const anybody = await checkedAnswers(new DfnsApiClient({ baseUrl, orgId }))
  const { challenge, temporaryAuthenticationToken } =
    await anybody.auth.createRegistrationChallenge({
      body: { orgId, username, registrationCode: code },
    })
  const authToken = temporaryAuthenticationToken
  const newcomer = await checkedAnswers(new DfnsApiClient({ baseUrl, orgId, authToken }))
  const { credentialInfo } = key.create(challenge)
  const body = { firstFactorCredential: { credentialKind: 'Key', credentialInfo } } as const
  const { user, credential } = await newcomer.auth.register({ body })
  assert.deepEqual([user.username, credential.kind], [username, 'Key'])
}

async function logIn(
  platform: Platform,
  username: string,
  key: KeyCredential,
): Promise<Credentials> {
  const { baseUrl, orgId } = platform.bootstrap()
  const anybody = await checkedAnswers(new DfnsApiClient({ baseUrl, orgId }))
  const begun = await anybody.auth.createLoginChallenge({ body: { username, orgId } })
  const { challengeIdentifier, challenge } = begun
  const { credentialAssertion } = key.get(challenge)
  const firstFactor = { kind: 'Key', credentialAssertion } as const
  const answer = await anybody.auth.login({ body: { challengeIdentifier, firstFactor } })
  assert.ok('token' in answer)
  const { token } = answer
  const privateKey = key.key.export({ type: 'pkcs8', format: 'pem' }).toString()
  return { authToken: token, credId: key.credId, privateKey }
}

const ed25519 = { scheme: 'EdDSA', curve: 'ed25519' } as const

export function employees(platform: Platform): void {
  describe('an employee', () => {
    it('comes by the newest code in his mail, and signs once somebody has covered him', async () => {
      const { baseUrl, orgId } = platform.bootstrap()
      const admin = await platform.sdk('administrator')
      const username = `by-mail-${Date.now()}@example.test`
      const body = { email: username, kind: 'CustomerEmployee' } as const
      const { userId, isRegistered } = await admin.auth.createUser({ body })
      assert.equal(isRegistered, false)
      const first = await mailedCode(platform, username)
      const anybody = await checkedAnswers(new DfnsApiClient({ baseUrl, orgId }))
      const resent = await anybody.auth.resendRegistrationCode({ body: { orgId, username } })
      assert.deepEqual(resent, { message: 'success' })
      const code = await mailedCode(platform, username, 2)
      const key = newKeyCredential()
      const old = register(platform, username, { key, code: first })
      await assert.rejects(old, { httpStatus: 403 })
      await register(platform, username, { key, code })
      await assert.rejects(register(platform, username, { key, code }), { httpStatus: 403 })

      const credentials = await logIn(platform, username, key)
      const own = await checkedClient({ baseUrl, orgId }, credentials)
      assert.equal((await own.auth.listCredentials()).items.length, 1)
      await assert.rejects(own.keys.createKey({ body: ed25519 }), { httpStatus: 403 })
      await promote(platform, { ...credentials, userId, username })
      assert.equal((await own.keys.createKey({ body: ed25519 })).status, 'Active')
      assert.equal((await admin.auth.getUser({ userId })).isRegistered, true)
    })
  })
}
