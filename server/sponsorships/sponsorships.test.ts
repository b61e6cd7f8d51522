import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { encodeFunctionData, parseAbi } from 'viem'
import { deploy, type Deployed } from '@quorate/devnet/testing/deploy'
import { moneyRoutes } from '../money.ts'
import { feeSponsorName } from './sponsor.ts'
import { transactionOf, transferOf } from '../transfers/entity.ts'
import { leaseRows } from '../transfers/lease.ts'
import { placeOf } from '../transfers/replace.ts'
import { observeReplacement } from '../transfers/replacement-facts.ts'
import type { Outgoing } from '../transfers/tables.ts'
import { moneyDeps, openEdge } from '../transfers/testing/edge.ts'
import { signedPost } from '../transfers/testing/signed-post.ts'
import {
  ether,
  fund,
  makeWallet,
  mine,
  network,
  payment,
  request,
  reread,
  setDataFee,
  startTreasury,
  step,
  stepTo,
  stranger,
  type Treasury,
} from '../transfers/testing/treasury.ts'
import { openChains } from '../chain/chains.ts'
import { workOnce } from '../transfers/work.ts'
import { eraseUserNow } from '../users/erase-rows.ts'
import { openQuota } from '../usage/quota.ts'
import { listSponsoredFees, sponsorshipsOf } from './find.ts'
import { untilSent } from './row.ts'
import { askingAt } from './testing/asking.ts'
import {
  carry,
  changeSponsor,
  deployAccount,
  empty,
  makeSponsor,
  paidFor,
  waitingOf,
  type TestSponsor,
} from './testing/sponsor.ts'

let treasury: Treasury
let sponsor: TestSponsor
let coin: Deployed

before(async () => {
  treasury = await startTreasury()
  await deployAccount(treasury)
  sponsor = await makeSponsor(treasury)
  coin = await deploy(treasury.rpc, 'Coin', ['Gold', 'GLD', 6])
})
after(() => treasury.stop())

const { ask, balance, codeOf, nonceOf, paid, poor } = askingAt(() => ({ treasury, sponsor }))

describe('what a fee sponsor pays for, with four signer processes and a real chain', () => {
  it('moves the last wei of a wallet, and the wallet runs the contract from then on', async () => {
    const wallet = await poor()
    const [there, funds] = [await balance(stranger), await balance(sponsor.wallet.address)]
    assert.equal(await codeOf(wallet), 'none')
    const done = await paid(wallet)
    assert.equal(await balance(stranger), there + 1000n)
    assert.equal(await balance(wallet.address), 0n)
    assert.equal(await codeOf(wallet), 'ours')
    const sent = await paidFor(treasury, done)
    assert.ok(sent)
    assert.equal(await balance(sponsor.wallet.address), funds - BigInt(sent.fee ?? 0))
    const shown = transferOf(done)
    assert.deepEqual([shown.status, shown.feeSponsorId], ['Confirmed', sponsor.name])
    assert.deepEqual([shown.txHash, shown.fee], [sent.hash, undefined])
  })

  it('moves tokens of a wallet that never had any ether', async () => {
    const wallet = await poor(0n)
    await coin.invoke('mint', [wallet.address, 100n])
    const before = await coin.ask('balanceOf', [stranger])
    await paid(wallet, { kind: 'Erc20', contract: coin.address, amount: '40' })
    assert.equal(await coin.ask('balanceOf', [stranger]), before + 40n)
    assert.equal(await coin.ask('balanceOf', [wallet.address]), 60n)
    assert.equal(await balance(wallet.address), 0n)
  })

  it('needs the account’s own nonce for the first time, and never again', async () => {
    const wallet = await poor(2000n)
    const first = await paid(wallet)
    assert.equal(await nonceOf(wallet), 1)
    const second = await paid(wallet)
    assert.equal(await nonceOf(wallet), 1)
    const types = await Promise.all(
      [first, second].map(async ({ hash }) => {
        const found = await treasury.rpc('eth_getTransactionByHash', [hash])
        return (found as { readonly type: string }).type
      }),
    )
    assert.deepEqual(types, ['0x4', '0x2'])
    assert.deepEqual([first.delegation_nonce, second.delegation_nonce], [0, null])
  })

  it('is three calls at once, all of them or none', async () => {
    const wallet = await poor(30n)
    await coin.invoke('mint', [wallet.address, 5n])
    const abi = parseAbi(['function transfer(address to, uint256 amount) returns (bool)'])
    const moving = (amount: bigint) => ({
      to: coin.address,
      data: encodeFunctionData({ abi, functionName: 'transfer', args: [stranger, amount] }),
    })
    const operations = (amount: bigint) => ({
      ...{ kind: 'UserOperations', feeSponsorId: sponsor.name },
      userOperations: [
        { to: stranger, value: '10' },
        moving(amount),
        { to: stranger, value: '20' },
      ],
    })
    const there = await balance(stranger)
    const body = operations(5n)
    const row = await request(treasury, wallet, { kind: 'transaction', body })
    const done = await carry(treasury, row, 'confirmed')
    assert.equal(await balance(stranger), there + 30n)
    assert.equal(await coin.ask('balanceOf', [wallet.address]), 0n)
    const shown = transactionOf(done)
    assert.deepEqual(shown.requestBody, body)
    await fund(treasury.rpc, wallet, 30n)
    // One token more than there is: nothing of it happens, and nothing is sent.
    const more = await request(treasury, wallet, { kind: 'transaction', body: operations(1n) })
    const failed = await carry(treasury, more, 'lapsed')
    assert.match(failed.reason ?? '', /^the fee sponsor has not paid: /)
    assert.equal(await balance(wallet.address), 30n)
  })

  it('goes side by side: two of one wallet for the first time, each once', async () => {
    const wallet = await poor(2000n)
    const there = await balance(stranger)
    const rows = [await ask(wallet), await ask(wallet)]
    for (const row of rows) await carry(treasury, row, 'signed')
    for (const row of rows) await carry(treasury, row, 'broadcasted', 'included')
    for (const row of rows) await carry(treasury, row, 'confirmed')
    assert.equal(await balance(stranger), there + 2000n)
    assert.equal(await nonceOf(wallet), 1)
  })

  it('is put down once, though a server that has lost it to another one has had it signed as well', async () => {
    const row = await ask(await poor())
    await stepTo(treasury, row, 'prepared')
    const { database, deps, lines } = treasury
    const lease = async (): Promise<Outgoing> => {
      await database.updateTable('outgoing').set({ due_at: null }).execute()
      const due = { due_at: 0, lease_until: 0 }
      await database.updateTable('outgoing').set(due).where('id', '=', row.id).execute()
      return (await leaseRows(database, 1, Date.now()))[0] ?? assert.fail()
    }
    const [slow, quick] = [await lease(), await lease()]
    await workOnce(deps, quick)
    await workOnce(deps, slow)
    assert.match(
      lines.splice(0).join(),
      /^what a step has found out was not written down[^,]*,[^,]*$/,
    )
    assert.equal((await sponsorshipsOf(database, row)).length, 1)
    await carry(treasury, row, 'confirmed')
  })

  it('is one signature of the month, though two keys sign', async () => {
    const { database, company } = treasury
    const used = async () =>
      (await openQuota(undefined).read(database, company.organization, Date.now())).used
    const before = await used()
    await paid(await poor())
    assert.equal(await used(), before + 1)
  })

  it('is put back by a reorganization, and carried out once more', async () => {
    const by = await makeSponsor(treasury)
    // What is taken back shall be this payment and none before it.
    await mine(treasury, 4)
    const row = await carry(treasury, await ask(await poor(), {}, { by }), 'included')
    const there = await balance(stranger)
    await treasury.rpc('anvil_reorg', [2, []])
    assert.equal(await balance(stranger), there - 1000n)
    const sent = await paidFor(treasury, row)
    assert.ok(sent)
    await step(treasury, sent)
    await step(treasury, row)
    const both = [await reread(treasury, row), await paidFor(treasury, row)]
    assert.deepEqual(
      both.map((one) => [one?.state, one?.block_hash]),
      [
        ['broadcasted', null],
        ['broadcasted', null],
      ],
    )
    await carry(treasury, row, 'confirmed')
    assert.equal(await balance(stranger), there)
  })

  it('is in the list of what the sponsor has paid, and in no list of transactions', async () => {
    const wallet = await poor()
    const done = await paid(wallet)
    const sent = await paidFor(treasury, done)
    const { organization } = treasury.company
    const named = { organization, sponsor: sponsor.id }
    const { items } = await listSponsoredFees(treasury.database, named, { limit: 1 })
    const [item] = items
    assert.deepEqual(
      [item?.feeSponsorId, item?.sponsoreeId, item?.requestId, item?.fee],
      [feeSponsorName(sponsor.id), wallet.wallet_id, done.name, sent?.fee],
    )
    const shown = await treasury.database
      .selectFrom('outbox')
      .select('kind')
      .where('data', 'like', `%${sent?.name}%`)
      .execute()
    assert.deepEqual(shown, [])
  })
})

describe('a fee sponsor that cannot pay', () => {
  it('fails what it was to pay for, before anything is signed', async () => {
    const broke = await makeSponsor(treasury, { funds: 0n })
    const wallet = await poor()
    const row = await ask(wallet, {}, { by: broke })
    const failed = await carry(treasury, row, 'refused')
    assert.match(failed.reason ?? '', /insufficient funds: .* of the fee sponsor needed/)
    const small = await makeSponsor(treasury, { limits: { perOperation: '1' } })
    const dear = await carry(treasury, await ask(wallet, {}, { by: small }), 'refused')
    assert.match(dear.reason ?? '', /the fee sponsor pays 1 for one/)
    const off = await makeSponsor(treasury)
    const late = await ask(wallet, {}, { by: off })
    await changeSponsor(treasury, off, { end: '/deactivate' })
    const { reason } = await carry(treasury, late, 'refused')
    assert.equal(reason, 'the fee sponsor is not active')
    assert.equal(await codeOf(wallet), 'none')
  })

  it('is refused at the edge when it is switched off between signature and request', async () => {
    const other = await makeSponsor(treasury)
    const wallet = await poor()
    const app = openEdge(treasury, moneyRoutes(moneyDeps(treasury)))
    const body = payment({ feeSponsorId: other.name })
    const { path: url, payload, headers } = await signedPost(treasury, wallet, { body })
    await changeSponsor(treasury, other, { end: '/deactivate' })
    const answer = await app.inject({ method: 'POST', url, headers, payload })
    await app.close()
    const { error } = answer.json<{ readonly error: { readonly message: string } }>()
    assert.deepEqual([answer.statusCode, error.message], [400, 'the fee sponsor is not active'])
    const rows = treasury.database
      .selectFrom('outgoing')
      .select('id')
      .where('wallet', '=', wallet.id)
    assert.deepEqual(await rows.execute(), [])
  })

  it('keeps what is signed waiting until it has money', async () => {
    const other = await makeSponsor(treasury)
    const row = await carry(treasury, await ask(await poor(), {}, { by: other }), 'signed')
    assert.equal(transferOf(row).details?.['waiting'], untilSent)
    await empty(treasury, other)
    assert.match(await waitingOf(treasury, row), /insufficient funds of the fee sponsor/)
    await fund(treasury.rpc, other.wallet, ether)
    await carry(treasury, row, 'confirmed')
  })

  it('keeps it waiting while it is switched off', async () => {
    const other = await makeSponsor(treasury)
    const row = await carry(treasury, await ask(await poor(), {}, { by: other }), 'signed')
    await changeSponsor(treasury, other, { end: '/deactivate' })
    assert.equal(await waitingOf(treasury, row), 'the fee sponsor is not active')
    await changeSponsor(treasury, other, { end: '/activate' })
    await carry(treasury, row, 'confirmed')
  })

  it('keeps it waiting when its day is used up meanwhile, by the word of its signers', async () => {
    const other = await makeSponsor(treasury)
    const wallet = await poor(2000n)
    const first = await carry(treasury, await ask(wallet, {}, { by: other }), 'confirmed')
    const second = await carry(treasury, await ask(wallet, {}, { by: other }), 'signed')
    const perDay = (await paidFor(treasury, first))?.cost ?? ''
    await changeSponsor(treasury, other, { body: { limits: { perDay } } })
    assert.match(await waitingOf(treasury, second), /the signers refused: .* in a day/)
    await changeSponsor(treasury, other, { body: { limits: {} } })
    await carry(treasury, second, 'confirmed')
  })

  it('fails what is above what is left of its day, or of the user’s, before anything is signed', async () => {
    for (const limit of ['perDay', 'perUserPerDay']) {
      const other = await makeSponsor(treasury)
      const wallet = await poor(2000n)
      const first = await carry(treasury, await ask(wallet, {}, { by: other }), 'confirmed')
      const used = (await paidFor(treasury, first))?.cost ?? ''
      await changeSponsor(treasury, other, { body: { limits: { [limit]: used } } })
      const failed = await carry(treasury, await ask(wallet, {}, { by: other }), 'refused')
      assert.match(failed.reason ?? '', /^the fee sponsor has 0 left for a day, and it may cost /)
    }
  })

  it('has failed it when its own users take the nonce back, as they may', async () => {
    const other = await makeSponsor(treasury)
    const wallet = await poor()
    const row = await carry(treasury, await ask(wallet, {}, { by: other }), 'broadcasted')
    const sent = await paidFor(treasury, row)
    const gwei = 10n ** 9n
    const transaction = {
      ...{ type: 2, to: stranger, value: '1', nonce: sent?.slot, gasLimit: '30000' },
      ...{ maxFeePerGas: String(100n * gwei), maxPriorityFeePerGas: String(50n * gwei) },
    }
    const body = { kind: 'Transaction', transaction }
    const own = await request(treasury, other.wallet, { kind: 'transaction', body })
    const under = await stepTo(treasury, own, 'broadcasted')
    const place = await placeOf(treasury.database, under, 'speedUp')
    const chain = treasury.chains.find(network)
    const faster = await observeReplacement({ ...treasury, chain }, { ...under, ...place })
    assert.ok(faster.ok && faster.facts.maxFeePerGas >= 110n * gwei)
    await mine(treasury, 3)
    await stepTo(treasury, own, 'confirmed')
    const failed = await carry(treasury, row, 'lapsed')
    assert.equal(failed.reason, `the fee sponsor has not paid: replaced by ${own.name}`)
    assert.equal(await balance(wallet.address), 1000n)
  })

  it('has failed it once the time is over, and nothing was paid', async () => {
    const other = await makeSponsor(treasury)
    const wallet = await poor()
    const executeBefore = Date.now() + 8_000
    const row = await carry(treasury, await ask(wallet, {}, { by: other, executeBefore }), 'signed')
    await empty(treasury, other)
    const late = { ...treasury, deps: { ...treasury.deps, now: () => executeBefore + 1 } }
    const failed = await carry(late, row, 'lapsed')
    assert.match(failed.reason ?? '', /not executed within its time/)
    assert.equal(await balance(wallet.address), 1000n)
  })
})

describe('an account of which both its own transactions and a sponsor’s are under way', () => {
  it('takes no slot while it signs for the nonce by which it is delegated', async () => {
    const wallet = await makeWallet(treasury)
    const sponsored = await carry(treasury, await ask(wallet), 'signed')
    const own = await request(treasury, wallet, { body: payment() })
    await step(treasury, own)
    const { state, waiting } = await reread(treasury, own)
    assert.deepEqual([state, waiting], ['requested', 'another one of this wallet comes first'])
    await carry(treasury, sponsored, 'confirmed')
    const after_ = await stepTo(treasury, own, 'broadcasted')
    assert.equal(after_.slot, 1)
    await mine(treasury, 2)
    await stepTo(treasury, own, 'confirmed')
  })

  it('signs for no such nonce while one of its own transactions holds it', async () => {
    const wallet = await makeWallet(treasury)
    const own = await stepTo(
      treasury,
      await request(treasury, wallet, { body: payment() }),
      'slotted',
    )
    const sponsored = await ask(wallet)
    await step(treasury, sponsored)
    const { state, waiting } = await reread(treasury, sponsored)
    assert.deepEqual([state, waiting], ['requested', 'another one of this wallet comes first'])
    await stepTo(treasury, own, 'broadcasted')
    await step(treasury, sponsored)
    assert.equal((await reread(treasury, sponsored)).state, 'requested')
    await mine(treasury, 2)
    await stepTo(treasury, own, 'confirmed')
    const done = await carry(treasury, sponsored, 'confirmed')
    assert.equal(done.delegation_nonce, 1)
  })
})

describe('the erasure of somebody for whom a sponsor has paid', () => {
  it('takes what he said out of his request, and finds nothing in what was sent for it', async () => {
    const { database, company, bot } = treasury
    const word = 'a word of his own'
    const done = await paid(await poor(), { externalId: word })
    const sent = await paidFor(treasury, done)
    assert.deepEqual([sent?.external_id, sent?.evidence.length], [null, 0])
    const erasure = { organization: company.organization, user: bot.user, time: Date.now() }
    await eraseUserNow(database, erasure)
    const { external_id, evidence } = await reread(treasury, done)
    assert.equal(external_id, null)
    assert.ok(!Buffer.from(evidence).includes(word))
    assert.deepEqual(await paidFor(treasury, done), sent)
  })
})

describe('on a network that takes a fee for bytes as well', () => {
  let through: Treasury
  before(async () => {
    await treasury.rpc('anvil_setChainId', [8453])
    const node = { rpcUrl: treasury.node.rpcUrl, confirmations: 2 }
    const chains = openChains(new Map([['Base', node]]))
    through = { ...treasury, chains, deps: { ...treasury.deps, chains } }
  })
  after(() => treasury.rpc('anvil_setChainId', [11155111]))

  it('the sponsor has to have that fee, before the account signs and before itself does', async () => {
    const rich = await makeSponsor(through, { on: 'Base' })
    const asked = async () => {
      const wallet = await makeWallet(through, 1000n, 'Base')
      return request(through, wallet, { body: payment({ feeSponsorId: rich.name }) })
    }
    await setDataFee(through, ether)
    const early = await stepTo(through, await asked(), 'refused')
    assert.match(early.reason ?? '', /^insufficient funds: 12\d{17} of the fee sponsor needed/)
    await setDataFee(through, 1n)
    const row = await stepTo(through, await asked(), 'signed')
    await setDataFee(through, ether)
    assert.match(await waitingOf(through, row), /^insufficient funds of the fee sponsor: 12\d{17} /)
    await setDataFee(through, 1n)
    await carry(through, row, 'confirmed')
  })
})
