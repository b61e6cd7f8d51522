import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import { DfnsApiClient, DfnsDelegatedApiClient } from '@dfns/sdk'
import { AsymmetricKeySigner } from '@dfns/sdk-keysigner'
import { newKeyCredential } from '@quorate/authority/testing/key-credential'
import { quorateClient } from '@quorate/client/quorate-client'
import { Untrusted } from '@quorate/client/trust'
import { toUtf8 } from '@quorate/core/bytes'
import { send, userActionFor } from '../http.ts'
import type { Platform } from '../platform.ts'
import { isEcdsa } from '../signatures.ts'
import { invite } from './delegation.ts'

const message = toUtf8('a customer has a wallet from his first minute')
const digest = createHash('sha256').update(message).digest('hex')
const hash = { kind: 'Hash', hash: `0x${digest}` } as const

/** What a customer hands in, once for all: his credential and two wallets. */
export async function enrolment(platform: Platform) {
  const { baseUrl, orgId } = platform.bootstrap()
  const [admin, backend] = [await platform.sdk('administrator'), await platform.sdk()]
  const { challenge, temporaryAuthenticationToken, user } = await invite({
    ...{ baseUrl, orgId, admin, backend },
  })
  const device = newKeyCredential()
  const { credentialInfo } = device.create(challenge)
  const body = {
    firstFactorCredential: { credentialKind: 'Key', credentialInfo },
    wallets: [{ network: 'EthereumSepolia', name: 'savings' }, { network: 'KeyECDSA' }],
  } as const
  return {
    ...{ device, userId: user.id, token: temporaryAuthenticationToken },
    body: { ...body, wallets: [...body.wallets] },
  }
}
type Enrolment = Awaited<ReturnType<typeof enrolment>>

/** The customer's application, for which his organization's backend has begun. */
async function register(platform: Platform, { body, token: authToken, device }: Enrolment) {
  const { baseUrl, orgId } = platform.bootstrap()
  const newcomer = new DfnsDelegatedApiClient({ baseUrl, orgId, authToken })
  const registered = await newcomer.auth.registerEndUser({ body })
  const privateKey = device.key.export({ type: 'pkcs8', format: 'pem' }).toString()
  const signer = new AsymmetricKeySigner({ credId: device.credId, privateKey })
  const { token } = registered.authentication
  return { ...registered, sdk: new DfnsApiClient({ baseUrl, orgId, authToken: token, signer }) }
}

async function cover(platform: Platform, userId: string): Promise<void> {
  const { baseUrl, serviceAccount: credentials } = platform.bootstrap()
  const asked = { path: `/auth/users/${userId}/confirm`, body: '{}' } as const
  const userAction = await userActionFor({ baseUrl, credentials, method: 'POST', ...asked })
  const answer = await send(baseUrl, { token: credentials.authToken, ...asked, userAction })
  assert.equal(answer.status, 200, JSON.stringify(answer.body))
}

export function registrations(platform: Platform): void {
  describe('a customer who brings wallets with his registration', () => {
    it('has them with the answer, proved to be his by the word of all signers', async () => {
      const enrolled = await enrolment(platform)
      const { wallets, sdk } = await register(platform, enrolled)
      const { userId: owner } = enrolled
      assert.deepEqual(
        wallets.map(({ network, name, custodial }) => ({ network, name, custodial })),
        [
          { network: 'EthereumSepolia', name: 'savings', custodial: false },
          { network: 'KeyECDSA', name: undefined, custodial: false },
        ],
      )
      const { baseUrl, genesis, serviceAccount, administrator } = platform.bootstrap()
      const client = quorateClient({ baseUrl, genesis, authToken: serviceAccount.authToken })
      for (const wallet of wallets) {
        const proved = await client.verifyAddress(wallet, { owner })
        assert.deepEqual([proved.address, proved.owner], [wallet.address, owner])
        assert.deepEqual(await sdk.wallets.getWallet({ walletId: wallet.id }), wallet)
      }
      const [ether, key] = wallets
      assert.match(ether?.address ?? '', /^0x[0-9a-fA-F]{40}$/)
      const { certificate } = Object(key)
      for (const [wallet, expected] of [
        [ether, administrator.userId],
        [{ ...ether, certificate }, owner],
        [{ ...ether, id: key?.id }, owner],
      ] as const)
        await assert.rejects(client.verifyAddress(Object(wallet), { owner: expected }), Untrusted)
    })

    it('signs with them once his organization has covered him, and nobody else ever does', async () => {
      const enrolled = await enrolment(platform)
      const { wallets, sdk } = await register(platform, enrolled)
      const wallet = wallets[1] ?? assert.fail('there are two')
      const signing = { walletId: wallet.id, body: hash }
      await assert.rejects(sdk.wallets.generateSignature(signing), { httpStatus: 401 })
      await cover(platform, enrolled.userId)
      const signed = await sdk.wallets.generateSignature(signing)
      assert.ok(isEcdsa(wallet.signingKey.publicKey, message, signed))
      for (const who of ['serviceAccount', 'administrator'] as const) {
        const other = await platform.sdk(who)
        await assert.rejects(other.wallets.generateSignature(signing), { httpStatus: 403 })
      }
    })
  })
}
