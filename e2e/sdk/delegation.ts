import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import { DfnsApiClient, DfnsDelegatedApiClient } from '@dfns/sdk'
import { AsymmetricKeySigner } from '@dfns/sdk-keysigner'
import { newKeyCredential } from '@quorate/authority/testing/key-credential'
import { checkedAnswers } from '../checked-client.ts'
import { isEcdsa } from '../signatures.ts'

/** An organization, seen by its administrator and by the backend that enrols its customers. */
export type Stage = {
  readonly baseUrl: string
  readonly orgId: string
  readonly admin: DfnsApiClient
  readonly backend: DfnsApiClient
}

/** A customer: his device signs, the organization's backend carries what he signs. */
export type Customer = {
  readonly userId: string
  readonly username: string
  /** Over HTTP with his own token and his own key. */
  readonly sdk: DfnsApiClient
  /** On the backend, with his token: every call in two halves. */
  readonly delegated: DfnsDelegatedApiClient
  readonly device: AsymmetricKeySigner
}

let count = 0

/** Enrolled by the backend, registered on a device of his own, and covered by nobody yet. */
export async function enrol(stage: Stage): Promise<Customer> {
  return register(stage, await invite(stage))
}

export type Invited = Awaited<ReturnType<typeof invite>>

/** A user who has not registered yet. */
export async function invite({ backend }: Stage) {
  const email = `customer-${++count}-${Date.now()}@example.test`
  const body = { email, kind: 'EndUser' } as const
  return backend.auth.createDelegatedRegistrationChallenge({ body })
}

export async function register({ baseUrl, orgId }: Stage, invited: Invited): Promise<Customer> {
  const credential = newKeyCredential()
  const { temporaryAuthenticationToken, challenge, user } = invited
  const newcomer = await checkedAnswers(
    new DfnsApiClient({ baseUrl, orgId, authToken: temporaryAuthenticationToken }),
  )
  const { credentialInfo } = credential.create(challenge)
  const registered = await newcomer.auth.registerEndUser({
    body: { firstFactorCredential: { credentialKind: 'Key', credentialInfo }, wallets: [] },
  })
  const { token: authToken } = registered.authentication
  const privateKey = credential.key.export({ type: 'pkcs8', format: 'pem' }).toString()
  const device = new AsymmetricKeySigner({ credId: credential.credId, privateKey })
  const options = { baseUrl, orgId, authToken }
  return {
    userId: user.id,
    username: user.name,
    device,
    sdk: await checkedAnswers(new DfnsApiClient({ ...options, signer: device })),
    delegated: await checkedAnswers(new DfnsDelegatedApiClient(options)),
  }
}

type Challenge = Awaited<ReturnType<DfnsDelegatedApiClient['wallets']['createWalletInit']>>

/** What happens on the customer's device. */
export async function signed({ device }: Pick<Customer, 'device'>, challenge: Challenge) {
  const { challengeIdentifier } = challenge
  return { challengeIdentifier, firstFactor: await device.sign(challenge) }
}

const message = new TextEncoder().encode('a customer signs for himself')
const digest = createHash('sha256').update(message).digest('hex')
const hash = { kind: 'Hash', hash: `0x${digest}` } as const

export function delegatedSigning(stage: () => Promise<Stage>): void {
  describe('a customer whose backend carries what he signs', () => {
    it('signs with a wallet that was made for him, which nobody else can use', async () => {
      const at = await stage()
      const customer = await enrol(at)
      const { id: walletId, ...wallet } = await at.backend.wallets.createWallet({
        body: { network: 'KeyECDSA', delegateTo: customer.userId },
      })
      assert.equal(wallet.custodial, false)
      assert.equal(wallet.signingKey.delegatedTo, customer.userId)
      const request = { walletId, body: hash }
      const challenge = await customer.delegated.wallets.generateSignatureInit(request)
      const made = await customer.delegated.wallets.generateSignatureComplete(
        request,
        await signed(customer, challenge),
      )
      assert.ok(isEcdsa(wallet.signingKey.publicKey, message, made))
      assert.deepEqual(made.requester, { userId: customer.userId })
      for (const sdk of [at.backend, at.admin]) {
        await assert.rejects(sdk.wallets.generateSignature({ walletId, body: hash }), {
          httpStatus: 403,
        })
        assert.equal(
          (await sdk.wallets.getSignature({ walletId, signatureId: made.id })).id,
          made.id,
        )
      }
    })

    it('is given a key later by the service account that made it', async () => {
      const at = await stage()
      const customer = await enrol(at)
      const { id: walletId, signingKey } = await at.backend.wallets.createWallet({
        body: { network: 'KeyECDSA', delayDelegation: true },
      })
      const { id: keyId } = signingKey
      await assert.rejects(customer.sdk.wallets.getWallet({ walletId }), { httpStatus: 404 })
      const body = { delegateTo: customer.userId }
      await assert.rejects(at.admin.keys.delegateKey({ keyId, body }), { httpStatus: 403 })
      const given = await at.backend.keys.delegateKey({ keyId, body })
      assert.deepEqual(given, { keyId, status: 'Delegated' })
      const wallet = await customer.sdk.wallets.getWallet({ walletId })
      assert.equal(wallet.signingKey.delegatedTo, customer.userId)
      const made = await customer.sdk.wallets.generateSignature({ walletId, body: hash })
      assert.ok(isEcdsa(signingKey.publicKey, message, made))
      await assert.rejects(at.backend.keys.delegateKey({ keyId, body }), { httpStatus: 400 })
    })
  })
}
