import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, describe, it } from 'node:test'
import { Failure } from '@quorate/core/failure'
import type { Outflow } from '@quorate/core/outflow'
import { decodeFacts } from '@quorate/effects/facts'
import { rulesFor } from '@quorate/judge/rules'
import { keyStream } from '@quorate/authority/stream'
import { ask } from '../coordinator/testing/company.ts'
import { applyRoot } from '../orgs/apply.ts'
import { graceMs } from '../approvals/ended.ts'
import { approvalFor } from '../approvals/find.ts'
import type { Coordinator } from '../coordinator/coordinator.ts'
import { openForgetful } from '../coordinator/testing/platform.ts'
import { moneyRoutes, openMoney } from '../money.ts'
import { simulateRoutes } from '../policies/simulate.ts'
import { openQuota } from '../usage/quota.ts'
import { noOpinions, openFactFile } from '../facts/file.ts'
import type { WalletRow } from '../wallets/find.ts'
import { findOutgoing } from './find.ts'
import { evidenceOf } from './reading.ts'
import type { WorkDeps } from './work.ts'
import type { State } from './lifecycle.ts'
import { outgoingResolver } from './resolver.ts'
import type { Outgoing } from './tables.ts'
import { signedPost } from './testing/signed-post.ts'
import { moneyDeps, openEdge } from './testing/edge.ts'
import { openLane, type Way } from './testing/lane.ts'
import {
  balanceOf,
  ether,
  makeWallet,
  mine,
  network,
  payment,
  request,
  reread,
  startTreasury,
  stranger,
  step,
  stepTo,
  type Treasury,
  type Wish,
} from './testing/treasury.ts'

let treasury: Treasury
let app: ReturnType<typeof openEdge>
before(async () => {
  treasury = await startTreasury()
  const { platform, deps } = treasury
  const saying = { ...deps, opine: (outflow: Outflow) => opine(outflow) }
  const routes = [
    ...moneyRoutes(moneyDeps(treasury, { opine: saying.opine })),
    ...simulateRoutes({
      ...saying,
      ...openMoney({ ...deps, log: deps.coordinator }),
      rules: rulesFor(platform.manifest),
    }),
  ]
  app = openEdge(treasury, routes)
})
after(async () => {
  await app.close()
  await treasury.stop()
})

/** What the operator's file says. */
let opine = noOpinions
const always = { kind: 'AlwaysTrigger' }
const asking = { kind: 'RequestApproval', approvalGroups: [{ quorum: 1, approvers: {} }] }

/** On one wallet, so that every test has its own. */
async function policyOn(wallet: WalletRow, action: object = asking, rule: object = always) {
  const { company, platform } = treasury
  const body = {
    ...{ name: 'all of it', activityKind: 'Wallets:Sign', rule, action },
    filters: { walletId: { in: [wallet.wallet_id] } },
  }
  const evidence = ask(company, company.administrator, { path: '/v2/policies', body })
  const { organization } = company
  await platform.coordinator.settle({ organization, kind: 'policy', evidence })
}

async function approvalOf(row: Outgoing) {
  return (await approvalFor(treasury.database, row.organization, row.request)) ?? assert.fail()
}

async function decide(
  row: Outgoing,
  value: 'Approved' | 'Denied',
  coordinator: Pick<Coordinator, 'settle'> = treasury.platform.coordinator,
): Promise<void> {
  const { company } = treasury
  const { id, approval_id: name } = await approvalOf(row)
  company.ids.set(name, id)
  const body = { value, reason: 'so be it' }
  const path = `/v2/policy-approvals/${name}/decisions`
  const evidence = ask(company, company.administrator, { path, body })
  const { organization } = company
  const stream = keyStream(row.key)
  await coordinator.settle({ organization, kind: 'decision', evidence, stream })
}

const withCoordinator = (coordinator: WorkDeps['coordinator']): Treasury => ({
  ...treasury,
  deps: { ...treasury.deps, coordinator },
})

/** As if it were so late. */
const at = (time: number): Treasury => ({
  ...treasury,
  deps: { ...treasury.deps, now: () => time },
})

type Body = {
  readonly [name in 'id' | 'status' | 'message' | 'reason' | 'approvalId']: string
} & { readonly datePolicyResolved?: string; readonly error: { readonly details: object } }

async function post(wallet: WalletRow, wish: Wish = { body: payment() }) {
  const { path, payload, headers } = await signedPost(treasury, wallet, wish)
  const answer = await app.inject({ method: 'POST', url: path, headers, payload })
  return { status: answer.statusCode, body: answer.json<Body>() }
}
async function get(wallet: WalletRow, id: string) {
  const url = `/wallets/${wallet.wallet_id}/transfers/${id}`
  return (await app.inject({ method: 'GET', url })).json<Body>()
}
const rowOf = ({ id: name }: Body) =>
  findOutgoing(treasury.database, treasury.caller, { kind: 'transfer', name })
const kindsOf = async ({ name }: Outgoing) => {
  const told = await treasury.database.selectFrom('outbox').selectAll().orderBy('id').execute()
  return told.filter(({ data }) => JSON.stringify(data).includes(name)).map(({ kind }) => kind)
}
/** What was told of it last. */
const latestOf = async ({ name }: Outgoing) => {
  const told = await treasury.database.selectFrom('outbox').selectAll().orderBy('id').execute()
  const latest = told.findLast(
    ({ kind, data }) => kind.startsWith('wallet.') && data.includes(name),
  )
  return JSON.parse(latest?.data ?? 'null')
}
const slotsOf = async ({ request: of }: Outgoing) =>
  treasury.database.selectFrom('slots').select('slot').where('request', '=', of).execute()

describe('a transfer that a policy holds', () => {
  let wallet: WalletRow
  before(async () => {
    wallet = await makeWallet(treasury)
    await policyOn(wallet)
  })

  it('is answered as pending with its approval, and goes on when that is there', async () => {
    const { status, body } = await post(wallet)
    assert.deepEqual([status, body.status], [200, 'Pending'])
    const row = await rowOf(body)
    assert.deepEqual([row.state, row.slot, row.facts], ['held', null, null])
    assert.equal(body.approvalId, (await approvalOf(row)).approval_id)
    await step(treasury, row)
    assert.equal((await reread(treasury, row)).state, 'held')
    await decide(row, 'Approved')
    await stepTo(treasury, row, 'requested')
    const inLine = await get(wallet, body.id)
    assert.deepEqual([inLine.status, inLine.approvalId], ['Executing', body.approvalId])
    assert.ok(inLine.datePolicyResolved)
    assert.deepEqual(await kindsOf(row), ['wallet.transfer.requested'])
    await stepTo(treasury, row, 'broadcasted')
    assert.deepEqual(await latestOf(row), { transferRequest: await get(wallet, body.id) })
    await mine(treasury, 3)
    await stepTo(treasury, row, 'confirmed')
    const read = await get(wallet, body.id)
    assert.deepEqual(await latestOf(row), { transferRequest: read })
    assert.deepEqual([read.status, read.approvalId], ['Confirmed', body.approvalId])
    assert.ok(read.datePolicyResolved)
    const kinds = ['requested', 'broadcasted', 'confirmed']
    assert.deepEqual(
      await kindsOf(row),
      kinds.map((kind) => `wallet.transfer.${kind}`),
    )
  })

  it('is woken when its approval is resolved, and shown to its approvers', async () => {
    const { body } = await post(wallet)
    const row = await rowOf(body)
    const woken: string[] = []
    const { database } = treasury
    const wake = () => void woken.push(row.name)
    const resolver = outgoingResolver({ database, wake, now: () => 1 })
    const approval = await approvalOf(row)
    assert.deepEqual(await resolver.shown(approval), {
      transferRequest: await get(wallet, body.id),
    })
    assert.deepEqual(await resolver.resolved(approval, 'Denied'), { outcome: 'Rejected' })
    assert.deepEqual([woken, (await reread(treasury, row)).due_at], [[row.name], 1])
  })

  it('is rejected when it is denied', async () => {
    const { body } = await post(wallet)
    const row = await rowOf(body)
    await decide(row, 'Denied')
    await stepTo(treasury, row, 'rejected')
    const read = await get(wallet, body.id)
    assert.deepEqual(await latestOf(row), { transferRequest: read })
    assert.deepEqual([read.status, read.reason], ['Rejected', 'an approver has denied it'])
    assert.ok(read.datePolicyResolved)
    assert.deepEqual(await kindsOf(row), ['wallet.transfer.requested', 'wallet.transfer.rejected'])
  })

  it('is rejected when nobody has approved it in time', async () => {
    const { body } = await post(wallet)
    const row = await rowOf(body)
    const { expires_at: expiresAt } = await approvalOf(row)
    // What has been decided by then may still be on its way.
    await step(at(expiresAt + 1), row)
    assert.equal((await get(wallet, body.id)).status, 'Pending')
    await stepTo(at(expiresAt + graceMs), row, 'rejected')
    const { status, reason } = await get(wallet, body.id)
    assert.deepEqual([status, reason], ['Rejected', 'nobody has approved it in time'])
  })

  it('goes on when it was approved in time, though no server has written that down until then', async () => {
    const { body } = await post(wallet)
    const row = await rowOf(body)
    await assert.rejects(decide(row, 'Approved', openForgetful(treasury.platform)))
    const { status, expires_at: expiresAt } = await approvalOf(row)
    assert.equal(status, 'Pending')
    await step(at(expiresAt + graceMs), row)
    const { state, policy_resolved_at: resolvedAt } = await reread(treasury, row)
    assert.equal(state, 'requested')
    assert.ok(resolvedAt !== null && resolvedAt < expiresAt)
    await stepTo(treasury, row, 'broadcasted')
  })

  it('is one with one approval, however often it is asked for under its external id', async () => {
    const wish = { body: payment({ externalId: 'once' }) }
    const answers = await Promise.all([post(wallet, wish), post(wallet, wish)])
    answers.push(await post(wallet, wish))
    const [first] = answers
    for (const { status, body } of answers)
      assert.deepEqual(
        [status, body.id, body.approvalId],
        [200, first?.body.id, first?.body.approvalId],
      )
    assert.ok(first?.body.approvalId)
  })

  it('keeps nothing from others of the same wallet', async () => {
    const [first, second] = [await post(wallet), await post(wallet)]
    const row = await rowOf(second.body)
    await decide(row, 'Approved')
    await stepTo(treasury, row, 'broadcasted')
    assert.equal((await rowOf(first.body)).state, 'held')
    await mine(treasury, 3)
    await stepTo(treasury, row, 'confirmed')
  })
})

describe('a policy that is made while a transfer is under way', () => {
  it('holds it before it is signed, and its slot goes to others', async () => {
    const wallet = await makeWallet(treasury)
    const row = await request(treasury, wallet, { body: payment() })
    await stepTo(treasury, row, 'prepared')
    assert.equal((await slotsOf(row)).length, 1)
    await policyOn(wallet)
    await stepTo(treasury, row, 'held')
    assert.deepEqual(await slotsOf(row), [])
    await decide(row, 'Approved')
    await stepTo(treasury, row, 'broadcasted')
  })

  it('fails what was agreed on and not signed in time, and its nonce stays taken', async () => {
    const wallet = await makeWallet(treasury)
    const row = await request(treasury, wallet, { body: payment() })
    const prepared = await stepTo(treasury, row, 'prepared')
    const { coordinator } = treasury.platform
    const { organization, key } = prepared
    await coordinator.sign({ organization, key, evidence: evidenceOf(prepared) })
    await policyOn(wallet)
    // As signers say of it a minute later, who then judge it afresh.
    const sign = async () => {
      throw new Failure('policy.held', { reason: 'all of it' })
    }
    await step(withCoordinator({ ...treasury.deps.coordinator, sign }), row)
    const { state, slot, reason } = await reread(treasury, row)
    assert.deepEqual([state, slot, reason], ['refused', prepared.slot, 'all of it'])
  })
})

describe('a server that ends while a transfer is held', () => {
  it('finds what was opened before it could write that down, and opens no other', async () => {
    const wallet = await makeWallet(treasury)
    await policyOn(wallet)
    const { body } = await post(wallet)
    const row = await rowOf(body)
    const unwritten = { state: 'asked' as const, approval_id: null }
    await treasury.database
      .updateTable('outgoing')
      .set(unwritten)
      .where('name', '=', row.name)
      .execute()
    await step(treasury, row)
    const again = await reread(treasury, row)
    assert.deepEqual([again.state, again.approval_id], ['held', body.approvalId])
  })

  it('does not take what is held for what is agreed on, when it was about to have it signed', async () => {
    const wallet = await makeWallet(treasury)
    const row = await request(treasury, wallet, { body: payment() })
    const prepared = await stepTo(treasury, row, 'prepared')
    await policyOn(wallet)
    await stepTo(treasury, row, 'held')
    await asIfUnwritten(prepared)
    await stepTo(treasury, row, 'held')
    await decide(row, 'Denied')
    await stepTo(treasury, row, 'rejected')
  })

  it('signs what signers have agreed on before policies came that hold it, and then block it', async () => {
    const wallet = await makeWallet(treasury)
    const row = await request(treasury, wallet, { body: payment() })
    const prepared = await stepTo(treasury, row, 'prepared')
    const { organization, key } = prepared
    const evidence = evidenceOf(prepared)
    await assert.rejects(openForgetful(treasury.platform).sign({ organization, key, evidence }))
    await policyOn(wallet)
    const { coordinator } = treasury.deps
    const settle: typeof coordinator.settle = async (ask) => {
      await policyOn(wallet, { kind: 'Block' })
      return coordinator.settle(ask)
    }
    await step(withCoordinator({ ...coordinator, settle }), row)
    await stepTo(treasury, row, 'broadcasted')
  })

  it('shows the approval of what was approved before it could write down that it waits', async () => {
    const wallet = await makeWallet(treasury)
    const row = await request(treasury, wallet, { body: payment() })
    const prepared = await stepTo(treasury, row, 'prepared')
    await policyOn(wallet)
    await stepTo(treasury, row, 'held')
    await asIfUnwritten(prepared)
    await decide(row, 'Approved')
    const signed = await stepTo(treasury, row, 'signed')
    const { approval_id, resolved_at } = await approvalOf(row)
    assert.ok(resolved_at !== null)
    assert.deepEqual([signed.approval_id, signed.policy_resolved_at], [approval_id, resolved_at])
    // Whoever announces the approval tells of the policy.
    assert.ok(!(await kindsOf(row)).includes('policy.triggered'))
  })

  async function asIfUnwritten({ name, state, slot, facts, cost }: Outgoing): Promise<void> {
    await treasury.database
      .updateTable('outgoing')
      .set({ state, slot, facts, cost, approval_id: null })
      .where('name', '=', name)
      .execute()
  }
})

describe('a limit in dollars', () => {
  it('is judged by the prices that the server says, and holds what has none', async () => {
    const wallet = await makeWallet(treasury)
    const configuration = { limit: 100, currency: 'USD' }
    await policyOn(wallet, asking, { kind: 'TransactionAmountLimit', configuration })
    const statusOf = async (amount: bigint) => {
      const { body } = await post(wallet, { body: payment({ amount: `${amount}` }) })
      return (await rowOf(body)).state
    }
    const small = ether / 1_000n
    assert.equal(await statusOf(small), 'held')
    const said = {
      asset: `${network}/Native`,
      currency: 'USD',
      decimals: 18,
      source: 'me',
    } as const
    opine = async () => ({
      prices: [{ ...said, micros: 2_000_000_000n, at: Date.now() - 1_000 }],
      screenings: [],
    })
    assert.equal(await statusOf(small), 'requested')
    assert.equal(await statusOf(ether / 10n), 'held')
    opine = noOpinions
  })

  it('is judged by what is written down for its signers', async () => {
    const wallet = await makeWallet(treasury)
    const row = await request(treasury, wallet, { body: payment() })
    const price = {
      ...({ asset: `${network}/Native`, currency: 'USD', decimals: 18, source: 'me' } as const),
      ...{ micros: 1n, at: Date.now() },
    }
    const deps = { ...treasury.deps, opine: async () => ({ prices: [price], screenings: [] }) }
    const { facts } = await stepTo({ ...treasury, deps }, row, 'prepared')
    assert.deepEqual(facts && decodeFacts(facts).prices, [price])
  })
})

describe('a limit in dollars on what leaves in some time', () => {
  const folder = mkdtempSync(join(tmpdir(), 'quorate-prices-'))
  after(() => rmSync(folder, { recursive: true }))
  /** As an operator writes it. */
  const say = (price: string, at = new Date()) => {
    const asset = `${network}/Native`
    const time = at.toISOString().replace(/\.[0-9]+Z$/, 'Z')
    const prices = [{ asset, currency: 'USD', price, decimals: 18, source: 'me', at: time }]
    const path = join(folder, `${price}.json`)
    writeFileSync(path, JSON.stringify({ format: 'quorate.facts.1', prices }))
    opine = openFactFile(path, assert.fail)
  }

  it('counts what was signed at the prices of a file, and holds what would be above it', async () => {
    const wallet = await makeWallet(treasury)
    const configuration = { limit: 100, currency: 'USD', timeframe: 60 }
    await policyOn(wallet, asking, { kind: 'TransactionAmountVelocity', configuration })
    // 40 dollars each, and some cents of fees.
    const body = payment({ amount: `${ether / 50n}` })
    const stateOf = async () => {
      const answer = await post(wallet, { body })
      return { answer, row: await rowOf(answer.body) }
    }
    say('2000')
    const ofTreasury = { ...treasury, deps: { ...treasury.deps, opine } }
    for (const _ of [1, 2]) {
      const { row } = await stateOf()
      assert.equal(row.state, 'requested')
      await stepTo(ofTreasury, row, 'broadcasted')
    }
    const { answer, row } = await stateOf()
    assert.equal(row.state, 'held')
    assert.ok(answer.body.approvalId)
    await decide(row, 'Approved')
    await mine(treasury, 3)
    await stepTo(ofTreasury, row, 'broadcasted')
    // A price of today changes nothing of what was counted; an old one is none.
    say('0.01')
    assert.equal((await stateOf()).row.state, 'held')
    opine = noOpinions
  })

  it('is triggered by a price that is too old', async () => {
    const wallet = await makeWallet(treasury)
    const configuration = { limit: 100, currency: 'USD', timeframe: 60 }
    await policyOn(wallet, asking, { kind: 'TransactionAmountVelocity', configuration })
    const stateNow = async () => (await rowOf((await post(wallet)).body)).state
    say('1')
    assert.equal(await stateNow(), 'requested')
    say('2', new Date(Date.now() - 2 * 60 * 60_000))
    assert.equal(await stateNow(), 'held')
    opine = noOpinions
  })
})

describe('a drafted policy on wallets', () => {
  const simulate = async (wallet: WalletRow, rule: object, request?: object) => {
    const filters = { walletId: { in: [wallet.wallet_id] } }
    const action = { kind: 'Block' }
    const policy = { name: 'draft', activityKind: 'Wallets:Sign', rule, action, filters }
    const asked = request === undefined ? {} : { request }
    const payload = JSON.stringify({ policy, ...asked })
    const headers = { 'content-type': 'application/json' }
    const url = '/v2/policies/simulate'
    const answer = await app.inject({ method: 'POST', url, headers, payload })
    assert.equal(answer.statusCode, 200, answer.payload)
    return answer.json()
  }
  const limit = (wei: bigint) => ({
    kind: 'TransactionAssetLimit',
    configuration: { asset: `${network}/Native`, limit: `${wei}` },
  })
  const transactionTo = (value: bigint) => ({
    kind: 'Transaction',
    transaction: { to: stranger, value: `${value}` },
  })

  it('says what it would have said of transfers and transactions that were made', async () => {
    const wallet = await makeWallet(treasury)
    const wishes = [
      { body: payment({ amount: `${ether / 10n}` }) },
      { body: payment() },
      { body: transactionTo(ether / 5n), kind: 'transaction' },
      { body: transactionTo(1n), kind: 'transaction' },
    ] as const
    const names: string[] = []
    for (const wish of wishes) {
      const row = await request(treasury, wallet, wish)
      await stepTo(treasury, row, 'broadcasted')
      names.push(row.name)
    }
    const found = await simulate(wallet, limit(ether / 20n))
    type Told = { readonly requestId: string; readonly operation: string; readonly reason: string }
    const told = found.triggered.map(({ requestId, operation }: Told) => [requestId, operation])
    assert.deepEqual(told, [
      [names[2], 'wallets.broadcastTransaction'],
      [names[0], 'wallets.transferAsset'],
    ])
    assert.equal(found.blocked, 2)
    for (const { reason } of found.triggered) assert.match(reason, /limit/)
    assert.deepEqual((await simulate(wallet, limit(ether))).triggered, [])
  })

  it('says what it would say of one that nobody has made, on what chain and prices say now', async () => {
    const wallet = await makeWallet(treasury)
    const { wallet_id: walletId } = wallet
    const verdictOf = async (rule: object, kind: string, body: object) =>
      (await simulate(wallet, rule, { walletId, kind, body })).request.verdict
    for (const [amount, verdict] of [
      [ether / 10n, 'Blocked'],
      [1n, 'Allowed'],
    ] as const) {
      const rule = limit(ether / 20n)
      const sent = payment({ amount: `${amount}` })
      assert.equal(await verdictOf(rule, 'Transfer', sent), verdict)
      assert.equal(await verdictOf(rule, 'Transaction', transactionTo(amount)), verdict)
    }
    const configuration = { limit: 100, currency: 'USD' }
    const dollars = { kind: 'TransactionAmountLimit', configuration }
    assert.equal(await verdictOf(dollars, 'Transfer', payment()), 'Blocked')
    const price = {
      ...({ asset: `${network}/Native`, currency: 'USD', decimals: 18, source: 'me' } as const),
      ...{ micros: 2_000_000_000n, at: Date.now() - 1_000 },
    }
    opine = async () => ({ prices: [price], screenings: [] })
    assert.equal(await verdictOf(dollars, 'Transfer', payment()), 'Allowed')
    opine = noOpinions
    const { database } = treasury
    const kept = database.selectFrom('outgoing').select('id').where('wallet', '=', wallet.id)
    assert.deepEqual(await kept.execute(), [])
  })
})

describe('the monthly limit', () => {
  it('counts transfers, and what was asked for before there was one', async () => {
    const wallet = await makeWallet(treasury)
    const { database, company } = treasury
    const { organization } = company
    const { used } = await openQuota(undefined).read(database, organization, Date.now())
    assert.ok(used > 0)
    const quota = openQuota(used + 1)
    const wish = { body: payment({ externalId: 'counted' }), quota }
    await request(treasury, wallet, wish)
    await request(treasury, wallet, wish)
    const more = { body: payment(), quota }
    await assert.rejects(request(treasury, wallet, more), { code: 'quota.exceeded' })
    assert.equal((await quota.read(database, organization, Date.now())).used, used + 1)
  })
})

describe('a transfer that a policy blocks', () => {
  it('is refused, for its repetitions as well, and kept as rejected', async () => {
    const wallet = await makeWallet(treasury)
    await policyOn(wallet, { kind: 'Block' })
    const wish = { body: payment({ externalId: 'never' }) }
    for (const { status, body } of [await post(wallet, wish), await post(wallet, wish)])
      assert.deepEqual([status, body.message], [403, 'Blocked by policy'])
    const rows = await treasury.database
      .selectFrom('outgoing')
      .selectAll()
      .where('wallet', '=', wallet.id)
      .execute()
    assert.equal(rows.length, 1)
    const read = await get(wallet, rows[0]?.name ?? '')
    assert.deepEqual([read.status, read.approvalId], ['Rejected', undefined])
    assert.match(read.reason, /^blocked by policy: /)
    const [triggered, ...others] = await triggersOf(read.id)
    assert.deepEqual([triggered?.action.kind, others], ['Block', []])
  })
})

describe('a transfer that a policy only takes note of', () => {
  it('is paid, and the policy is told of', async () => {
    const wallet = await makeWallet(treasury)
    await policyOn(wallet, { kind: 'NoAction' })
    await applyRoot(treasury.database, treasury.company.organization)
    const { body } = await post(wallet)
    await stepTo(treasury, await rowOf(body), 'broadcasted')
    const [triggered, ...others] = await triggersOf(body.id)
    assert.deepEqual([triggered?.action.kind, others], ['NoAction', []])
  })
})

describe('a transfer that another policy blocks once it is approved', () => {
  it('is rejected, and that policy is told of', async () => {
    const wallet = await makeWallet(treasury)
    await policyOn(wallet)
    const { body } = await post(wallet)
    const row = await rowOf(body)
    await policyOn(wallet, { kind: 'Block' })
    await applyRoot(treasury.database, treasury.company.organization)
    await decide(row, 'Approved')
    const { reason, approval_id } = await stepTo(treasury, row, 'rejected')
    assert.match(String(reason), /^blocked by policy: /)
    assert.equal(approval_id, body.approvalId)
    // The other one is told of by whoever announces the approval.
    const told = (await triggersOf(body.id)).map(({ action }) => action.kind)
    assert.deepEqual(told, ['Block'])
  })
})

/** The policies that were told of as triggered by it. */
async function triggersOf(id: string): Promise<{ readonly action: { readonly kind: string } }[]> {
  const rows = await treasury.database
    .selectFrom('outbox')
    .select('data')
    .where('kind', '=', 'policy.triggered')
    .execute()
  return rows
    .map(({ data }) => JSON.parse(data).policyEvaluation)
    .filter(({ activity }) => activity.transferRequest.id === id)
    .map(({ policy }) => policy)
}

describe('what comes for the place of a payment, where a policy holds it', () => {
  let wallet: WalletRow
  let lane: ReturnType<typeof openLane>
  let row: Outgoing
  before(() => {
    lane = openLane(treasury)
  })
  after(() => lane.close())
  /** The payment was signed before there was a policy, and nothing else waits for a block. */
  beforeEach(async () => {
    await mine(treasury)
    wallet = await makeWallet(treasury)
    row = await stepTo(
      treasury,
      await request(treasury, wallet, { body: payment() }),
      'broadcasted',
    )
    await policyOn(wallet)
  })

  async function heldOne(way: Way): Promise<Outgoing> {
    const { status, body } = await lane.ask(row, way)
    assert.deepEqual([status, body.status], [200, 'Pending'], body.message)
    const found = await replacementOf(body.id)
    assert.deepEqual([found.state, found.slot], ['held', null])
    assert.equal((await approvalOf(found)).approval_id, found.approval_id)
    return found
  }
  const replacementOf = (name: string) =>
    findOutgoing(treasury.database, treasury.caller, { kind: 'transaction', name })
  const paidTo = () => balanceOf(treasury, stranger)
  /** @returns how much more the recipient has when all of them are settled */
  async function settled(ends: readonly (readonly [Outgoing, State])[]): Promise<bigint> {
    const before = await paidTo()
    await mine(treasury, 4)
    for (const [one, end] of ends) await stepTo(treasury, one, end)
    return (await paidTo()) - before
  }

  it('it runs once it is approved, be it a speed-up or a cancellation', async () => {
    const faster = await heldOne('speed-up')
    await decide(faster, 'Approved')
    const sent = await stepTo(treasury, faster, 'broadcasted')
    assert.equal(sent.slot, row.slot)
    const cancelling = await heldOne('cancel')
    await decide(cancelling, 'Approved')
    await stepTo(treasury, cancelling, 'broadcasted')
    const paid = await settled([
      [cancelling, 'confirmed'],
      [row, 'lapsed'],
      [faster, 'lapsed'],
    ])
    assert.equal(paid, 0n)
  })

  it('it is rejected where it is denied, and the payment is made', async () => {
    for (const way of ['speed-up', 'cancel'] as const) {
      const one = await heldOne(way)
      await decide(one, 'Denied')
      const { reason } = await stepTo(treasury, one, 'rejected')
      assert.equal(reason, 'an approver has denied it')
    }
    assert.equal(await settled([[row, 'confirmed']]), 1000n)
  })

  it('it is rejected where nobody approves it in time, and the payment is made', async () => {
    const one = await heldOne('cancel')
    const { expires_at: expiresAt } = await approvalOf(one)
    const { reason } = await stepTo(at(expiresAt + graceMs), one, 'rejected')
    assert.equal(reason, 'nobody has approved it in time')
    assert.equal(await settled([[row, 'confirmed']]), 1000n)
  })

  it('it is refused where it is blocked, and the payment is made', async () => {
    await policyOn(wallet, { kind: 'Block' })
    for (const way of ['speed-up', 'cancel'] as const) {
      const { status, body } = await lane.ask(row, way)
      assert.deepEqual([status, body.message], [403, 'Blocked by policy'])
      const { replacement_id: name } = await reread(treasury, row)
      assert.equal((await replacementOf(name ?? '')).state, 'rejected')
    }
    assert.equal(await settled([[row, 'confirmed']]), 1000n)
  })

  it('it comes too late where the payment is made before it is approved', async () => {
    const one = await heldOne('speed-up')
    assert.equal(await settled([[row, 'confirmed']]), 1000n)
    await decide(one, 'Approved')
    const { reason } = await stepTo(treasury, one, 'refused')
    assert.match(reason ?? '', /nonce .* has been used/)
    assert.equal(await settled([[row, 'confirmed']]), 0n)
  })
})
