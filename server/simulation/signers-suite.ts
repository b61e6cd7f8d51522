import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { requestHash } from '@quorate/authority/request'
import type { Evidence } from '@quorate/authority/step'
import { concat } from '@quorate/core/bytes'
import { type FailureCode, isFailure } from '@quorate/core/failure'
import { idOf, nameOf } from '@quorate/core/id'
import { encodeFacts } from '@quorate/effects/facts'
import { verifySignature } from '@quorate/threshold/public/verify'
import { keyStream } from '@quorate/authority/stream'
import { approvalFor } from '../approvals/find.ts'
import type { ApprovalRow } from '../approvals/tables.ts'
import type { Signed } from '../coordinator/coordinator.ts'
import type { SignedFor, SignersUnderTest, Wished } from './signers-under-test.ts'
import { describeSponsors } from './sponsors-suite.ts'

const gwei = 10n ** 9n
const maxFee = 10n ** 16n
const shop = '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed'

/** What a server rests on when it has something signed. */
export function describeSigners(name: string, start: () => Promise<SignersUnderTest>): void {
  describe(name, () => {
    const desk = new Desk()
    before(async () => desk.open(await start()))
    after(() => desk.signers.stop())
    describeRequest(desk)
    describeRefusals(desk)
    describeApprovals(desk)
    describeSponsors(() => desk.signers)
  })
}

type Kind = 'transfers' | 'transactions'
type Change = Partial<Omit<Wished, 'path' | 'facts'>> & {
  readonly slot?: bigint
  readonly fee?: bigint
  readonly kind?: Kind
}

class Desk {
  private opened: SignersUnderTest | undefined

  open(signers: SignersUnderTest): void {
    this.opened = signers
  }

  get signers(): SignersUnderTest {
    return this.opened ?? assert.fail('no signers have been started')
  }

  payment({ walletId }: SignedFor, change: Change = {}): Evidence {
    const { slot = 0n, fee = 2n, kind = 'transfers', ...wish } = change
    const body = { kind: 'Native', to: shop, amount: '5' }
    const path = `/wallets/${walletId}/${kind}`
    return this.signers.evidence({ path, body, maxFee, facts: factsAt(slot, fee), ...wish })
  }

  sign({ key }: SignedFor, evidence: Evidence): Promise<Signed> {
    const { coordinator, organization } = this.signers
    return coordinator.sign({ organization, key, evidence })
  }

  judge({ key }: SignedFor, evidence: Evidence): Promise<void> {
    const { coordinator, organization } = this.signers
    return coordinator.judge({ organization, key, evidence })
  }

  async govern({ walletId }: SignedFor, action: object): Promise<void> {
    const { coordinator, organization, byAdministrator } = this.signers
    const body = {
      ...{ name: 'all of it', activityKind: 'Wallets:Sign', rule: { kind: 'AlwaysTrigger' } },
      ...{ action, filters: { walletId: { in: [walletId] } } },
    }
    const evidence = byAdministrator({ path: '/v2/policies', body })
    await coordinator.settle({ organization, kind: 'policy', evidence })
  }

  async hold({ key }: SignedFor, evidence: Evidence): Promise<ApprovalRow> {
    const { coordinator, organization, database } = this.signers
    await coordinator.settle({ organization, kind: 'approval', evidence, stream: keyStream(key) })
    const approval = await approvalFor(database, organization, requestHash(evidence.preimage))
    return approval ?? assert.fail('an approval has its row')
  }

  async decide(
    { key }: SignedFor,
    { id, approval_id: name }: ApprovalRow,
    value: 'Approved' | 'Denied',
  ): Promise<void> {
    const { coordinator, organization, byAdministrator, know } = this.signers
    know(name, id)
    const path = `/v2/policy-approvals/${name}/decisions`
    const evidence = byAdministrator({ path, body: { value, reason: 'so be it' } })
    await coordinator.settle({ organization, kind: 'decision', evidence, stream: keyStream(key) })
  }
}

const refused = (asked: Promise<unknown>) =>
  assert.rejects(asked, (error) => isFailure(error, 'request.refused'))

function describeRequest(desk: Desk): void {
  it('sign for the slot, and the signature holds', async () => {
    const wallet = await desk.signers.makeWallet()
    const { signatures, digests, slot } = await desk.sign(
      wallet,
      desk.payment(wallet, { slot: 3n }),
    )
    const [signature] = signatures
    const [digest] = digests
    assert.ok(signature?.scheme === 'ECDSA' && digest !== undefined)
    const { r, s } = signature
    const whole = concat(r, s)
    assert.ok(verifySignature('ECDSA', 'secp256k1', wallet.publicKey, digest, whole))
    assert.equal(slot, 3n)
  })

  it('give one request one set of bytes for ever, whatever a server makes of it later', async () => {
    const wallet = await desk.signers.makeWallet()
    const evidence = desk.payment(wallet)
    const once = await desk.sign(wallet, evidence)
    const again = await desk.sign(wallet, { ...evidence, facts: factsAt(9n, 3n) })
    assert.deepEqual(again, once)
    assert.deepEqual(once.facts, evidence.facts)
  })

  it('know where a request stands once they have agreed on it, and not before', async () => {
    const wallet = await desk.signers.makeWallet()
    const evidence = desk.payment(wallet)
    const request = requestHash(evidence.preimage)
    const standing = () => desk.signers.coordinator.stepOf(desk.signers.organization, request)
    assert.equal(await standing(), undefined)
    const { seq } = await desk.sign(wallet, evidence)
    assert.equal((await standing())?.step.seq, seq)
  })

  it('say what they have agreed on, though the server that asked them has kept nothing of it', async () => {
    const { coordinator, organization } = desk.signers
    const wallet = await desk.signers.makeWallet()
    const evidence = desk.payment(wallet)
    const request = requestHash(evidence.preimage)
    await desk.signers.agreeUnkept(wallet, evidence)
    assert.equal(await coordinator.stepOf(organization, request), undefined)
    await coordinator.conclude(organization, keyStream(wallet.key))
    const standing = await coordinator.stepOf(organization, request)
    assert.equal((await desk.sign(wallet, evidence)).seq, standing?.step.seq)
    await coordinator.conclude(organization, keyStream(wallet.key))
    assert.equal((await desk.sign(wallet, desk.payment(wallet, { slot: 1n }))).slot, 1n)
  })

  it('give no slot to two requests, unless the second one names it', async () => {
    const wallet = await desk.signers.makeWallet()
    await desk.sign(wallet, desk.payment(wallet))
    await refused(desk.sign(wallet, desk.payment(wallet)))
    const transaction = { to: shop, value: '5', nonce: 0 }
    const named = { kind: 'transactions', body: { kind: 'Transaction', transaction } } as const
    assert.equal((await desk.sign(wallet, desk.payment(wallet, named))).slot, 0n)
    assert.equal((await desk.sign(wallet, desk.payment(wallet, { slot: 1n }))).slot, 1n)
  })
}

function describeRefusals(desk: Desk): void {
  it('refuse what costs more than was signed for, and what has expired', async () => {
    const wallet = await desk.signers.makeWallet()
    await refused(desk.sign(wallet, desk.payment(wallet, { maxFee: 21_000n * gwei })))
    await refused(
      desk.sign(wallet, desk.payment(wallet, { executeBefore: desk.signers.now() - 1 })),
    )
    assert.equal((await desk.sign(wallet, desk.payment(wallet))).slot, 0n)
  })

  it('refuse a second request under one external id', async () => {
    const wallet = await desk.signers.makeWallet()
    const body = { kind: 'Native', to: shop, amount: '5', externalId: 'order 1' }
    await desk.sign(wallet, desk.payment(wallet, { body }))
    await refused(desk.sign(wallet, desk.payment(wallet, { body, slot: 1n })))
  })

  it('have a request replaced at its own slot, and nowhere else', async () => {
    const wallet = await desk.signers.makeWallet()
    const evidence = desk.payment(wallet)
    await desk.sign(wallet, evidence)
    const id = idOf(requestHash(evidence.preimage), 'transfer')
    const name = nameOf('transfer', id)
    desk.signers.know(name, id)
    const path = `/wallets/${wallet.walletId}/transfers/${name}/cancel`
    const cancel = (slot: bigint) =>
      desk.signers.evidence({ path, body: {}, maxFee, facts: factsAt(slot, 4n) })
    await refused(desk.sign(wallet, cancel(1n)))
    const one = await desk.sign(wallet, cancel(0n))
    assert.equal(one.slot, 0n)
    const other = await desk.sign(wallet, cancel(0n))
    assert.deepEqual(other.digests, one.digests)
    // So that the chain tells the two apart.
    assert.notDeepEqual(other.signatures, one.signatures)
  })
}

function describeApprovals(desk: Desk): void {
  const group = { quorum: 1, approvers: {}, initiatorCanApprove: true }
  const asking = { kind: 'RequestApproval', approvalGroups: [group] }
  const governed = async (action: object) => {
    const wallet = await desk.signers.makeWallet()
    await desk.govern(wallet, action)
    return wallet
  }
  const failsAs = (asked: Promise<unknown>, code: FailureCode) =>
    assert.rejects(asked, (error) => isFailure(error, code))

  it('sign what a policy holds once it is approved, with the facts of that day, and not before', async () => {
    const wallet = await governed(asking)
    const evidence = desk.payment(wallet)
    await failsAs(desk.judge(wallet, evidence), 'policy.held')
    await failsAs(desk.sign(wallet, evidence), 'policy.held')
    const approval = await desk.hold(wallet, evidence)
    await refused(desk.sign(wallet, evidence))
    assert.equal((await desk.hold(wallet, evidence)).approval_id, approval.approval_id)
    await desk.decide(wallet, approval, 'Approved')
    const later = { ...evidence, facts: factsAt(2n, 3n) }
    assert.equal((await desk.sign(wallet, later)).slot, 2n)
  })

  it('never sign what was denied, nor what came after it under its approval', async () => {
    const wallet = await governed(asking)
    const evidence = desk.payment(wallet)
    await desk.decide(wallet, await desk.hold(wallet, evidence), 'Denied')
    await refused(desk.sign(wallet, evidence))
    await failsAs(desk.sign(wallet, desk.payment(wallet)), 'policy.held')
  })

  it('neither sign what a policy blocks, nor ask anybody about it', async () => {
    const wallet = await governed({ kind: 'Block' })
    const evidence = desk.payment(wallet)
    await failsAs(desk.judge(wallet, evidence), 'policy.blocked')
    await failsAs(desk.sign(wallet, evidence), 'policy.blocked')
    await failsAs(desk.hold(wallet, evidence), 'policy.blocked')
  })
}

/** @param fee in gwei */
function factsAt(nonce: bigint, fee: bigint): Uint8Array {
  const price = { maxFeePerGas: fee * gwei, maxPriorityFeePerGas: gwei }
  return encodeFacts({
    family: 'evm',
    nonce,
    gasLimit: 21_000n,
    ...price,
    prices: [],
    screenings: [],
  })
}
