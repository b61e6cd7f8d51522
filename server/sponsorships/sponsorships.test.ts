import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { encodeFunctionData, parseAbi } from 'viem'
import { delegationOf } from '@quorate/chains/evm/account/account'
import { deploy, type Deployed } from '@quorate/devnet/testing/deploy'
import { moneyRoutes } from '../money.ts'
import { feeSponsorName } from './sponsor.ts'
import { transactionOf, transferOf } from '../transfers/entity.ts'
import { evidenceOf } from '../transfers/reading.ts'
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
  type Wish,
} from '../transfers/testing/treasury.ts'
import { toHex } from '@quorate/core/bytes'
import { Failure, isFailure } from '@quorate/core/failure'
import { decodeFacts } from '@quorate/effects/facts'
import { openChains } from '../chain/chains.ts'
import { workOnce } from '../transfers/work.ts'
import { eraseUserNow } from '../users/erase-rows.ts'
import { openQuota } from '../usage/quota.ts'
import type { WalletRow } from '../wallets/find.ts'
import { openForgetful, until } from '../coordinator/testing/platform.ts'
import { listSponsoredFees, sponsorshipsOf } from './find.ts'
import { isFill, keptOutMs, stuckMs } from './outbid.ts'
import { bidRow, untilSent } from './row.ts'
import {
  carry,
  changeSponsor,
  deployAccount,
  empty,
  later,
  makeSponsor,
  paidFor,
  setBaseFee,
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

const balance = (address: string | null): Promise<bigint> => {
  const { adapter, rpc } = treasury.chains.find(network)
  return adapter.balance(rpc, address ?? '')
}
const nonceOf = async ({ address }: WalletRow): Promise<number> =>
  Number(await treasury.rpc('eth_getTransactionCount', [address, 'latest']))
const codeOf = ({ address }: WalletRow) => delegationOf(treasury.rpc, address ?? '')

/** A payment that the sponsor is to pay for. */
function ask(
  wallet: WalletRow,
  body: object = {},
  more: Partial<Wish> & { by?: TestSponsor } = {},
) {
  const { by = sponsor, ...wish } = more
  return request(treasury, wallet, { body: payment({ feeSponsorId: by.name, ...body }), ...wish })
}

async function bidFor(row: Outgoing): Promise<Outgoing> {
  return (await sponsorshipsOf(treasury.database, row)).at(-1) ?? assert.fail()
}

async function paid(wallet: WalletRow, body: object = {}): Promise<Outgoing> {
  return carry(treasury, await ask(wallet, body), 'confirmed')
}

/** A wallet that has what it is to pay, and nothing for fees. */
const poor = (wei = 1000n) => makeWallet(treasury, wei)

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

describe('what a sponsor has sent, when fees rise above it', () => {
  /** Blocks whose tips a quote looks at. */
  const quoted = 10
  beforeEach(async () => {
    await mine(treasury, quoted)
    await setBaseFee(treasury, 1n)
  })

  const statesOf = async (row: Outgoing) =>
    (await sponsorshipsOf(treasury.database, row)).map(({ state }) => state)

  it('is outbid by itself at its nonce, as far as its day allows, and carried out once', async () => {
    const other = await makeSponsor(treasury)
    const there = await balance(stranger)
    const row = await carry(treasury, await ask(await poor(), {}, { by: other }), 'broadcasted')
    const first = await bidFor(row)
    const patient = later(treasury, stuckMs)
    await step(patient, row)
    await setBaseFee(treasury, 20n)
    await step(treasury, row)
    // Neither for less time, nor while it offers what is usual.
    assert.deepEqual(await statesOf(row), ['broadcasted'])
    await step(patient, row)
    assert.deepEqual(await statesOf(row), ['broadcasted', 'slotted'])
    await changeSponsor(treasury, other, { body: { limits: { perDay: first.cost } } })
    const bid = await bidFor(row)
    for (let steps = 0; steps < 2; steps++) await step(patient, await bidFor(row))
    assert.match((await bidFor(row)).waiting ?? '', /^the signers refused: .* in a day$/)
    await step(patient, row)
    assert.match((await reread(treasury, row)).waiting ?? '', /^the signers refused: .* in a day$/)
    // Enough for the dearer one, and not for both.
    const perDay = `${BigInt(first.cost ?? 0) + BigInt(await costOf(patient, bid))}`
    await changeSponsor(treasury, other, { body: { limits: { perDay: `${BigInt(perDay) - 1n}` } } })
    const done = await carry(patient, row, 'confirmed')
    await stepTo(patient, first, 'lapsed')
    assert.deepEqual(await statesOf(row), ['lapsed', 'confirmed'])
    const sent = await bidFor(row)
    assert.deepEqual([done.hash, sent.slot], [sent.hash, first.slot])
    assert.equal(await balance(stranger), there + 1000n)
    assert.equal(await nonceOf(other.wallet), 1)
    const named = { organization: treasury.company.organization, sponsor: other.id }
    const { items } = await listSponsoredFees(treasury.database, named, { limit: 9 })
    assert.deepEqual(
      items.map(({ fee }) => fee),
      [sent.fee],
    )
  })

  it('makes room once its time is over, and what came behind it is outbid and paid for', async () => {
    const { other, wallet, over } = await sentShortly()
    const executeBefore = over.execute_before
    const behind = await carry(treasury, await ask(await poor(), {}, { by: other }), 'broadcasted')
    await setBaseFee(treasury, 20n)
    await until(async () => Date.now() > executeBefore)
    await treasury.rpc('evm_setNextBlockTimestamp', [Math.ceil(executeBefore / 1000) + 1])
    await mine(treasury, 3)
    const patient = later(treasury, stuckMs)
    await step(patient, behind)
    assert.deepEqual(await statesOf(behind), ['broadcasted'])
    const failed = await carry(patient, over, 'lapsed')
    assert.match(failed.reason ?? '', /no block had taken it when its time was over$/)
    assert.equal(await balance(wallet.address), 1000n)
    assert.deepEqual(await statesOf(over), ['lapsed', 'confirmed'])
    const found = await treasury.rpc('eth_getTransactionByHash', [(await bidFor(over)).hash])
    const { to, value, input } = found as Readonly<Record<string, string>>
    const { address } = other.wallet
    assert.deepEqual([to, value, input], [address?.toLowerCase(), '0x0', '0x'])
    await carry(later(treasury, 2 * stuckMs), behind, 'confirmed')
    assert.equal(await nonceOf(other.wallet), 2)
  })

  it('bids fifteen times more for a block, and for its slot alone as often as it takes', async () => {
    const { other, over } = await sentShortly(bidOften, 8_000)
    const { execute_before } = over
    const left = treasury.database.updateTable('outgoing').set({ created_at: 0 })
    await left.where('sponsored', '=', over.id).execute()
    await step({ ...treasury, deps: { ...treasury.deps, now: () => execute_before } }, over)
    assert.equal((await bidFor(over)).bid, 15)
    await until(async () => Date.now() > execute_before)
    await treasury.rpc('evm_setNextBlockTimestamp', [Math.ceil(execute_before / 1000) + 1])
    await mine(treasury, 3)
    await step(treasury, over)
    const fill = await stepTo(treasury, await bidFor(over), 'broadcasted')
    await setBaseFee(treasury, 110n)
    const patient = later(treasury, stuckMs)
    await step(patient, over)
    const next = await stepTo(patient, await bidFor(over), 'broadcasted')
    assert.deepEqual([fill.bid, next.bid], [16, 17])
    await carry(patient, over, 'lapsed')
    assert.equal((await bidFor(over)).state, 'confirmed')
    await setBaseFee(treasury, 1n)
    const behind = await carry(treasury, await ask(await poor(), {}, { by: other }), 'confirmed')
    assert.equal((await paidFor(treasury, behind))?.slot, 1)
  })

  it('is left to come while it may, though its sponsor is archived or the same would fail now', async () => {
    for (const end of ['archived', 'poor'] as const) {
      const [other, wallet] = [await makeSponsor(treasury), await poor()]
      const row = await carry(treasury, await ask(wallet, {}, { by: other }), 'broadcasted')
      await setBaseFee(treasury, 20n)
      const patient = later(treasury, stuckMs)
      await step(patient, row)
      if (end === 'archived') await changeSponsor(treasury, other, { method: 'DELETE' })
      else await fund(treasury.rpc, wallet, 0n)
      for (let looks = 0; looks < 5; looks++) await step(patient, await bidFor(row))
      const { bid, state, waiting } = await bidFor(row)
      assert.deepEqual([bid, state], [1, 'slotted'])
      assert.match(waiting ?? '', end === 'archived' ? /is archived/ : /reverted/)
      await fund(treasury.rpc, wallet, 1000n)
      await setBaseFee(treasury, 1n)
      await mine(treasury, 3)
      await carry(treasury, row, 'confirmed')
      assert.equal(await nonceOf(other.wallet), 1)
    }
  })

  it('is paid for at the same nonce where signers had agreed and sign again only now', async () => {
    const other = await makeSponsor(treasury)
    const row = await carry(treasury, await ask(await poor(), {}, { by: other }), 'signed')
    const first = await stepTo(treasury, await bidFor(row), 'prepared')
    const { key } = other.wallet
    const evidence = { ...evidenceOf(row), facts: first.facts ?? assert.fail() }
    const { organization } = treasury.company
    await treasury.platform.coordinator.sign({ organization, key, kind: 'sponsor', evidence })
    await treasury.database.deleteFrom('signatures').where('request', '=', first.request).execute()
    await changeSponsor(treasury, other, { end: '/deactivate' })
    await stepTo(treasury, first, 'refused')
    for (let looks = 0; looks < 2; looks++) await step(treasury, row)
    await step(treasury, await bidFor(row))
    await step(treasury, row)
    assert.equal((await reread(treasury, row)).waiting, 'the fee sponsor is not active')
    await changeSponsor(treasury, other, { end: '/activate' })
    await carry(treasury, row, 'confirmed')
    assert.deepEqual(await statesOf(row), ['refused', 'confirmed'])
    assert.equal(await nonceOf(other.wallet), 1)
  })

  /** Sent in time, however busy the machine: that much time is over soon. */
  async function sentShortly(isInTime = async (_row: Outgoing) => true, least = 4_000) {
    for (let ms = least; ms <= 64_000; ms *= 2) {
      await setBaseFee(treasury, 1n)
      const [other, wallet] = [await makeSponsor(treasury), await poor()]
      const executeBefore = Date.now() + ms
      const asked = await ask(wallet, {}, { by: other, executeBefore })
      const over = await carry(treasury, asked, 'broadcasted', 'lapsed', 'expired', 'refused')
      if (over.state === 'broadcasted' && (await isInTime(over))) return { other, wallet, over }
    }
    return assert.fail('nothing is sent within a minute')
  }

  /** As if the newest had been left lying each time. Was there time for all of them? */
  async function bidOften(row: Outgoing): Promise<boolean> {
    // Above whatever may be offered: so each offers a tenth more than the one before.
    await setBaseFee(treasury, 60n)
    for (let bid = await bidFor(row); bid.bid < 15; bid = await bidFor(row)) {
      const made = bidRow(bid, row, Date.now())
      await treasury.database.insertInto('outgoing').values(made).execute()
      for (let steps = 0; steps < 2; steps++) await step(treasury, made)
      if ((await bidFor(row)).state !== 'signed') return false
    }
    return true
  }

  async function costOf(patient: Treasury, bid: Outgoing): Promise<string> {
    const prepared = await stepTo(patient, bid, 'prepared')
    return prepared.cost ?? assert.fail()
  }
})

describe('a sponsorship that signers have agreed on, and then sign no more', () => {
  it('has failed what it was for once no block can take it any more, and not before', async () => {
    const { rpc } = treasury
    const { other, row, sent } = await agreedShortly()
    await changeSponsor(treasury, other, { end: '/deactivate' })
    await stepTo(treasury, sent, 'refused')
    for (let looks = 0; looks < 2; looks++) await step(treasury, row)
    const { state, waiting } = await reread(treasury, row)
    assert.deepEqual([state, waiting], ['signed', 'until no block can take it any more'])
    await until(async () => Date.now() > row.execute_before)
    await rpc('evm_setNextBlockTimestamp', [Math.ceil(row.execute_before / 1000) + 1])
    await mine(treasury, 3)
    const failed = await stepTo(treasury, row, 'lapsed')
    assert.match(
      failed.reason ?? '',
      /^the fee sponsor has not paid: the fee sponsor is not active/,
    )
    // The slot is made free by somebody who pays for nobody, and however dear that has become.
    const fill = await stepTo(treasury, await bidFor(row), 'signed')
    await setBaseFee(treasury, 20n)
    const patient = later(treasury, stuckMs)
    await step(patient, fill)
    const second = await stepTo(patient, await bidFor(row), 'broadcasted')
    await setBaseFee(treasury, 100n)
    const stillLater = later(treasury, 2 * stuckMs)
    await step(stillLater, second)
    const next = await stepTo(stillLater, await bidFor(row), 'broadcasted')
    assert.deepEqual([fill.bid, second.bid, next.bid], [1, 2, 3])
    await mine(treasury, 3)
    await stepTo(treasury, next, 'confirmed')
    for (const bid of [fill, second]) await stepTo(treasury, bid, 'lapsed')
    await setBaseFee(treasury, 1n)
    assert.equal(await nonceOf(other.wallet), 1)
  })

  it('has failed at once what it was for if the sponsor is archived, and leaves no gap', async () => {
    const { other, row, sent } = await agreedShortly(64_000)
    await changeSponsor(treasury, other, { method: 'DELETE' })
    await stepTo(treasury, sent, 'refused')
    await step(treasury, row)
    const fill = await stepTo(treasury, await bidFor(row), 'broadcasted')
    assert.equal(fill.bid, 1)
    await mine(treasury, 3)
    const failed = await carry(treasury, row, 'lapsed')
    assert.match(failed.reason ?? '', /^the fee sponsor has not paid: the fee sponsor is archived$/)
    assert.equal((await bidFor(row)).state, 'confirmed')
    assert.equal(await nonceOf(other.wallet), 1)
    assert.ok(Date.now() < row.execute_before)
  })

  it('has failed what it was for once another transaction has its nonce for good', async () => {
    const { other, row, sent } = await agreedShortly(64_000)
    await changeSponsor(treasury, other, { end: '/deactivate' })
    await stepTo(treasury, sent, 'refused')
    await step(treasury, row)
    const { rpc } = treasury
    await rpc('anvil_impersonateAccount', [other.wallet.address])
    await rpc('eth_sendTransaction', [{ from: other.wallet.address, to: stranger, value: '0x1' }])
    await mine(treasury)
    await step(treasury, row)
    assert.equal((await reread(treasury, row)).state, 'signed')
    await mine(treasury, 3)
    const failed = await stepTo(treasury, row, 'lapsed')
    assert.match(failed.reason ?? '', /another transaction has used its nonce$/)
    await stepTo(treasury, await bidFor(row), 'refused')
    assert.ok(Date.now() < row.execute_before)
  })

  it('has not failed what it was for where its account has carried it out, whoever sent it', async () => {
    const { row, sent } = await agreedShortly(64_000)
    const { signed } = await stepTo(treasury, sent, 'signed')
    const { database, rpc } = treasury
    const unknown = { state: 'refused', signed: null, hash: null, due_at: null } as const
    await database.updateTable('outgoing').set(unknown).where('id', '=', sent.id).execute()
    await step(treasury, row)
    const there = await balance(stranger)
    await rpc('eth_sendRawTransaction', [`0x${toHex(signed ?? assert.fail())}`])
    await mine(treasury, 4)
    assert.equal(await balance(stranger), there + 1000n)
    await step(treasury, row)
    const { state, waiting } = await reread(treasury, row)
    assert.equal(state, 'signed')
    assert.match(waiting ?? '', /^its account has carried it out/)
  })

  it('has not failed what it was for while what outbids it is agreed on, and its slot is filled', async () => {
    const { other, row, sent } = await agreedShortly(16_000)
    await changeSponsor(treasury, other, { end: '/deactivate' })
    await stepTo(treasury, sent, 'refused')
    await changeSponsor(treasury, other, { end: '/activate' })
    await step(treasury, row)
    const bid = await stepTo(treasury, await bidFor(row), 'prepared')
    assert.deepEqual([bid.bid, isFill(bid), await isSigned(row, bid, other)], [1, false, true])
    await until(async () => Date.now() > row.execute_before)
    const { rpc } = treasury
    await rpc('evm_setNextBlockTimestamp', [Math.ceil(row.execute_before / 1000) + 1])
    await mine(treasury, 3)
    await step(treasury, row)
    assert.equal((await reread(treasury, row)).state, 'signed')
    await changeSponsor(treasury, other, { end: '/deactivate' })
    await stepTo(treasury, bid, 'refused')
    await step(treasury, row)
    const fill = await stepTo(treasury, await bidFor(row), 'broadcasted')
    assert.deepEqual([fill.bid, fill.slot], [2, sent.slot])
    await mine(treasury, 3)
    await carry(treasury, row, 'lapsed')
    assert.equal(await nonceOf(other.wallet), 1)
  })

  it('has its slot filled, and pays for nothing, where that comes to light when it has ended', async () => {
    const other = await makeSponsor(treasury)
    const executeBefore = Date.now() + 20_000
    const row = await carry(
      treasury,
      await ask(await poor(), {}, { by: other, executeBefore }),
      'signed',
    )
    const sent = await stepTo(treasury, await bidFor(row), 'prepared')
    const evidence = { ...evidenceOf(row), facts: sent.facts ?? assert.fail() }
    const { platform, database, company } = treasury
    const { organization } = company
    const use = { organization, key: other.wallet.key, kind: 'sponsor', evidence } as const
    await assert.rejects(openForgetful(platform).sign(use))
    // As if a corrupt signer had kept from everybody what it knew.
    const over = { slot: null, cost: null, due_at: null } as const
    for (const [{ id }, state] of [
      [sent, 'refused'],
      [row, 'lapsed'],
    ] as const)
      await database
        .updateTable('outgoing')
        .set({ ...over, state })
        .where('id', '=', id)
        .execute()
    await database.deleteFrom('slots').where('request', '=', sent.request).execute()

    const behind = await carry(treasury, await ask(await poor(), {}, { by: other }), 'signed')
    const waiting = await stepTo(treasury, await bidFor(behind), 'prepared')
    assert.equal(waiting.slot, sent.slot)
    await stepTo(treasury, waiting, 'requested')
    const bid = await bidFor(row)
    assert.deepEqual([bid.state, bid.bid, bid.slot], ['slotted', 1, sent.slot])
    await step(treasury, bid)
    const { state, waiting: why } = await bidFor(row)
    assert.deepEqual(
      [state, why],
      ['slotted', 'until no block can take any more what it is to outbid'],
    )
    await until(async () => Date.now() > executeBefore)
    await treasury.rpc('evm_setNextBlockTimestamp', [Math.ceil(executeBefore / 1000) + 1])
    await mine(treasury, 3)
    const fill = await stepTo(treasury, bid, 'broadcasted')
    assert.ok(isFill(fill))
    await carry(treasury, behind, 'confirmed')
    assert.equal((await reread(treasury, row)).state, 'lapsed')
    assert.equal(await nonceOf(other.wallet), 2)
  })

  it('is sent though it would fail, so that nothing waits behind it', async () => {
    const { other, row, sent } = await agreedShortly(64_000)
    await changeSponsor(treasury, other, { end: '/deactivate' })
    await stepTo(treasury, sent, 'refused')
    await step(treasury, row)
    await changeSponsor(treasury, other, { end: '/activate' })
    // What it was to be delegated by was good for this nonce alone.
    const { rpc } = treasury
    await fund(rpc, { address: row.address }, ether)
    await rpc('anvil_impersonateAccount', [row.address])
    await rpc('eth_sendTransaction', [{ from: row.address, to: stranger, value: '0x1' }])
    await mine(treasury)
    await stepTo(treasury, await bidFor(row), 'broadcasted')
    const failed = await carry(treasury, row, 'reverted')
    assert.match(failed.reason ?? '', /the chain carried it out, and it failed/)
    assert.deepEqual((await bidFor(row)).state, 'reverted')
    assert.equal(await nonceOf(other.wallet), 1)
    const next = await carry(treasury, await ask(await poor(), {}, { by: other }), 'confirmed')
    assert.equal((await paidFor(treasury, next))?.slot, 1)
  })

  /** Agreed on in time, however busy the machine: that much time is over soon. */
  async function agreedShortly(least = 4_000) {
    for (let ms = least; ms <= 64_000; ms *= 2) {
      const other = await makeSponsor(treasury)
      const asked = await ask(await poor(), {}, { by: other, executeBefore: Date.now() + ms })
      const row = await carry(treasury, asked, 'signed', 'expired', 'refused')
      const first = row.state === 'signed' ? await paidFor(treasury, row) : undefined
      const sent = first && (await stepTo(treasury, first, 'prepared', 'expired'))
      if (sent && (await isSigned(row, sent, other))) return { other, row, sent }
    }
    return assert.fail('nothing is agreed on within a minute')
  }

  /** Somebody has all of it: another server, of which this one knows no more than that. */
  async function isSigned(row: Outgoing, sent: Outgoing, other: TestSponsor): Promise<boolean> {
    const { database, platform, company } = treasury
    if (sent.facts === null) return false
    const evidence = { ...evidenceOf(row), facts: sent.facts }
    const { organization } = company
    const { key } = other.wallet
    const { bid } = sent
    try {
      await platform.coordinator.sign({ organization, key, kind: 'sponsor', bid, evidence })
    } catch (error) {
      if (isFailure(error, 'request.refused')) return false
      throw error
    }
    await database.deleteFrom('signatures').where('request', '=', sent.request).execute()
    return true
  }
})

describe('a wallet whose own transactions keep out of the pool what would give it code', () => {
  it('holds up nobody else for long: its slot is used without that, and the request has failed', async () => {
    const fake = fakeBusy()
    const other = await makeSponsor(treasury)
    const second = await poor(2000n)
    await paid(second)
    const wallet = await poor()
    const row = await carry(fake, await ask(wallet, {}, { by: other }), 'signed')
    const sent = await stepTo(fake, (await paidFor(fake, row)) ?? assert.fail(), 'signed')
    await step(fake, sent)
    const behind = await carry(fake, await ask(second, {}, { by: other }), 'broadcasted')
    const bidsAfter = async (ms: number) => {
      const patient = later(fake, ms)
      for (const one of [sent, row]) await step(patient, one)
      return (await sponsorshipsOf(fake.database, row)).length
    }
    // While it may be over soon, it is waited for.
    assert.equal((await bidFor(row)).waiting, 'authority already reserved')
    assert.equal(await bidsAfter(keptOutMs - 60_000), 1)
    assert.equal(await bidsAfter(keptOutMs), 2)
    const patient = later(fake, keptOutMs)
    const bid = await stepTo(patient, await bidFor(row), 'broadcasted')
    const facts = decodeFacts(bid.facts ?? assert.fail())
    assert.ok(facts.family === 'sponsorship' && facts.delegation === undefined)
    const failed = await carry(patient, row, 'reverted')
    assert.match(failed.reason ?? '', /the chain carried it out, and it failed/)
    await carry(patient, behind, 'confirmed')
    await stepTo(patient, sent, 'lapsed')
    assert.deepEqual([sent.slot, (await bidFor(behind)).slot], [0, 1])
    assert.deepEqual([await codeOf(wallet), await balance(wallet.address)], ['none', 1000n])
  })

  it('is paid for as ever if that is over in time', async () => {
    const [fake, other] = [fakeBusy(), await makeSponsor(treasury)]
    const row = await carry(fake, await ask(await poor(), {}, { by: other }), 'signed')
    const sent = await stepTo(fake, (await paidFor(fake, row)) ?? assert.fail(), 'signed')
    await step(fake, sent)
    const done = await carry(later(treasury, keptOutMs), row, 'confirmed')
    assert.equal((await sponsorshipsOf(treasury.database, done)).length, 1)
  })

  /**
   * A fake node, and named so: the real one, except that it takes nothing that gives an account code, as if each
   * of those accounts had two transactions behind a gap in its pool.
   */
  function fakeBusy(): Treasury {
    const find = (id: string) => {
      const chain = treasury.chains.find(id)
      const rpc: typeof chain.rpc = async (method, params) => {
        const isRefused =
          method === 'eth_sendRawTransaction' && String(params[0]).startsWith('0x04')
        if (!isRefused) return chain.rpc(method, params)
        throw new Failure('chain.refused', { network: id, reason: 'authority already reserved' })
      }
      return { ...chain, rpc }
    }
    const chains = { ...treasury.chains, find }
    return { ...treasury, deps: { ...treasury.deps, chains } }
  }
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
