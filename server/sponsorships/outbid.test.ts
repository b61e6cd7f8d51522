import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { evidenceOf } from '../transfers/reading.ts'
import type { Outgoing } from '../transfers/tables.ts'
import {
  ether,
  fund,
  mine,
  reread,
  startTreasury,
  step,
  stepTo,
  stranger,
  type Treasury,
} from '../transfers/testing/treasury.ts'
import { toHex } from '@quorate/core/bytes'
import { Failure, isFailure } from '@quorate/core/failure'
import { decodeFacts } from '@quorate/effects/facts'
import { openForgetful, until } from '../coordinator/testing/platform.ts'
import { listSponsoredFees, sponsorshipsOf } from './find.ts'
import { isFill, keptOutMs, stuckMs } from './outbid.ts'
import { bidRow } from './row.ts'
import { askingAt } from './testing/asking.ts'
import {
  carry,
  changeSponsor,
  deployAccount,
  later,
  makeSponsor,
  paidFor,
  setBaseFee,
  type TestSponsor,
} from './testing/sponsor.ts'

let treasury: Treasury
let sponsor: TestSponsor

before(async () => {
  treasury = await startTreasury()
  await deployAccount(treasury)
  sponsor = await makeSponsor(treasury)
})
after(() => treasury.stop())

const { ask, balance, bidFor, codeOf, nonceOf, paid, poor } = askingAt(() => ({
  treasury,
  sponsor,
}))

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
