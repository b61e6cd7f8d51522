import assert from 'node:assert/strict'
import { it } from 'node:test'
import { requestHash, sponsorshipHash } from '@quorate/authority/request'
import type { Evidence } from '@quorate/authority/step'
import { keyStream } from '@quorate/authority/stream'
import { bytesToBig, concat } from '@quorate/core/bytes'
import { type FailureCode, isFailure } from '@quorate/core/failure'
import { type AccountSignature, encodeFacts, type SponsorshipFacts } from '@quorate/effects/facts'
import { verifySignature } from '@quorate/threshold/public/verify'
import type { Signature, Signed } from '../coordinator/coordinator.ts'
import type { SignedFor, SignersUnderTest } from './signers-under-test.ts'
import type { Limits, SimulatedSponsor } from './sponsors.ts'

const gwei = 10n ** 9n
const gas = 100_000n
const maxFee = 200n * gwei * gas
const shop = '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed'
/** For what is to be over soon: as long as it takes to be agreed on before, on a slow machine too. */
const shortMs = [2_000, 8_000, 30_000] as const

/** What a server rests on when somebody else pays the fees of what it has signed. */
export function describeSponsors(signers: () => SignersUnderTest): void {
  const desk = new SponsorDesk(signers)
  describeSigned(desk)
  describeLimits(desk)
  describeBids(desk)
}

/** One wallet that pays, and one that is paid for. */
type Scene = {
  readonly payer: SignedFor
  readonly sponsor: SimulatedSponsor
  readonly account: SignedFor
}
type Asking = {
  readonly account?: SignedFor
  readonly externalId?: string
  readonly executeBefore?: number
  readonly delegationNonce?: bigint
}
/** @param fee in gwei, for each gas */
type Offer = Partial<SponsorshipFacts> & { readonly fee?: bigint; readonly bid?: number }

class SponsorDesk {
  private readonly opened: () => SignersUnderTest
  private scene: Promise<Scene> | undefined
  private slots = 0n

  constructor(signers: () => SignersUnderTest) {
    this.opened = signers
  }

  get signers(): SignersUnderTest {
    return this.opened()
  }

  /** The same for all tests after which nothing of it is other than before. */
  shared(): Promise<Scene> {
    return (this.scene ??= this.newScene())
  }

  async newScene(limits: Limits = {}): Promise<Scene> {
    const { signers } = this
    const [payer, account] = [await signers.makeWallet(), await signers.makeWallet()]
    return { payer, account, sponsor: await signers.makeSponsor(payer, limits) }
  }

  /** At which nothing was signed before. */
  freeSlot(): bigint {
    return this.slots++
  }

  asked({ account, sponsor }: Scene, asking: Asking = {}): Evidence {
    const { externalId, executeBefore, delegationNonce: nonce } = asking
    const { walletId } = asking.account ?? account
    const body = { kind: 'Native', to: shop, amount: '5', feeSponsorId: sponsor.name, externalId }
    return this.signers.evidence({
      ...{ path: `/wallets/${walletId}/transfers`, body, maxFee },
      ...(executeBefore === undefined ? {} : { executeBefore }),
      facts: encodeFacts({
        ...{ family: 'sponsored', ...(nonce === undefined ? {} : { delegationNonce: nonce }) },
      }),
    })
  }

  use({ key }: SignedFor, evidence: Evidence): Promise<Signed> {
    const { coordinator, organization } = this.signers
    return coordinator.sign({ organization, key, evidence })
  }

  async innerOf(account: SignedFor, evidence: Evidence): Promise<AccountSignature> {
    return accountSignature((await this.use(account, evidence)).signatures[0])
  }

  /** What the account has signed by now, as often as it is asked for. */
  async pay(scene: Scene, evidence: Evidence, offer: Offer = {}, account = scene.account) {
    const { bid, ...facts } = offer
    const inner = facts.inner ?? (await this.innerOf(account, evidence))
    const around = encodeFacts(factsAround(inner, facts))
    return this.paid(scene, { ...evidence, facts: around }, bid)
  }

  /** For the slot alone. */
  fill(scene: Scene, evidence: Evidence, { slot, bid }: { slot: bigint; bid: number }) {
    const facts = encodeFacts({
      ...{ family: 'evm', nonce: slot, gasLimit: 21_000n },
      ...{ maxFeePerGas: 30n * gwei, maxPriorityFeePerGas: gwei },
    })
    return this.paid(scene, { ...evidence, facts }, bid)
  }

  private paid({ payer }: Scene, evidence: Evidence, bid?: number): Promise<Signed> {
    const { coordinator, organization } = this.signers
    return coordinator.sign({ organization, key: payer.key, kind: 'sponsor', evidence, bid })
  }

  /** Signed by both in a time that is over by now. */
  async over(scene: Scene, slot: bigint): Promise<Evidence> {
    const { signers } = this
    for (const ms of shortMs) {
      const executeBefore = signers.now() + ms
      const evidence = this.asked(scene, { executeBefore })
      try {
        await this.pay(scene, evidence, { nonce: slot })
      } catch (error) {
        if (isFailure(error, 'request.refused') && error.context.reason === expired) continue
        throw error
      }
      await signers.pass(executeBefore)
      return evidence
    }
    return assert.fail('nothing was agreed on in time')
  }
}

const expired = 'the request has expired'

function refusedAs(asked: Promise<unknown>, reason: string): Promise<void> {
  return assert.rejects(asked, (error) => {
    assert.ok(isFailure(error, 'request.refused'))
    assert.equal(error.context.reason, reason)
    return true
  })
}

function describeSigned(desk: SponsorDesk): void {
  it('have an account sign what is paid for without a slot, and what code it runs the first time', async () => {
    const { account } = await desk.shared()
    const sign = async (asking: Asking) => {
      const signed = await desk.use(account, desk.asked(await desk.shared(), asking))
      assertHolds(account, signed)
      assert.equal(signed.slot, undefined)
      return signed.signatures.length
    }
    assert.equal(await sign({ delegationNonce: 0n }), 2)
    assert.equal(await sign({}), 1)
  })

  it('have the sponsor sign around that, under a name of its own, and give the same again', async () => {
    const { signers } = desk
    const scene = await desk.shared()
    const [evidence, nonce] = [desk.asked(scene, { delegationNonce: 1n }), desk.freeSlot()]
    const { signatures } = await desk.use(scene.account, evidence)
    const delegation = { nonce: 1n, signature: accountSignature(signatures[1]) }
    const signed = await desk.pay(scene, evidence, { nonce, delegation })
    assertHolds(scene.payer, signed)
    assert.equal(signed.slot, nonce)
    const again = { nonce: desk.freeSlot(), fee: 21n }
    assert.deepEqual(await desk.pay(scene, evidence, again), signed)
    const request = requestHash(evidence.preimage)
    const streamOf = async (name: Uint8Array) =>
      (await signers.coordinator.stepOf(signers.organization, name))?.place.stream
    assert.deepEqual(await streamOf(request), keyStream(scene.account.key))
    assert.deepEqual(await streamOf(sponsorshipHash(request)), keyStream(scene.payer.key))
  })

  it('have no sponsor sign what the account has not', async () => {
    const scene = await desk.shared()
    const [evidence, other] = [desk.asked(scene, { delegationNonce: 3n }), desk.asked(scene)]
    const { signatures } = await desk.use(scene.account, evidence)
    const signature = accountSignature(signatures[1])
    const nonce = desk.freeSlot()
    const inner = await desk.innerOf(scene.account, other)
    const operations = 'the account has not signed these operations'
    await refusedAs(desk.pay(scene, evidence, { nonce, inner }), operations)
    const delegation = { nonce: 4n, signature }
    const code = 'the account has not signed its delegation'
    await refusedAs(desk.pay(scene, evidence, { nonce, delegation }), code)
    assert.equal((await desk.pay(scene, evidence, { nonce })).slot, nonce)
  })

  it('know external ids by the wallet that is paid for, and none of whoever pays', async () => {
    const scene = await desk.shared()
    const { payer, account } = scene
    const externalId = 'order 7'
    const slots = { nonce: desk.freeSlot() }
    await desk.pay(scene, desk.asked(scene, { externalId }), slots)
    const second = desk.use(account, desk.asked(scene, { externalId }))
    await refusedAs(second, 'the external id stands for another request')
    const neighbour = await desk.signers.makeWallet()
    const theirs = desk.asked(scene, { externalId, account: neighbour })
    await desk.pay(scene, theirs, { nonce: desk.freeSlot() }, neighbour)
    const body = { kind: 'Native', to: shop, amount: '5', externalId }
    const own = desk.signers.evidence({
      ...{ path: `/wallets/${payer.walletId}/transfers`, body, maxFee },
      facts: encodeFacts({
        ...{ family: 'evm', nonce: desk.freeSlot(), gasLimit: 21_000n },
        ...{ maxFeePerGas: 2n * gwei, maxPriorityFeePerGas: gwei },
      }),
    })
    assertHolds(payer, await desk.use(payer, own))
  })
}

function describeLimits(desk: SponsorDesk): void {
  it('have a sponsor pay no more than was signed for, than it pays for one, or in a day', async () => {
    const fees = (count: bigint) => `${count * gwei * gas}`
    const scene = await desk.newScene({ perOperation: fees(30n), perDay: fees(50n) })
    const pay = (fee: bigint) => desk.pay(scene, desk.asked(scene), { fee, nonce: desk.freeSlot() })
    await refusedAs(pay(201n), 'the fee is above what was signed')
    await refusedAs(pay(31n), 'the fee is above what the sponsor pays for an operation')
    await pay(30n)
    await refusedAs(pay(21n), 'the fee is above what the sponsor pays in a day')
    await pay(20n)
    await refusedAs(pay(1n), 'the fee is above what the sponsor pays in a day')
    await desk.signers.changeSponsor(scene.sponsor, { perDay: fees(81n) })
    await pay(31n)
  })

  it('have neither sign for a sponsor that is not active, and both once it is again', async () => {
    const { signers } = desk
    const scene = await desk.shared()
    const [evidence, late] = [desk.asked(scene), desk.asked(scene)]
    const [inner, nonce] = [await desk.innerOf(scene.account, evidence), desk.freeSlot()]
    const isStopped = async () => {
      const stopped = 'the fee sponsor is not active'
      await refusedAs(desk.pay(scene, evidence, { inner, nonce }), stopped)
      await refusedAs(desk.use(scene.account, late), stopped)
    }
    await signers.changeSponsor(scene.sponsor, 'deactivate')
    await isStopped()
    await signers.changeSponsor(scene.sponsor, 'activate')
    await desk.pay(scene, evidence, { inner, nonce })
    await desk.use(scene.account, late)
  })

  it('have no sponsor sign what a policy of its own blocks, or one that is archived', async () => {
    const { signers } = desk
    const scene = await desk.newScene()
    const evidence = desk.asked(scene)
    const [inner, nonce] = [await desk.innerOf(scene.account, evidence), desk.freeSlot()]
    const policy = {
      ...{ name: 'pays nothing', activityKind: 'Wallets:Sign', rule: { kind: 'AlwaysTrigger' } },
      ...{ action: { kind: 'Block' }, filters: { walletId: { in: [scene.payer.walletId] } } },
    }
    const { organization, coordinator } = signers
    const asked = signers.byAdministrator({ path: '/v2/policies', body: policy })
    await coordinator.settle({ organization, kind: 'policy', evidence: asked })
    const pay = () => desk.pay(scene, evidence, { inner, nonce })
    await failsAs(pay(), 'policy.blocked')
    await signers.changeSponsor(scene.sponsor, 'archive')
    await refusedAs(pay(), 'the fee sponsor is not active')
  })
}

function describeBids(desk: SponsorDesk): void {
  it('have a sponsor outbid itself at its own slot alone, and count what that costs more', async () => {
    const scene = await desk.newScene({ perDay: `${25n * gwei * gas}` })
    const [evidence, nonce] = [desk.asked(scene), desk.freeSlot()]
    const pay = (offer: Offer) => desk.pay(scene, evidence, { nonce, ...offer })
    const elsewhere = 'what it is to outbid is not at this slot'
    await refusedAs(pay({ bid: 1, fee: 22n }), elsewhere)
    const first = await pay({})
    await refusedAs(pay({ bid: 1, fee: 22n, nonce: desk.freeSlot() }), elsewhere)
    await refusedAs(pay({ bid: 2, fee: 22n }), elsewhere)
    const above = 'the fee is above what the sponsor pays in a day'
    await refusedAs(pay({ bid: 1, fee: 26n }), above)
    const second = await pay({ bid: 1, fee: 22n })
    assertHolds(scene.payer, second)
    assert.equal(second.slot, nonce)
    assert.notDeepEqual(second.digests, first.digests)
    assert.deepEqual(await pay({ bid: 1, fee: 24n }), second)
    assert.deepEqual(await pay({}), first)
    const taken = desk.pay(scene, desk.asked(scene), { nonce, fee: 1n })
    await refusedAs(taken, 'the slot is taken by another request')
    assertHolds(scene.payer, await pay({ bid: 2, fee: 25n }))
  })

  it('have a sponsor fill its slot once the time is over that was signed for, and not before', async () => {
    const scene = await desk.shared()
    const [waiting, at] = [desk.asked(scene), desk.freeSlot()]
    await desk.pay(scene, waiting, { nonce: at })
    const others = 'the facts are not those needed'
    await refusedAs(desk.fill(scene, waiting, { slot: at, bid: 1 }), others)
    const slot = desk.freeSlot()
    const evidence = await desk.over(scene, slot)
    const free = desk.fill(scene, evidence, { slot: desk.freeSlot(), bid: 1 })
    await refusedAs(free, 'what it is to outbid is not at this slot')
    await refusedAs(desk.pay(scene, evidence, { nonce: slot, fee: 30n, bid: 1 }), others)
    const filled = await desk.fill(scene, evidence, { slot, bid: 1 })
    assertHolds(scene.payer, filled)
    assert.equal(filled.slot, slot)
  })
}

function failsAs(asked: Promise<unknown>, code: FailureCode): Promise<void> {
  return assert.rejects(asked, (error) => isFailure(error, code))
}

function assertHolds({ publicKey }: SignedFor, { signatures, digests }: Signed): void {
  assert.equal(signatures.length, digests.length)
  for (const [i, signature] of signatures.entries()) {
    const { r, s } = signature.scheme === 'ECDSA' ? signature : assert.fail()
    const digest = digests[i] ?? assert.fail()
    assert.ok(verifySignature('ECDSA', 'secp256k1', publicKey, digest, concat(r, s)))
  }
}

function factsAround(inner: AccountSignature, { fee = 20n, ...more }: Offer): SponsorshipFacts {
  return {
    ...{ family: 'sponsorship', nonce: 0n, gasLimit: gas, inner },
    ...{ maxFeePerGas: fee * gwei, maxPriorityFeePerGas: gwei, ...more },
  }
}

function accountSignature(signature: Signature | undefined): AccountSignature {
  const { r, s, recid } = signature?.scheme === 'ECDSA' ? signature : assert.fail()
  return { r: bytesToBig(r), s: bytesToBig(s), yParity: recid === 0 ? 0 : 1 }
}
