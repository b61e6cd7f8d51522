import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import type { DfnsApiClient } from '@dfns/sdk'
import { encodeFunctionData, parseAbi, parseEther } from 'viem'
import { deploy } from '@quorate/devnet/testing/deploy'
import { openChain, type Chain } from '../chain.ts'
import { checkedClient } from '../checked-client.ts'
import { type Platform, until } from '../platform.ts'
import { enrol } from './delegation.ts'
import { employ } from './people.ts'
import { confirmed, confirmedMsMax, recipient, richWallet } from './transfers.ts'
import { ethereumWallet } from './wallets.ts'

const network = 'EthereumSepolia'

export function feeSponsors(platform: Platform): void {
  describe('fee sponsors', () => {
    it('are made of a wallet, switched off and on, listed, and archived for ever', async () => {
      const sdk = await platform.sdk()
      const { id: walletId } = await sdk.wallets.createWallet({ body: { network } })
      const body = { walletId, name: 'gas', allowEndUser: true }
      const made = await sdk.feeSponsors.createFeeSponsor({ body })
      assert.match(made.id, /^fs-[a-z0-9]{5}-[a-z0-9]{5}-[a-z0-9]{14,16}$/)
      const { id: feeSponsorId, dateCreated, status } = made
      const { limits, ...shown } = made as typeof made & { readonly limits: object }
      assert.deepEqual(shown, { ...body, id: feeSponsorId, network, status, dateCreated })
      assert.deepEqual([status, limits], ['Active', {}])
      const now = () => sdk.feeSponsors.getFeeSponsor({ feeSponsorId })
      assert.deepEqual(await now(), made)
      const off = await sdk.feeSponsors.deactivateFeeSponsor({ feeSponsorId })
      assert.equal(off.status, 'Deactivated')
      assert.equal((await now()).status, 'Deactivated')
      await sdk.feeSponsors.activateFeeSponsor({ feeSponsorId })
      assert.deepEqual(await now(), made)
      const { items } = await sdk.feeSponsors.listFeeSponsors({ query: { limit: 1 } })
      assert.deepEqual(items, [made])
      const paid = await sdk.feeSponsors.listSponsoredFees({ feeSponsorId })
      assert.deepEqual(paid, { items: [] })
      await sdk.feeSponsors.deleteFeeSponsor({ feeSponsorId })
      assert.equal((await now()).status, 'Archived')
      await assert.rejects(sdk.feeSponsors.activateFeeSponsor({ feeSponsorId }), {
        httpStatus: 400,
      })
    })
  })
}

type Scene = {
  readonly sdk: DfnsApiClient
  readonly chain: Chain
  readonly sponsor: { readonly id: string; readonly walletId: string }
}

/** Everything here is judged by the real signers: what they allow is no server's word. */
export function sponsoredPayments(platform: Platform): void {
  describe('what a fee sponsor pays for', () => {
    let scene: Scene
    before(async () => {
      const sdk = await platform.sdk()
      const { id: walletId } = await richWallet(platform, sdk)
      const { id } = await sdk.feeSponsors.createFeeSponsor({ body: { walletId } })
      scene = { sdk, chain: openChain(platform.bootstrap()), sponsor: { id, walletId } }
    })
    payments(() => scene)
    refusals(platform, () => scene)
  })
}

/** Nobody else pays to it. */
const payee = `0x${'f5'.repeat(20)}` as const

function payments(scene: () => Scene): void {
  it('is a transfer of the last wei of a wallet, whose fee its own list tells', async () => {
    const { sdk, chain, sponsor } = scene()
    const { id: walletId, address } = await ethereumWallet(sdk)
    const amount = parseEther('0.01')
    await chain.fund(address, '0.01')
    const body = { kind: 'Native', to: payee, amount: String(amount) } as const
    const made = await sdk.wallets.transferAsset({
      walletId,
      body: { ...body, feeSponsorId: sponsor.id },
    })
    assert.equal(made.feeSponsorId, sponsor.id)
    const done = await confirmed(sdk, { walletId, transferId: made.id })
    assert.equal(await chain.balance(payee), amount)
    assert.equal(await chain.balance(address), 0n)
    const { from, type } = await chain.transaction(done.txHash as `0x${string}`)
    const payer = await sdk.wallets.getWallet({ walletId: sponsor.walletId })
    assert.deepEqual([from, type], [payer.address?.toLowerCase(), 'eip7702'])
    await until('the fee is listed', confirmedMsMax, async () => {
      const { items } = await sdk.feeSponsors.listSponsoredFees({ feeSponsorId: sponsor.id })
      const [paid] = items
      if (paid === undefined) return false
      assert.deepEqual(
        [paid.feeSponsorId, paid.sponsoreeId, paid.requestId],
        [sponsor.id, walletId, made.id],
      )
      return BigInt(paid.fee ?? 0) > 0n
    })
    await assert.rejects(sdk.wallets.speedUpTransfer({ walletId, transferId: made.id }), {
      httpStatus: 400,
    })
    const { items } = await sdk.wallets.listTransactions({ walletId: sponsor.walletId })
    assert.deepEqual(items, [])
  })

  it('is three calls of a wallet that never had any ether, all at once', async () => {
    const { sdk, chain, sponsor } = scene()
    const { id: walletId, address } = await ethereumWallet(sdk)
    const coin = await deploy(chain.rpc, 'Coin', ['Gold', 'GLD', 6])
    await coin.invoke('mint', [address, 60n])
    const abi = parseAbi(['function transfer(address to, uint256 amount) returns (bool)'])
    const userOperations = [10n, 20n, 30n].map((amount) => ({
      to: coin.address,
      data: encodeFunctionData({ abi, functionName: 'transfer', args: [recipient, amount] }),
    }))
    const body = { kind: 'UserOperations', userOperations, feeSponsorId: sponsor.id } as const
    const { id: transactionId } = await sdk.wallets.broadcastTransaction({ walletId, body })
    await until('the operations are confirmed', confirmedMsMax, async () => {
      const { status, reason } = await sdk.wallets.getTransaction({ walletId, transactionId })
      assert.ok(!['Failed', 'Rejected'].includes(status), reason)
      return status === 'Confirmed'
    })
    assert.equal(await coin.ask('balanceOf', [recipient]), 60n)
    const shown = await sdk.wallets.getTransaction({ walletId, transactionId })
    assert.deepEqual(shown.requestBody, body)
  })
}

const payment = { kind: 'Native', to: recipient, amount: '1' } as const

function refusals(platform: Platform, scene: () => Scene): void {
  const refuses = (asked: Promise<unknown>, httpStatus: number, message: RegExp) =>
    assert.rejects(asked, (error: { httpStatus: number; message: string }) => {
      assert.deepEqual([error.httpStatus, error.message.match(message)?.length], [httpStatus, 1])
      return true
    })

  it('is refused where the sponsor cannot pay for it, in words', async () => {
    const { sdk, chain, sponsor } = scene()
    const { id: walletId, address } = await ethereumWallet(sdk)
    await chain.fund(address, '0.01')
    const pay = (feeSponsorId: string, from = walletId) =>
      sdk.wallets.transferAsset({ walletId: from, body: { ...payment, feeSponsorId } })
    await refuses(pay('fs-aaaaa-aaaaa-aaaaaaaaaaaaaaaa'), 400, /there is no fee sponsor/)
    const other = await sdk.wallets.createWallet({ body: { network: 'EthereumHoodi' } })
    const elsewhere = await sdk.feeSponsors.createFeeSponsor({ body: { walletId: other.id } })
    await refuses(pay(elsewhere.id), 400, /is of EthereumHoodi/)
    await refuses(pay(sponsor.id, sponsor.walletId), 400, /is not sponsored itself/)
    const off = await sdk.feeSponsors.createFeeSponsor({ body: { walletId } })
    const { id: third, address: its } = await ethereumWallet(sdk)
    await chain.fund(its, '0.01')
    await sdk.feeSponsors.deactivateFeeSponsor({ feeSponsorId: off.id })
    await refuses(pay(off.id, third), 400, /is not active/)
    const body = { kind: 'UserOperations', userOperations: [{ to: recipient, value: '1' }] }
    const unpaid = sdk.wallets.broadcastTransaction({ walletId: third, body: body as never })
    await refuses(unpaid, 400, /not valid/)
  })

  it('is for those who may use fee sponsors, and for end users if that was said', async () => {
    const { sdk, sponsor } = scene()
    const admin = await platform.sdk('administrator')
    const { baseUrl, orgId } = platform.bootstrap()
    const operations = ['Wallets:Read', 'Wallets:Transfers:Create'] as const
    const { id: walletId } = await richWallet(platform, sdk)
    const body = { ...payment, feeSponsorId: sponsor.id }
    const employee = await employ(platform)
    const grant = async (identityId: string, more: readonly string[]) => {
      const name = `Payers ${identityId} ${more.length}`
      const wish = { body: { name, operations: [...operations, ...more] as never } }
      const { id: permissionId } = await admin.permissions.createPermission(wish)
      await admin.permissions.createAssignment({ permissionId, body: { identityId } })
    }
    await grant(employee.userId, [])
    const own = await checkedClient({ baseUrl, orgId }, employee)
    await refuses(own.wallets.transferAsset({ walletId, body }), 403, /FeeSponsors:Use/)
    await grant(employee.userId, ['FeeSponsors:Use'])
    await own.wallets.transferAsset({ walletId, body })

    const customer = await enrol({ baseUrl, orgId, admin, backend: sdk })
    await grant(customer.userId, ['FeeSponsors:Use'])
    const his = await sdk.wallets.createWallet({
      body: { network, delegateTo: customer.userId },
    })
    await openChain(platform.bootstrap()).fund(his.address as `0x${string}`, '0.01')
    const pay = (feeSponsorId: string) =>
      customer.sdk.wallets.transferAsset({
        ...{ walletId: his.id, body: { ...payment, feeSponsorId } },
      })
    await refuses(pay(sponsor.id), 401, /not for end users/)
    const { id: generous } = await richWallet(platform, sdk)
    const wish = { walletId: generous, allowEndUser: true }
    const { id: feeSponsorId } = await sdk.feeSponsors.createFeeSponsor({ body: wish })
    const { id: transferId } = await pay(feeSponsorId)
    await confirmed(customer.sdk, { walletId: his.id, transferId })
  })
}
