import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { DfnsApiClient } from '@dfns/sdk'
import { openChain } from '../chain.ts'
import { type Platform, until } from '../platform.ts'
import { approvalBy, colleague, pending } from './policies.ts'
import { confirmed, recipient, richWallet } from './transfers.ts'

const endedMsMax = 30_000

/** A rich wallet under a policy of its own, so that nothing else of the platform waits. */
export async function heldWallet(
  platform: Platform,
  action: object = approvalBy({}),
): Promise<string> {
  const { id } = await richWallet(platform, await platform.sdk())
  await holdWallet(platform, id, { action })
  return id
}

async function holdWallet(platform: Platform, walletId: string, more: object): Promise<void> {
  const filters = { walletId: { in: [walletId] } }
  await makePolicy(await platform.sdk('administrator'), { filters, ...more })
}

export function makePolicy(admin: DfnsApiClient, more: object) {
  const body = {
    ...{ name: 'holds', activityKind: 'Wallets:Sign', action: approvalBy({}) },
    ...{ rule: { kind: 'AlwaysTrigger', configuration: {} }, ...more },
  } as Parameters<DfnsApiClient['policies']['createPolicy']>[0]['body']
  return admin.policies.createPolicy({ body })
}

const payment = (more: object = {}) => ({
  ...({ kind: 'Native', to: recipient, amount: '7' } as const),
  ...more,
})

/** @returns the approval of what is held */
export function approvalOf({
  status,
  approvalId,
}: {
  status: string
  approvalId?: string | undefined
}) {
  assert.equal(status, 'Pending')
  return approvalId ?? assert.fail('what is held has its approval')
}

export function heldPayments(platform: Platform): void {
  describe('a transfer that a policy holds', () => {
    it('is confirmed on the chain once a second employee has approved it', async () => {
      const [sdk, second] = [await platform.sdk(), await colleague(platform)]
      const walletId = await heldWallet(platform)
      const body = payment({ externalId: `held ${walletId}` })
      const held = await sdk.wallets.transferAsset({ walletId, body })
      const approvalId = approvalOf(held)
      assert.equal((await sdk.wallets.transferAsset({ walletId, body })).id, held.id)
      const chain = openChain(platform.bootstrap())
      const before = await chain.balance(recipient)
      await second.policies.createApprovalDecision({ approvalId, body: { value: 'Approved' } })
      const done = await confirmed(sdk, { walletId, transferId: held.id })
      assert.ok(done.datePolicyResolved)
      assert.equal((await chain.balance(recipient)) - before, 7n)
    })

    it('is rejected when it is denied, and when a policy blocks it', async () => {
      const [sdk, second] = [await platform.sdk(), await colleague(platform)]
      const walletId = await heldWallet(platform)
      const held = await sdk.wallets.transferAsset({ walletId, body: payment() })
      const approvalId = approvalOf(held)
      await second.policies.createApprovalDecision({ approvalId, body: { value: 'Denied' } })
      await until('it is rejected', endedMsMax, async () => {
        const { status } = await sdk.wallets.getTransfer({ walletId, transferId: held.id })
        return status === 'Rejected'
      })
      const blocked = await heldWallet(platform, { kind: 'Block' })
      const asked = sdk.wallets.transferAsset({ walletId: blocked, body: payment() })
      await assert.rejects(asked, { httpStatus: 403 })
      const { items } = await sdk.wallets.listTransfers({ walletId: blocked })
      assert.deepEqual(
        items.map(({ status }) => status),
        ['Rejected'],
      )
    })
  })
}

export function heldSignatures(platform: Platform): void {
  describe('what a policy holds besides transfers', () => {
    it('is signed once it is approved', async () => {
      const [sdk, second] = [await platform.sdk(), await colleague(platform)]
      const walletId = await heldWallet(platform)
      const body = { kind: 'Message', message: '0x6869' } as const
      const held = await sdk.wallets.generateSignature({ walletId, body })
      const approvalId = approvalOf(held)
      await second.policies.createApprovalDecision({ approvalId, body: { value: 'Approved' } })
      await until('it is signed', endedMsMax, async () => {
        const read = await sdk.wallets.getSignature({ walletId, signatureId: held.id })
        return read.status === 'Signed' && read.signature !== undefined
      })
    })

    it('is derived for whoever asks again once it is approved', async () => {
      const [sdk, second] = [await platform.sdk(), await colleague(platform)]
      const body = { scheme: 'DH', curve: 'secp256k1' } as const
      const { id: keyId } = await sdk.keys.createKey({ body })
      const derive = () => sdk.keys.deriveKey({ keyId, body: { domain: '0x01', seed: '0x02' } })
      const { output } = await derive()
      // It is on every key of the organization, since no wallet stands on this one.
      const admin = await platform.sdk('administrator')
      const { id: policyId } = await makePolicy(admin, {})
      try {
        const { approvalId } = await pending(derive())
        assert.equal((await pending(derive())).approvalId, approvalId)
        await second.policies.createApprovalDecision({ approvalId, body: { value: 'Approved' } })
        assert.equal((await derive()).output, output)
      } finally {
        await admin.policies.archivePolicy({ policyId })
      }
    })

    it('is whatever comes too often', async () => {
      const sdk = await platform.sdk()
      const { id: walletId } = await richWallet(platform, sdk)
      const configuration = { limit: 1, timeframe: 60 }
      await holdWallet(platform, walletId, {
        rule: { kind: 'TransactionCountVelocity', configuration },
      })
      const first = await sdk.wallets.transferAsset({ walletId, body: payment() })
      await confirmed(sdk, { walletId, transferId: first.id })
      approvalOf(await sdk.wallets.transferAsset({ walletId, body: payment() }))
    })
  })
}
