import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import { DfnsApiClient, PolicyPendingError } from '@dfns/sdk'
import { AsymmetricKeySigner } from '@dfns/sdk-keysigner'
import { newKeyCredential, type KeyCredential } from '@quorate/authority/testing/key-credential'
import { send, userActionFor } from '../http.ts'
import type { Platform } from '../platform.ts'
import { checkReceipt } from '../receipt.ts'
import { invite } from './delegation.ts'
import { ruleAlone } from './rulers.ts'

const minuteMs = 60_000
const digest = createHash('sha256').update('whoever recovers signs again').digest('hex')
const hash = { kind: 'Hash', hash: `0x${digest}` } as const

type Begun = { readonly challenge: string; readonly temporaryAuthenticationToken: string }

/** Everything here is judged by the real signers: what they allow is no server's word. */
export function recoveries(platform: Platform): void {
  describe('a customer who has lost his device', () => {
    it('signs with a new one after his recovery, and neither the old one nor its token does', async () => {
      const at = await stage(platform)
      const customer = await enrolWithRecovery(at)
      const { old, userId, username, walletId, sdk } = customer
      const pat = await patOf(at, customer)
      const signs = (by: DfnsApiClient) => by.wallets.generateSignature({ walletId, body: hash })
      for (const by of [sdk, pat]) assert.equal((await signs(by)).status, 'Signed')

      const begun = await at.backend.auth.createDelegatedRecoveryChallenge({
        body: { username, credentialId: old.credId },
      })
      assert.deepEqual(begun.allowedRecoveryCredentials, [
        { id: old.credId, encryptedRecoveryKey: '' },
      ])
      const device = newKeyCredential()
      const done = await finish(at, begun, { old, device })
      assert.deepEqual([done.credential.kind, done.user.id], ['Key', userId])

      for (const by of [sdk, pat]) await assert.rejects(signs(by), { httpStatus: 401 })
      await assert.rejects(at.login(username, customer.device), { httpStatus: 401 })
      const again = await at.login(username, device)
      assert.equal((await signs(again)).status, 'Signed')
    })

    it('waits where the organization wants it so, and the old device stops it', async () => {
      const at = await stage(platform)
      const customer = await enrolWithRecovery(at)
      const { username, walletId, sdk } = customer
      await ruleAlone(platform, { settings: { recovery: { waitMs: minuteMs } } })
      try {
        const device = newKeyCredential()
        const recovery = await beginRecovery(at, customer, device)
        assert.equal(recovery.status, 'Waiting')
        const sign = () => sdk.wallets.generateSignature({ walletId, body: hash })
        await assert.rejects(sign(), /a recovery of this user is waiting/)
        await assert.rejects(at.login(username, device), { httpStatus: 401 })

        const path = `/auth/recoveries/${recovery.id}`
        const { baseUrl } = at
        const { credentials } = customer
        const signing = { baseUrl, credentials, method: 'DELETE', path, body: '{}' } as const
        const userAction = await userActionFor(signing)
        const token = credentials.authToken
        const cancelled = await send(baseUrl, {
          ...{ method: 'DELETE', path, token, body: '{}', userAction },
        })
        assert.equal(cancelled.status, 200, JSON.stringify(cancelled.body))
        await checkReceipt(platform, cancelled.body)
        assert.equal((await sign()).status, 'Signed')
        const told = await send(baseUrl, { method: 'GET', path })
        assert.equal(Object(told.body).status, 'Cancelled')
      } finally {
        await ruleAlone(platform, { settings: { recovery: { waitMs: 0 } } })
      }
    })
  })
}

export async function stage(platform: Platform) {
  const { baseUrl, orgId } = platform.bootstrap()
  const [admin, backend] = [await platform.sdk('administrator'), await platform.sdk()]
  const clientWith = (authToken: string, key?: KeyCredential) =>
    new DfnsApiClient({
      ...{ baseUrl, orgId, authToken },
      ...(key && { signer: signerOf(key) }),
    })
  /** With his own key, which signs from then on. */
  const login = async (username: string, key: KeyCredential): Promise<DfnsApiClient> => {
    const anybody = new DfnsApiClient({ baseUrl, orgId })
    const begun = await anybody.auth.createLoginChallenge({ body: { username, orgId } })
    const { challenge, challengeIdentifier } = begun
    // The official signer would not even try a credential that it is not offered.
    const { credentialAssertion } = key.get(challenge)
    const firstFactor = { kind: 'Key', credentialAssertion } as const
    const answer = await anybody.auth.login({ body: { challengeIdentifier, firstFactor } })
    assert.ok('token' in answer)
    const { token } = answer
    return clientWith(token, key)
  }
  return { baseUrl, orgId, admin, backend, clientWith, login }
}
type Stage = Awaited<ReturnType<typeof stage>>

function signerOf(key: KeyCredential): AsymmetricKeySigner {
  return new AsymmetricKeySigner({ credId: key.credId, privateKey: privatePem(key) })
}

function privatePem({ key }: KeyCredential): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString()
}

/** With a device, a recovery key and a wallet, whose delegation has covered both. */
export async function enrolWithRecovery(at: Stage) {
  const invited = await invite(at)
  const { challenge, temporaryAuthenticationToken, user } = invited
  const [device, old] = [newKeyCredential(), newKeyCredential({ kind: 'RecoveryKey' })]
  const newcomer = at.clientWith(temporaryAuthenticationToken)
  const registered = await newcomer.auth.registerEndUser({
    body: {
      firstFactorCredential: made(device, 'Key', challenge),
      recoveryCredential: made(old, 'RecoveryKey', challenge),
      wallets: [],
    },
  })
  const { token: authToken } = registered.authentication
  const { id: walletId } = await at.backend.wallets.createWallet({
    body: { network: 'KeyECDSA', delegateTo: user.id },
  })
  const credentials = { authToken, credId: device.credId, privateKey: privatePem(device) }
  return {
    ...{ device, old, walletId, credentials },
    ...{ userId: user.id, username: user.name, sdk: at.clientWith(authToken, device) },
  }
}

function made<K extends 'Key' | 'RecoveryKey'>(key: KeyCredential, kind: K, challenge: string) {
  const { credentialInfo } = key.create(challenge)
  return { credentialKind: kind, credentialInfo } as const
}

/** Customers may make tokens where the organization lets them. */
async function patOf(
  at: Stage,
  customer: { readonly userId: string; readonly sdk: DfnsApiClient },
) {
  const { id: permissionId } = await at.admin.permissions.createPermission({
    body: { name: `Tokens of ${customer.userId}`, operations: ['Auth:Pats:Create'] },
  })
  await at.admin.permissions.createAssignment({
    ...{ permissionId, body: { identityId: customer.userId } },
  })
  const key = newKeyCredential()
  const token = await customer.sdk.auth.createPersonalAccessToken({
    body: { name: 'script', publicKey: key.pem, secondsValid: 3600 },
  })
  const { accessToken = '', credId } = token
  const signer = new AsymmetricKeySigner({ credId, privateKey: privatePem(key) })
  const { baseUrl, orgId } = at
  return new DfnsApiClient({ baseUrl, orgId, authToken: accessToken, signer })
}

/** @returns the recovery, which waits */
export async function beginRecovery(
  at: Stage,
  { old, username }: { readonly old: KeyCredential; readonly username: string },
  device: KeyCredential,
) {
  const begun = await at.backend.auth.createDelegatedRecoveryChallenge({
    body: { username, credentialId: old.credId },
  })
  const pending = await finish(at, begun, { old, device }).then(
    () => assert.fail('nothing is replaced yet'),
    (error: unknown) => error,
  )
  assert.ok(pending instanceof PolicyPendingError)
  const { id, status, effectiveAt } = Object(pending.context).recovery
  return { id: String(id), status: String(status), effectiveAt: String(effectiveAt) }
}

async function finish(
  at: Stage,
  { challenge, temporaryAuthenticationToken }: Begun,
  { old, device }: { readonly old: KeyCredential; readonly device: KeyCredential },
) {
  const next = newKeyCredential({ kind: 'RecoveryKey' })
  const newCredentials = {
    firstFactorCredential: made(device, 'Key', challenge),
    recoveryCredential: made(next, 'RecoveryKey', challenge),
  }
  const { credentialAssertion } = old.recover(JSON.stringify(newCredentials))
  return at.clientWith(temporaryAuthenticationToken).auth.recover({
    body: { recovery: { kind: 'RecoveryKey', credentialAssertion }, newCredentials },
  })
}
