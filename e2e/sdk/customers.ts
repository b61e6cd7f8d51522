import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { DfnsDelegatedApiClient } from '@dfns/sdk'
import { toUtf8 } from '@quorate/core/bytes'
import { parseEther, recoverMessageAddress, toHex } from 'viem'
import { checkedAnswers } from '../checked-client.ts'
import { openChain } from '../chain.ts'
import type { Platform } from '../platform.ts'
import { enrol, signed, type Customer, type Stage } from './delegation.ts'
import { confirmed, recipient } from './transfers.ts'
import { addressOf } from './wallets.ts'

const message = { kind: 'Message', message: toHex(toUtf8('mine')) } as const
const hash = { kind: 'Hash', hash: `0x${'ab'.repeat(32)}` } as const
const payment = { kind: 'Native', to: recipient, amount: String(parseEther('0.25')) } as const

type Scene = {
  readonly at: Stage
  readonly customer: Customer
  /** With the session that his backend has asked for. */
  readonly delegated: DfnsDelegatedApiClient
  readonly walletId: string
}

async function setScene(platform: Platform): Promise<Scene> {
  const { baseUrl, orgId } = platform.bootstrap()
  const admin = await platform.sdk('administrator')
  const at = { baseUrl, orgId, admin, backend: await platform.sdk('serviceAccount') }
  const customer = await enrol(at)
  const { username, userId } = customer
  const { token: authToken } = await at.backend.auth.delegatedLogin({ body: { username } })
  const delegated = await checkedAnswers(new DfnsDelegatedApiClient({ baseUrl, orgId, authToken }))
  const body = { network: 'EthereumSepolia', delegateTo: userId } as const
  return { at, customer, delegated, walletId: (await at.backend.wallets.createWallet({ body })).id }
}

/** Everything here is judged by the real signers: what they allow is no server's word. */
export function customers(platform: Platform): void {
  describe('a customer, whose backend has logged him in', () => {
    let made: Scene
    before(async () => {
      made = await setScene(platform)
    })
    const scene = () => made
    uses(platform, scene)
    ownWallets(scene)
    strangers(scene)
  })
}

function uses(platform: Platform, scene: () => Scene): void {
  it('signs a message on his device, in two halves', async () => {
    const { customer, delegated, walletId } = scene()
    const { wallets } = delegated
    const address = addressOf(await wallets.getWallet({ walletId }))
    const request = { walletId, body: message }
    const challenge = await wallets.generateSignatureInit(request)
    const made = await wallets.generateSignatureComplete(request, await signed(customer, challenge))
    const signature = made.signature?.encoded as `0x${string}`
    const raw = toUtf8('mine')
    assert.equal(await recoverMessageAddress({ message: { raw }, signature }), address)
    assert.deepEqual(made.requester, { userId: customer.userId })
  })

  it('pays on the chain, and nobody pays for him', async () => {
    const { at, customer, delegated, walletId } = scene()
    const { wallets } = delegated
    const chain = openChain(platform.bootstrap())
    const address = addressOf(await wallets.getWallet({ walletId }))
    await chain.fund(address, '1')
    const request = { walletId, body: payment }
    for (const sdk of [at.backend, at.admin])
      await assert.rejects(sdk.wallets.transferAsset(request), { httpStatus: 403 })
    const challenge = await wallets.transferAssetInit(request)
    const answer = await signed(customer, challenge)
    const other = { walletId, body: { ...payment, amount: '1' } }
    await assert.rejects(wallets.transferAssetComplete(other, answer))
    const again = await signed(customer, await wallets.transferAssetInit(request))
    const { id: transferId } = await wallets.transferAssetComplete(request, again)
    const before = await chain.balance(recipient)
    await confirmed(customer.sdk, { walletId, transferId })
    assert.ok((await chain.balance(recipient)) >= before)
    assert.equal(await chain.sent(address), 1)
  })
}

function ownWallets(scene: () => Scene): void {
  it('makes a wallet of his own where he may', async () => {
    const { at, customer, delegated } = scene()
    const { wallets } = delegated
    const request = { body: { network: 'KeyECDSA' } } as const
    await assert.rejects(wallets.createWalletInit(request), { httpStatus: 403 })
    const { id: permissionId } = await at.admin.permissions.createPermission({
      body: {
        name: `Wallets of ${customer.userId}`,
        operations: ['Wallets:Create', 'Keys:Create'],
      },
    })
    await at.admin.permissions.createAssignment({
      ...{ permissionId, body: { identityId: customer.userId } },
    })
    const challenge = await wallets.createWalletInit(request)
    const made = await wallets.createWalletComplete(request, await signed(customer, challenge))
    assert.equal(made.signingKey.delegatedTo, customer.userId)
    assert.equal(made.custodial, false)
    const use = { walletId: made.id, body: hash }
    await assert.rejects(at.backend.wallets.generateSignature(use), { httpStatus: 403 })
    assert.equal((await customer.sdk.wallets.generateSignature(use)).status, 'Signed')
  })

  it('is given a wallet later, and by nobody but its maker', async () => {
    const { at, customer, delegated } = scene()
    const { wallets } = at.backend
    const made = await wallets.createWallet({
      body: { network: 'KeyECDSA', delayDelegation: true },
    })
    const request = { walletId: made.id, body: { userId: customer.userId } }
    await assert.rejects(at.admin.wallets.delegateWallet(request), { httpStatus: 403 })
    await assert.rejects(delegated.wallets.getWallet({ walletId: made.id }), { httpStatus: 404 })
    const given = await wallets.delegateWallet(request)
    assert.deepEqual(given, { walletId: made.id, status: 'Delegated' })
    const use = { walletId: made.id, body: hash }
    assert.equal((await customer.sdk.wallets.generateSignature(use)).status, 'Signed')
    await assert.rejects(wallets.generateSignature(use), { httpStatus: 403 })
  })
}

function strangers(scene: () => Scene): void {
  it('is the only customer for whom his wallet exists', async () => {
    const { at, customer, walletId } = scene()
    const stranger = await enrol(at)
    await at.backend.wallets.createWallet({
      body: { network: 'KeyECDSA', delegateTo: stranger.userId },
    })
    const { signingKey } = await customer.sdk.wallets.getWallet({ walletId })
    const transfers = await customer.sdk.wallets.listTransfers({ walletId })
    const signatures = await customer.sdk.wallets.listSignatures({ walletId })
    const [transferId = '', signatureId = ''] = [transfers.items[0]?.id, signatures.items[0]?.id]
    assert.ok(transferId !== '' && signatureId !== '')
    const { id: keyId } = signingKey
    const transactionId = 'tx-none'
    const transaction = { kind: 'Transaction', transaction: { type: 2 } } as const
    const { wallets, keys } = stranger.sdk
    for (const asked of [
      () => wallets.getWallet({ walletId }),
      () => wallets.getWalletAssets({ walletId }),
      () => wallets.getWalletHistory({ walletId }),
      () => wallets.transferAsset({ walletId, body: payment }),
      () => wallets.listTransfers({ walletId }),
      () => wallets.getTransfer({ walletId, transferId }),
      () => wallets.broadcastTransaction({ walletId, body: transaction }),
      () => wallets.listTransactions({ walletId }),
      () => wallets.getTransaction({ walletId, transactionId }),
      () => wallets.generateSignature({ walletId, body: message }),
      () => wallets.listSignatures({ walletId }),
      () => wallets.getSignature({ walletId, signatureId }),
      () => keys.getKey({ keyId }),
      () => keys.generateSignature({ keyId, body: message }),
      () => keys.listSignatures({ keyId }),
      () => keys.getSignature({ keyId, signatureId }),
      () => stranger.delegated.wallets.transferAssetInit({ walletId, body: payment }),
      () => stranger.delegated.wallets.generateSignatureInit({ walletId, body: message }),
    ])
      await assert.rejects(asked(), { httpStatus: 404 }, String(asked))
  })
}
