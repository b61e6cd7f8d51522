import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { idOf, nameOf } from '@quorate/core/id'
import {
  feeSponsorTable,
  frozenTable,
  grantsTable,
  keyTable,
  permissionTable,
  recordKey,
  requestTable,
  slotTable,
  decodeRecord,
  userTable,
} from '../records.ts'
import { sponsorshipHash, type Preimage } from '../request.ts'
import { keyStream } from '../stream.ts'
import { noStep, reducerVersion, type Evidence, type Item, type ItemKind } from '../step.ts'
import { Company, sponsoredDigest, type Made, type Member } from '../testing/company.ts'
import { requestOf, t0 } from '../testing/world.ts'
import { nameOfCause } from './cause.ts'
import { messagesOf } from './questions.ts'
import { draftStep, reduceStep } from './step.ts'

const dayMs = 24 * 60 * 60_000
/** When the time is over that is signed for here. */
const overAt = t0 + 7 * dayMs + 1

type Named = { readonly id: Uint8Array; readonly name: string }
type Wallet = ReturnType<Company['makeWallet']>

/** One wallet that pays, and one that is paid for. */
class Scene {
  readonly company = new Company()
  readonly admin = this.company.admin
  readonly payer = this.company.makeWallet(this.company.machine)
  readonly wallet = this.company.makeWallet(this.company.machine)
  readonly sponsor: Named

  constructor(body: object = {}) {
    this.sponsor = this.makeSponsor(this.payer, body)
  }

  makeSponsor(wallet: Wallet, body: object = {}): Named {
    const evidence = this.company.ask(this.admin, {
      ...{ path: '/fee-sponsors', body: { walletId: wallet.name, ...body } },
      ids: { walletId: wallet.id },
    })
    this.company.apply({ kind: 'feeSponsor', evidence })
    const id = idOf(requestOf(evidence), 'feeSponsor')
    return { id, name: nameOf('feeSponsor', id) }
  }

  change(status: 'activate' | 'deactivate' | 'delete'): void {
    const [method, end] = status === 'delete' ? ['DELETE', ''] : ['PUT', `/${status}`]
    const path = `/fee-sponsors/${this.sponsor.name}${end}`
    const wish = { method: method as 'PUT' | 'DELETE', path, body: {} }
    const evidence = this.company.ask(this.admin, {
      ...wish,
      ids: { feeSponsorId: this.sponsor.id },
    })
    this.company.apply({ kind: 'feeSponsorUpdate', evidence })
  }

  /** @param facts what a sponsorship rests on: its slot, and the most that it costs */
  asked({
    author = this.admin,
    wallet = this.wallet,
    sponsor = this.sponsor,
    facts = [],
    time,
    preimage,
  }: Wish = {}): Evidence {
    const { name: feeSponsorId, id } = sponsor
    return this.company.ask(author, {
      path: `/wallets/${wallet.name}/transfers`,
      body: { kind: 'Native', to: '0x00', amount: '1', feeSponsorId, externalId: 'a name' },
      ids: { walletId: wallet.id, feeSponsorId: id },
      facts: new Uint8Array(facts),
      ...(time && { time }),
      ...(preimage && { preimage }),
    })
  }

  /** By the wallet's own key. */
  use(evidence: Evidence, wallet = this.wallet) {
    return { kind: 'use', evidence, key: wallet.key } as const
  }

  /** By the key that pays. */
  paid(evidence: Evidence, change: Partial<Omit<Made, 'kind' | 'evidence'>> = {}) {
    return { kind: 'sponsor', evidence, key: this.payer.key, ...change } as const
  }

  walletOf({ name, user }: Member): Wallet {
    return this.company.makeWallet(this.company.machine, { delegateTo: name }, { delegateTo: user })
  }

  makePolicy(body: object): void {
    const wish = { path: '/v2/policies', body: { name: 'rule', filters: {}, ...body } }
    this.company.apply({ kind: 'policy', evidence: this.company.ask(this.admin, wish) })
  }

  written(made: Made) {
    const outcome = this.company.try(made)
    assert.ok(outcome.ok, outcome.ok ? '' : outcome.reason)
    const { step, writes } = outcome
    return { operation: step.items[0]?.operation ?? assert.fail(), writes }
  }

  drafted({ kind, evidence, key }: Made) {
    const { company } = this
    const draft = {
      ...{ organization: company.organization, stream: keyStream(key ?? noStep), seq: 1 },
      ...{ previous: noStep, heads: [], time: t0, reducer: reducerVersion },
      manifest: company.cluster.manifest.hash,
    }
    const drafted = draftStep(draft, [{ kind, evidence }], company.records, company.rules)
    return drafted.ok ? drafted : assert.fail(drafted.reason)
  }

  /** The step of a server that names another cause than there is. */
  forged(kind: ItemKind, evidence: Evidence, cause: Item['cause']): string | undefined {
    const { company } = this
    const isOfPayer = kind === 'sponsor'
    const made = isOfPayer ? this.paid(evidence) : this.use(evidence)
    const { step } = this.drafted(made)
    const [item] = step.items
    if (item === undefined) return assert.fail()
    const forged = { ...step, items: [{ ...item, cause }] }
    const outcome = reduceStep(forged, [evidence], company.records, company.rules)
    return outcome.ok ? undefined : outcome.reason
  }

  refusalOfBoth(wish: Wish = {}): string | undefined {
    const evidence = this.asked({ facts: [7, 5], ...wish })
    const { wallet = this.wallet } = wish
    const refusal = this.company.refusal(this.paid(evidence))
    assert.equal(this.company.refusal(this.use(evidence, wallet)), refusal)
    return refusal
  }
}

type Wish = {
  readonly author?: Member
  readonly wallet?: Wallet
  readonly sponsor?: Named
  readonly facts?: readonly number[]
  readonly time?: number
  readonly preimage?: Partial<Preimage>
}

describe('a request whose fees somebody else pays', () => {
  it('is a use of the wallet’s key, which signs for this request, its time and this sponsor', () => {
    const scene = new Scene()
    const { company, payer } = scene
    const evidence = scene.asked()
    const use = company.apply(scene.use(evidence))
    const sponsor = company.find(keyTable, payer.key)?.publicKey ?? assert.fail()
    const terms = { request: requestOf(evidence), executeBefore: t0 + 7 * dayMs, sponsor }
    assert.deepEqual(use.kind === 'use' && use.digests, [sponsoredDigest(terms)])
  })

  it('is asked of the key that pays as well, under a name of its own and for one slot', () => {
    const scene = new Scene()
    const { company, payer, sponsor, wallet } = scene
    const evidence = scene.asked({ facts: [7, 5] })
    company.apply(scene.use(evidence))
    const { operation, writes } = scene.written(scene.paid(evidence))
    assert.ok(operation.kind === 'sponsor')
    const { digests, ...said } = operation
    assert.deepEqual(said, {
      ...{ kind: 'sponsor', sponsor: sponsor.id, wallet: wallet.id, key: payer.key },
      ...{ network: 'Chain', slot: 7n, fee: 5n, does: 'pay' },
    })
    assert.equal(digests.length, 1)
    const name = sponsorshipHash(requestOf(evidence))
    const kept = writes.find(({ key }) => key === recordKey(requestTable, name))
    const record = kept && decodeRecord(requestTable, kept.value)
    assert.deepEqual([record?.slot, record?.fee, record?.time], [7n, 5n, t0])
    const slot = writes.find(({ key }) => key === recordKey(slotTable, 'Chain', 7n))
    assert.deepEqual(slot && decodeRecord(slotTable, slot.value).uses, [
      { request: name, fee: 5n, effect: name },
    ])
  })

  it('needs the right to use sponsors, beside the usual one', () => {
    const scene = new Scene({ allowEndUser: true })
    const { company } = scene
    const author = company.makeEndUser()
    const wallet = scene.walletOf(author)
    assert.equal(scene.refusalOfBoth({ author, wallet }), undefined)
    const operations = ['Wallets:Transfers:Create']
    company.alter(permissionTable, [new Uint8Array(32).fill(7)], { operations })
    assert.match(scene.refusalOfBoth({ author, wallet }) ?? '', /FeeSponsors:Use/)
  })

  it('is paid for by a sponsor that there is, active, and on the same network', () => {
    const scene = new Scene()
    assert.equal(scene.refusalOfBoth(), undefined)
    const nobody = { id: noStep, name: nameOf('feeSponsor', noStep) }
    assert.equal(scene.refusalOfBoth({ sponsor: nobody }), 'there is no such fee sponsor')
    const elsewhere = scene.company.makeWallet(scene.company.machine, { network: 'Other' })
    const another = 'the fee sponsor is of another network'
    assert.equal(scene.refusalOfBoth({ wallet: elsewhere }), another)
    scene.change('deactivate')
    assert.equal(scene.refusalOfBoth(), 'the fee sponsor is not active')
    scene.change('activate')
    assert.equal(scene.refusalOfBoth(), undefined)
    scene.change('delete')
    assert.equal(scene.refusalOfBoth(), 'the fee sponsor is not active')
  })

  it('is an end user’s only where the sponsor says so', () => {
    const [closed, open] = [new Scene(), new Scene({ allowEndUser: true })]
    for (const [scene, expected] of [
      [closed, 'the fee sponsor pays for no end users'],
      [open, undefined],
    ] as const) {
      const author = scene.company.makeEndUser()
      const wallet = scene.walletOf(author)
      assert.equal(scene.refusalOfBoth({ author, wallet }), expected)
    }
  })

  it('is not a sponsor’s own, unless that is archived', () => {
    const scene = new Scene()
    const { company, payer } = scene
    const own = "a sponsor's own wallet cannot be sponsored"
    assert.equal(scene.refusalOfBoth({ wallet: payer }), own)
    const second = company.makeWallet(company.machine)
    const sponsor = scene.makeSponsor(second)
    assert.equal(scene.refusalOfBoth({ wallet: second }), own)
    scene.change('delete')
    const evidence = scene.asked({ wallet: payer, sponsor })
    assert.equal(company.refusal(scene.use(evidence, payer)), undefined)
  })

  it('is not paid for by a key that is archived, frozen, or somebody’s own by now', () => {
    const scene = new Scene()
    const { company, payer, admin } = scene
    company.alter(keyTable, [payer.key], { status: 'archived' })
    assert.equal(scene.refusalOfBoth(), 'the key of the fee sponsor is archived')
    company.alter(keyTable, [payer.key], { status: 'active', owner: admin.user })
    assert.equal(scene.refusalOfBoth(), "the key of the fee sponsor is a user's own")
    company.alter(keyTable, [payer.key], { owner: undefined })
    assert.equal(scene.refusalOfBoth(), undefined)
    company.freeze(payer.key)
    assert.equal(scene.refusalOfBoth(), 'the key of the fee sponsor is frozen')
    const derived = new Scene()
    const master = new Uint8Array(32).fill(3)
    const derivation = { master, path: [1] }
    derived.company.alter(keyTable, [derived.payer.key], { derivation })
    assert.equal(derived.refusalOfBoth(), undefined)
    derived.company.freeze(master)
    assert.equal(derived.refusalOfBoth(), 'the key of the fee sponsor is frozen')
  })
})

describe('what the key of a sponsor signs', () => {
  it('is nothing without a request that names it', () => {
    const scene = new Scene()
    const { company, wallet, payer } = scene
    const evidence = company.ask(scene.admin, {
      path: `/wallets/${wallet.name}/transfers`,
      body: { kind: 'Native', to: '0x00', amount: '1' },
      ids: { walletId: wallet.id },
    })
    const refusal = company.refusal({ kind: 'sponsor', evidence, key: payer.key })
    assert.equal(refusal, 'the request has no fee sponsor')
    const other = company.ask(scene.admin, {
      ...{ path: `/fee-sponsors/${scene.sponsor.name}/deactivate`, method: 'PUT', body: {} },
      ids: { feeSponsorId: scene.sponsor.id },
    })
    const elsewhere = 'the item does not stand where it belongs'
    assert.equal(company.refusal({ kind: 'sponsor', evidence: other, key: payer.key }), elsewhere)
  })

  it('stands in its own stream and in no other', () => {
    const scene = new Scene()
    const evidence = scene.asked({ facts: [7, 5] })
    const { key } = scene.wallet
    const refusal = scene.company.refusal(scene.paid(evidence, { key }))
    assert.equal(refusal, 'the sponsorship stands in the stream of another key')
    const use = { kind: 'use', evidence, key: scene.payer.key } as const
    assert.equal(scene.company.refusal(use), 'the use stands in the stream of another key')
  })

  it('is asked for by the rule that the user has named, and by nothing else', () => {
    const scene = new Scene()
    const evidence = scene.asked({ facts: [7, 5] })
    const { request } = { request: requestOf(evidence) }
    const rule = scene.sponsor.id
    const none = 'no standing rule allows such an item'
    const acting = (kind: ItemKind, cause: Item['cause']) => scene.forged(kind, evidence, cause)
    assert.equal(acting('sponsor', { kind: 'rule', rule, request, bid: 0 }), undefined)
    assert.equal(acting('sponsor', { kind: 'request', hash: request }), none)
    assert.equal(acting('use', { kind: 'rule', rule, request, bid: 0 }), none)
    const another = 'the item names another rule than its user'
    assert.equal(acting('sponsor', { kind: 'rule', rule: noStep, request, bid: 0 }), another)
    const foreign = 'the item names another request'
    assert.equal(acting('sponsor', { kind: 'rule', rule, request: noStep, bid: 0 }), foreign)
  })

  it('is signed for once, whatever the facts of a second time', () => {
    const scene = new Scene()
    const evidence = scene.asked({ facts: [7, 5] })
    scene.company.apply(scene.paid(evidence))
    const again = { ...evidence, facts: new Uint8Array([8, 5]) }
    for (const asked of [evidence, again])
      assert.equal(scene.company.refusal(scene.paid(asked)), 'the request has been used')
  })

  it('takes no slot that another one has', () => {
    const scene = new Scene()
    scene.company.apply(scene.paid(scene.asked({ facts: [7, 5] })))
    const refusal = scene.company.refusal(scene.paid(scene.asked({ facts: [7, 5] })))
    assert.equal(refusal, 'the slot is taken by another request')
  })

  it('is renewed as it was, and counted once', () => {
    const scene = new Scene({ limits: { perDay: '5' } })
    const { company } = scene
    const evidence = scene.asked({ facts: [7, 5] })
    const renewal = { kind: 'sponsorRenewal', evidence, key: scene.payer.key } as const
    assert.equal(company.refusal(renewal), 'there is nothing to renew')
    company.apply(scene.paid(evidence))
    // Long after it had to be signed by its user, and in time to be carried out.
    const { operation, writes } = scene.written({ ...renewal, time: t0 + 6 * dayMs })
    assert.equal(operation.kind, 'sponsorRenewal')
    const name = sponsorshipHash(requestOf(evidence))
    assert.deepEqual(
      writes.map(({ key }) => key),
      [recordKey(requestTable, name)],
    )
    const other = { ...evidence, facts: new Uint8Array([8, 5]) }
    const same = 'a renewal signs what was agreed and nothing else'
    assert.equal(company.refusal({ ...renewal, evidence: other }), same)
  })

  it('comes after the wallet’s own signature, until the request ends', () => {
    const scene = new Scene()
    const evidence = scene.asked({ facts: [7, 5] })
    const at = (time: number) => scene.company.refusal(scene.paid(evidence, { time }))
    assert.equal(at(t0 + 6 * dayMs), undefined)
    assert.equal(at(t0 + 7 * dayMs), undefined)
    assert.equal(at(t0 + 7 * dayMs + 1), 'the request has expired')
    const use = { ...scene.use(evidence), time: t0 + dayMs }
    assert.equal(scene.company.refusal(use), 'the request has expired')
  })

  it('is nothing once the wallet’s key or its user may no more', () => {
    const scene = new Scene()
    const { company, wallet, admin } = scene
    const evidence = scene.asked({ facts: [7, 5] })
    company.freeze(wallet.key)
    assert.equal(company.refusal(scene.paid(evidence)), 'the key is frozen')
    company.write(frozenTable, [wallet.key], { freezes: [] })
    company.alter(keyTable, [wallet.key], { status: 'archived' })
    assert.equal(company.refusal(scene.paid(evidence)), 'the key is archived')
    company.alter(keyTable, [wallet.key], { status: 'active' })
    assert.equal(company.refusal(scene.paid(evidence)), undefined)
    const worker = company.makeServiceAccount()
    const theirs = scene.asked({ author: worker, facts: [7, 5] })
    company.write(grantsTable, [worker.user], { entries: [] })
    assert.match(company.refusal(scene.paid(theirs)) ?? '', /not authorized/)
    company.alter(userTable, [admin.user], { status: 'inactive' })
    assert.equal(company.refusal(scene.paid(evidence)), 'the user is not active')
  })

  it('is blocked by a policy of its own, and waits for no approval', () => {
    for (const [action, expected] of [
      [{ kind: 'Block' }, /^blocked by policy: it always triggers/],
      [{ kind: 'RequestApproval', approvalGroups: [] }, /wants an approval, which no sponsorship/],
    ] as const) {
      const scene = new Scene()
      const evidence = scene.asked({ facts: [7, 5] })
      scene.makePolicy({ activityKind: 'Wallets:Sign', rule: {}, action })
      assert.match(scene.company.refusal(scene.paid(evidence)) ?? '', expected)
    }
  })

  it('counts among the uses of its key', () => {
    const scene = new Scene()
    const rule = { limit: 1, timeframe: 60 }
    scene.makePolicy({ activityKind: 'Wallets:Sign', rule, action: { kind: 'Block' } })
    scene.company.apply(scene.paid(scene.asked({ facts: [7, 5] })))
    const refusal = scene.company.refusal(scene.paid(scene.asked({ facts: [8, 5] })))
    assert.match(refusal ?? '', /^blocked by policy/)
  })

  it('is nothing of a wallet that there is not, and nothing that the rules of its bytes refuse', () => {
    const scene = new Scene()
    const wallet = { ...scene.wallet, id: noStep, name: nameOf('wallet', noStep) }
    const none = scene.company.refusal(scene.paid(scene.asked({ wallet, facts: [7, 5] })))
    assert.equal(none, 'there is no such wallet')
    const refusal = scene.company.refusal(scene.paid(scene.asked()))
    assert.equal(refusal, 'nothing was signed before')
  })

  it('is told as what it is before it is signed', () => {
    const scene = new Scene()
    const evidence = scene.asked({ facts: [7, 5] })
    const { step } = scene.drafted(scene.paid(evidence))
    const { records: reader, rules } = scene.company
    const made = messagesOf({ step, evidence: [evidence], reader, rules }, 0)
    assert.ok(made.ok)
    assert.deepEqual(made.messages, [new Uint8Array(32).fill(10)])
    const [item] = step.items
    assert.ok(item)
    assert.deepEqual(nameOfCause(item.cause), sponsorshipHash(requestOf(evidence)))
    scene.change('deactivate')
    const later = { step, evidence: [evidence], reader: scene.company.records, rules }
    assert.deepEqual(messagesOf(later, 0), { ok: false, reason: 'the fee sponsor is not active' })
  })
})

describe('what a sponsor pays', () => {
  it('is no more for one operation than it allows', () => {
    const scene = new Scene({ limits: { perOperation: '5' } })
    const refusal = (fee: number) =>
      scene.company.refusal(scene.paid(scene.asked({ facts: [7, fee] })))
    assert.equal(refusal(5), undefined)
    assert.equal(refusal(6), 'the fee is above what the sponsor pays for an operation')
  })

  it('is no more in a day, of all that ask, and a day slides', () => {
    const scene = new Scene({ limits: { perDay: '10' } })
    const { company } = scene
    const worker = company.makeServiceAccount()
    const hour = dayMs / 24
    const pay = (slot: number, fee: number, time: number, author = scene.admin) => {
      const evidence = scene.asked({ author, facts: [slot, fee], time })
      const made = scene.paid(evidence, { time })
      const refusal = company.refusal(made)
      if (refusal === undefined) company.apply(made)
      return refusal
    }
    const above = 'the fee is above what the sponsor pays in a day'
    assert.equal(pay(1, 4, t0), undefined)
    assert.equal(pay(2, 6, t0 + hour, worker), undefined)
    assert.equal(pay(3, 1, t0 + 2 * hour), above)
    assert.equal(pay(3, 1, t0 + dayMs - 1), above)
    assert.equal(pay(3, 5, t0 + dayMs), above)
    assert.equal(pay(3, 4, t0 + dayMs), undefined)
    assert.equal(pay(4, 1, t0 + dayMs), above)
    assert.equal(pay(4, 6, t0 + dayMs + hour), undefined)
  })

  it('is no more for one user in a day, while others have theirs', () => {
    const scene = new Scene({ limits: { perUserPerDay: '10' } })
    const { company } = scene
    const worker = company.makeServiceAccount()
    const above = 'the fee is above what the sponsor pays for a user in a day'
    const paid = (slot: number, fee: number, author = scene.admin) =>
      scene.paid(scene.asked({ author, facts: [slot, fee] }))
    company.apply(paid(1, 7))
    assert.equal(company.refusal(paid(2, 4)), above)
    company.apply(paid(2, 10, worker))
    assert.equal(company.refusal(paid(3, 1, worker)), above)
    company.apply(paid(3, 3))
    assert.equal(company.refusal(paid(4, 1)), above)
  })

  it('counts when it is agreed on: what is signed a day later has left that day as it was', () => {
    const scene = new Scene({ limits: { perDay: '5' } })
    const { company } = scene
    const at = (time: number, slot: number) => {
      const evidence = scene.asked({ facts: [slot, 5], time })
      return { evidence, made: scene.paid(evidence, { time }) }
    }
    const [first, second, third] = [at(t0, 1), at(t0 + dayMs, 2), at(t0 + dayMs, 3)]
    company.apply(first.made)
    const renewal = { ...first.made, kind: 'sponsorRenewal' as const, time: t0 + dayMs }
    company.apply(renewal)
    // Two days' worth may now come on one.
    company.apply(second.made)
    const above = 'the fee is above what the sponsor pays in a day'
    assert.equal(company.refusal(third.made), above)
    company.apply({ ...renewal, time: t0 + 6 * dayMs })
    scene.change('deactivate')
    assert.equal(
      company.refusal({ ...renewal, time: t0 + 6 * dayMs }),
      'the fee sponsor is not active',
    )
  })

  it('follows a limit that is changed at once, and counts what there was before', () => {
    const scene = new Scene()
    const { company, sponsor } = scene
    company.apply(scene.paid(scene.asked({ facts: [1, 9] })))
    const limits = { perOperation: undefined, perDay: 10n, perUserPerDay: undefined }
    company.alter(feeSponsorTable, [sponsor.id], { limits })
    const refusal = company.refusal(scene.paid(scene.asked({ facts: [2, 2] })))
    assert.equal(refusal, 'the fee is above what the sponsor pays in a day')
  })
})

describe('what outbids what a sponsor has sent', () => {
  /** With the first one in force, at slot 7 and for 5. */
  const begun = (limits: object = {}) => {
    const scene = new Scene({ limits })
    const evidence = scene.asked({ facts: [7, 5] })
    scene.company.apply(scene.paid(evidence))
    const bidding = (bid: number, fee: number, more: { slot?: number; time?: number } = {}) => {
      const { slot = 7, ...change } = more
      const facts = new Uint8Array([slot, fee])
      return scene.paid({ ...evidence, facts }, { bid, ...change })
    }
    const name = (bid: number) => sponsorshipHash(requestOf(evidence), bid)
    return { scene, evidence, bidding, name, company: scene.company }
  }
  const elsewhere = 'what it is to outbid is not at this slot'

  it('stands at its slot, under a name of its own, and has its effect', () => {
    const { scene, bidding, name } = begun()
    const { operation, writes } = scene.written(bidding(1, 8))
    assert.ok(operation.kind === 'sponsor')
    assert.deepEqual([operation.slot, operation.fee, operation.does], [7n, 8n, 'pay'])
    assert.ok(writes.some(({ key }) => key === recordKey(requestTable, name(1))))
    const slot = writes.find(({ key }) => key === recordKey(slotTable, 'Chain', 7n))
    assert.deepEqual(slot && decodeRecord(slotTable, slot.value).uses, [
      { request: name(0), fee: 5n, effect: name(0) },
      { request: name(1), fee: 8n, effect: name(0) },
    ])
  })

  it('is at no other slot, and follows one after the other, each once', () => {
    const { company, bidding } = begun()
    assert.equal(company.refusal(bidding(1, 8, { slot: 8 })), elsewhere)
    assert.equal(company.refusal(bidding(2, 8)), elsewhere)
    company.apply(bidding(1, 8))
    assert.equal(company.refusal(bidding(1, 9)), 'the request has been used')
    assert.equal(company.refusal(bidding(2, 9)), undefined)
    for (let bid = 2; bid < 64; bid++) company.apply(bidding(bid, 8))
    assert.equal(company.refusal(bidding(64, 9)), 'the slot is taken too often')
  })

  it('is not for a request that has nothing there, whatever else the sponsor has sent', () => {
    const { scene, company } = begun()
    const other = scene.asked({ facts: [7, 9] })
    assert.equal(company.refusal(scene.paid(other, { bid: 1 })), elsewhere)
    company.apply(scene.paid({ ...other, facts: new Uint8Array([8, 5]) }))
    assert.equal(company.refusal(scene.paid(other, { bid: 1 })), elsewhere)
  })

  it('is above no limit for one operation, and of a day’s takes only what it may cost more', () => {
    for (const limit of ['perDay', 'perUserPerDay']) {
      const { company, bidding } = begun({ perOperation: '9', [limit]: '8' })
      const above = 'the fee is above what the sponsor pays for an operation'
      assert.equal(company.refusal(bidding(1, 10)), above)
      assert.match(company.refusal(bidding(1, 9)) ?? '', /in a day/)
      company.apply(bidding(1, 7))
      assert.match(company.refusal(bidding(2, 9)) ?? '', /in a day/)
      // For less than one before it costs nothing more, and does not lower what is outbid next.
      company.apply(bidding(2, 4))
      assert.match(company.refusal(bidding(3, 9)) ?? '', /in a day/)
      assert.equal(company.refusal(bidding(3, 8)), undefined)
    }
  })

  it('counts in all what the dearest may cost, and is one use of its key', () => {
    const { scene, company, bidding } = begun({ perDay: '12' })
    const rule = { limit: 1, timeframe: 60 }
    scene.makePolicy({ activityKind: 'Wallets:Sign', rule, action: { kind: 'Block' } })
    company.apply(bidding(1, 6))
    company.apply(bidding(2, 8))
    const another = (fee: number) => scene.paid(scene.asked({ facts: [8, fee] }))
    assert.match(company.refusal(another(4)) ?? '', /^blocked by policy/)
    const free = begun({ perDay: '12' })
    free.company.apply(free.bidding(1, 6))
    free.company.apply(free.bidding(2, 8))
    const next = (fee: number) => free.scene.paid(free.scene.asked({ facts: [8, fee] }))
    assert.match(free.company.refusal(next(5)) ?? '', /in a day/)
    assert.equal(free.company.refusal(next(4)), undefined)
  })

  it('is nothing of a sponsor that was switched off since', () => {
    const { scene, company, bidding } = begun()
    scene.change('deactivate')
    assert.equal(company.refusal(bidding(1, 8)), 'the fee sponsor is not active')
  })

  it('is renewed as it was', () => {
    const { scene, company, bidding } = begun()
    company.apply(bidding(1, 8))
    const { operation } = scene.written({ ...bidding(1, 8), kind: 'sponsorRenewal' })
    assert.ok(operation.kind === 'sponsorRenewal' && operation.fee === 8n)
    const same = 'a renewal signs what was agreed and nothing else'
    assert.equal(
      company.refusal({ ...bidding(1, 8, { slot: 8 }), kind: 'sponsorRenewal' }),
      elsewhere,
    )
    // What may run no more is not signed later as if it were what only takes the slot.
    const late = { ...bidding(1, 8, { time: overAt }), kind: 'sponsorRenewal' as const }
    assert.equal(company.refusal(late), same)
  })

  it('takes the slot and nothing more once the time is over, and not before', () => {
    const { scene, company, bidding, name } = begun()
    const inTime = scene.written(bidding(1, 8, { time: overAt - 1 })).operation
    assert.ok(inTime.kind === 'sponsor' && inTime.does === 'pay')
    assert.equal(company.refusal(bidding(0, 8, { time: overAt })), 'the request has expired')
    const { operation, writes } = scene.written(bidding(1, 8, { time: overAt }))
    assert.ok(operation.kind === 'sponsor')
    assert.deepEqual([operation.does, operation.digests], ['fill', [new Uint8Array(32).fill(11)]])
    const slot = writes.find(({ key }) => key === recordKey(slotTable, 'Chain', 7n))
    const uses = slot && decodeRecord(slotTable, slot.value).uses
    assert.deepEqual(uses?.[1], { request: name(1), fee: 8n, effect: undefined })
    const nothing = scene.paid(scene.asked({ facts: [9, 5] }), { bid: 1, time: overAt })
    assert.equal(company.refusal(nothing), elsewhere)
  })

  it('does so whatever has become of its user and of what he paid from', () => {
    const { scene, company, bidding, evidence } = begun()
    const filled = () => company.refusal(bidding(1, 8, { time: overAt }))
    company.alter(userTable, [scene.admin.user], { status: 'inactive' })
    company.alter(keyTable, [scene.wallet.key], { status: 'archived' })
    assert.equal(filled(), undefined)
    const payload = evidence.payload.replace('0x00', '0x66')
    const made = bidding(1, 8, { time: overAt })
    const other = { ...made, evidence: { ...made.evidence, payload } }
    assert.equal(company.refusal(other), 'the payload is not the one that was signed')
    company.freeze(scene.payer.key)
    assert.equal(filled(), 'the key of the fee sponsor is frozen')
  })

  it('does so whatever has become of the sponsor, and nothing else', () => {
    const { scene, company, bidding } = begun()
    scene.change('deactivate')
    const off = 'the fee sponsor is not active'
    assert.equal(company.refusal(bidding(1, 8, { time: overAt - 1 })), off)
    assert.equal(company.refusal(bidding(1, 8, { time: overAt })), undefined)
    assert.equal(company.refusal(bidding(1, 8, { slot: 8, time: overAt })), elsewhere)
  })

  it('does so at once for a sponsor that is archived, and never pays for it', () => {
    const { scene, company, bidding, evidence } = begun()
    const before = company.apply(bidding(1, 8))
    assert.ok(before.kind === 'sponsor' && before.does === 'pay')
    scene.change('delete')
    const { operation } = scene.written(bidding(2, 9))
    assert.ok(operation.kind === 'sponsor')
    assert.deepEqual([operation.does, operation.digests], ['fill', [new Uint8Array(32).fill(11)]])
    assert.equal(company.refusal(bidding(2, 9, { slot: 8 })), elsewhere)
    const other = scene.asked({ facts: [9, 5] })
    assert.equal(company.refusal(scene.paid(other)), 'the fee sponsor is not active')
    assert.equal(company.refusal(scene.use(evidence)), 'the fee sponsor is not active')
  })

  it('does not even that in an organization that is frozen', () => {
    const { company, bidding } = begun()
    company.freeze(company.organization)
    const made = bidding(1, 8, { time: overAt })
    assert.equal(company.refusal(made), 'the organization is frozen')
  })
})
