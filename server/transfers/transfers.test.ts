import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { toHex } from '@quorate/core/bytes'
import { encode } from '@quorate/core/codec'
import { Failure, isFailure } from '@quorate/core/failure'
import { recordKey, slotTable } from '@quorate/authority/records'
import { keyStream, streamCodec } from '@quorate/authority/stream'
import { checksummed } from '@quorate/effects/evm/address'
import { encodeUnsigned } from '@quorate/effects/evm/transaction'
import { makeCredential } from '@quorate/signer/testing/requests'
import { privateKeyToAccount } from 'viem/accounts'
import { openChains } from '../chain/chains.ts'
import { openCoordinator, type Signature, type Signed } from '../coordinator/coordinator.ts'
import type { UseAsk } from '../coordinator/uses.ts'
import { until } from '../coordinator/testing/platform.ts'
import { follow } from '../history/follow.ts'
import { newFollower } from '../history/follower.ts'
import type { WalletRow } from '../wallets/find.ts'
import { transactionOf, transferOf } from './entity.ts'
import { leaseRows } from './lease.ts'
import type { Outgoing } from './tables.ts'
import {
  asking,
  balanceOf,
  ether,
  makeWallet,
  mine,
  network,
  payment,
  payOutside,
  pruned,
  request,
  reread,
  setDataFee,
  startTreasury,
  step,
  stepTo,
  stranger,
  type Treasury,
} from './testing/treasury.ts'
import { workOnce, type WorkDeps } from './work.ts'
import { startWorker } from './worker.ts'

let treasury: Treasury
before(async () => {
  treasury = await startTreasury()
})
after(() => treasury.stop())

describe('outgoing money, with four signer processes and a real chain', () => {
  let wallet: WalletRow
  before(async () => {
    wallet = await makeWallet(treasury)
  })

  it('goes through the states one by one, pays once, and says so each time', async () => {
    const paid = await balanceOf(treasury, stranger)
    const row = await request(treasury, wallet, { body: payment() })
    assert.equal(transferOf(row).status, 'Executing')
    for (const state of ['slotted', 'prepared', 'signed', 'broadcasted']) {
      await step(treasury, row)
      assert.equal((await reread(treasury, row)).state, state)
    }
    await mine(treasury)
    await stepTo(treasury, row, 'included')
    await mine(treasury)
    const done = await stepTo(treasury, row, 'confirmed')
    assert.equal(await balanceOf(treasury, stranger), paid + 1000n)
    const { status, txHash, fee, dateConfirmed, metadata } = transferOf(done)
    assert.equal(status, 'Confirmed')
    assert.ok(txHash && dateConfirmed && BigInt(fee ?? 0) > 0n)
    assert.deepEqual(metadata.asset, { symbol: 'ETH', decimals: 18, verified: true })
    assert.deepEqual(await eventsOf(done), ['requested', 'broadcasted', 'confirmed'])
    assert.equal(done.due_at, null)
    assert.deepEqual(treasury.lines, [])
  })

  it('sends transactions of both types and whole bytes, as they were asked for', async () => {
    const nonce = Number(await nonceOf(wallet))
    const legacy = { type: 0, to: stranger, value: '1', gasPrice: '2000000000', gasLimit: 21000 }
    const creation = { type: 2, data: '0x600060005360', gasLimit: '60000' }
    const bytes = encodeUnsigned({
      type: 2,
      chainId: 11155111n,
      nonce: BigInt(nonce + 2),
      ...{ gasLimit: 21_000n, maxFeePerGas: 3n * 10n ** 9n, maxPriorityFeePerGas: 10n ** 9n },
      ...{ to: new Uint8Array(20).fill(0xaa), value: 5n, data: new Uint8Array(), accessList: [] },
    })
    const asks = [legacy, creation, `0x${toHex(bytes)}`]
    for (const transaction of asks) {
      const body = { kind: 'Transaction', transaction }
      const row = await request(treasury, wallet, { body, kind: 'transaction' })
      await stepTo(treasury, row, 'broadcasted')
      await mine(treasury, 2)
      const done = transactionOf(await stepTo(treasury, row, 'confirmed'))
      assert.deepEqual(done.requestBody, body)
    }
    assert.equal(Number(await nonceOf(wallet)), nonce + 3)
    assert.equal(await balanceOf(treasury, checksummed(new Uint8Array(20).fill(0xaa))), 5n)
  })

  it('sends what gives accounts code (EIP-7702), whoever of them has signed it', async () => {
    const contract = `0x${'cc'.repeat(20)}` as const
    const account = privateKeyToAccount(`0x${'77'.repeat(32)}`)
    const one = { chainId: 11155111, address: contract, nonce: 0 }
    const { r, s, yParity } = await account.signAuthorization(one)
    const authorizationList = [{ ...one, r, s, yParity }]
    const transaction = { type: 4, to: stranger, value: '1', authorizationList }
    const body = { kind: 'Transaction', transaction }
    const row = await request(treasury, wallet, { body, kind: 'transaction' })
    await stepTo(treasury, row, 'broadcasted')
    await mine(treasury, 2)
    await stepTo(treasury, row, 'confirmed')
    const code = await treasury.rpc('eth_getCode', [account.address, 'latest'])
    assert.equal(code, `0xef0100${'cc'.repeat(20)}`)
  })

  it('fails for want of money before anything is signed, and its nonce is the next one’s', async () => {
    const poor = await request(treasury, wallet, { body: payment({ amount: `${2n * ether}` }) })
    const failed = await stepTo(treasury, poor, 'refused')
    assert.match(failed.reason ?? '', /^insufficient funds: 2\d{18} needed, \d+ available$/)
    assert.equal(failed.signed, null)
    assert.equal(await isCertified(failed), false)
    assert.deepEqual(await eventsOf(failed), ['requested', 'failed'])
    await paysWithNextNonce(wallet)
  })

  it('fails before anything is signed if no block takes its gas, and its nonce is the next one’s', async () => {
    const wallet = await makeWallet(treasury)
    const { rpc } = treasury
    const before = Object(await rpc('eth_getBlockByNumber', ['latest', false])).gasLimit
    await rpc('evm_setBlockGasLimit', ['0x1e8480'])
    await mine(treasury)
    const body = {
      kind: 'Transaction',
      transaction: { to: stranger, value: '1', gasLimit: '2000001' },
    }
    const row = await request(treasury, wallet, { body, kind: 'transaction' })
    const failed = await stepTo(treasury, row, 'refused', 'signed')
    const why = 'it needs 2000001 gas, and a block takes 2000000'
    assert.deepEqual([failed.state, failed.reason, failed.slot], ['refused', why, null])
    const next = await request(treasury, wallet, { body: payment() })
    assert.equal((await stepTo(treasury, next, 'broadcasted')).slot, 0)
    await rpc('evm_setBlockGasLimit', [before])
    await mine(treasury, 2)
    await stepTo(treasury, next, 'confirmed')
  })

  it('is refused by the signers without the right signature, and leaves no gap either', async () => {
    const person = { ...treasury.bot, credential: makeCredential() }
    const forged = await request(treasury, wallet, { body: payment(), person })
    const failed = await stepTo(treasury, forged, 'refused')
    assert.equal(await isCertified(failed), false)
    assert.deepEqual([failed.signed, failed.slot], [null, null])
    await paysWithNextNonce(wallet)
  })

  it('never spends more on fees than was signed for: it waits, or fails if nothing can change', async () => {
    const maxFee = 21_000n
    const tight = await request(treasury, wallet, { body: payment(), maxFee })
    await stepTo(treasury, tight, 'slotted')
    await step(treasury, tight)
    const waiting = await reread(treasury, tight)
    assert.deepEqual(
      [waiting.state, waiting.waiting],
      ['requested', 'fees are above what was signed for'],
    )
    // Others of the same wallet do not wait behind it.
    await paysWithNextNonce(wallet)
    await endNow(waiting)
    const named = { type: 2, to: stranger, maxFeePerGas: '5000000000', gasLimit: 21000 }
    const body = { kind: 'Transaction', transaction: named }
    const row = await request(treasury, wallet, { body, kind: 'transaction', maxFee })
    assert.match((await stepTo(treasury, row, 'refused')).reason ?? '', /above what was signed for/)
  })

  it('expires when its time is over and nobody has agreed on it', async () => {
    const wish = { body: payment(), executeBefore: Date.now() + 1 }
    const row = await request(treasury, wallet, wish)
    const failed = await stepTo(treasury, row, 'expired')
    assert.equal(transferOf(failed).status, 'Failed')
    await paysWithNextNonce(wallet)
  })

  it('is asked for once under one external id', async () => {
    const body = payment({ externalId: 'invoice 1' })
    const first = await request(treasury, wallet, { body })
    const second = await request(treasury, wallet, { body })
    assert.equal(second.name, first.name)
    const other = payment({ externalId: 'invoice 1', amount: '1001' })
    await assert.rejects(request(treasury, wallet, { body: other }), (error) =>
      isFailure(error, 'external_id.conflict'),
    )
    assert.deepEqual(await eventsOf(first), ['requested'])
    await endNow(first)
  })
})

describe('a chain that does as it likes', () => {
  let wallet: WalletRow
  before(async () => {
    wallet = await makeWallet(treasury)
  })

  it('takes a nonce before anything is signed: then there is another one', async () => {
    const row = await request(treasury, wallet, { body: payment() })
    const { slot } = await stepTo(treasury, row, 'slotted')
    await treasury.rpc('anvil_setNonce', [wallet.address, `0x${((slot ?? 0) + 3).toString(16)}`])
    const sent = await stepTo(treasury, row, 'broadcasted')
    assert.equal(sent.slot, (slot ?? 0) + 3)
    assert.deepEqual(await eventsOf(await confirm(row)), ['requested', 'broadcasted', 'confirmed'])
  })

  it('takes a nonce that is signed for: that is the end, once it is settled', async () => {
    const row = await request(treasury, wallet, { body: payment() })
    await stepTo(treasury, row, 'signed')
    await payOutside(treasury, wallet)
    await step(treasury, row)
    assert.equal((await reread(treasury, row)).state, 'signed')
    await mine(treasury, 3)
    // A fake node that has no states of that time cannot say that it was not this one.
    await step(asking(treasury, pruned.states), row)
    const { state, waiting } = await reread(treasury, row)
    assert.deepEqual([state, waiting?.slice(0, 17)], ['signed', 'its nonce is used'])
    const failed = await stepTo(treasury, row, 'lapsed')
    assert.equal(transferOf(failed).status, 'Failed')
    assert.match(failed.reason ?? '', /nonce/)
  })

  it('has it in a block of which a fake node keeps no receipt: it waits for one, and is not failed', async () => {
    const row = await request(treasury, wallet, { body: payment() })
    await stepTo(treasury, row, 'signed')
    const forgetful = asking(treasury, pruned.receipts)
    const unindexed = asking(treasury, { ...pruned.receipts, ...pruned.hashes })
    await step(treasury, row)
    await mine(treasury, 4)
    for (const through of [forgetful, unindexed]) {
      await step(through, row)
      const { state, waiting } = await reread(treasury, row)
      assert.deepEqual([state, waiting?.slice(0, 14)], ['broadcasted', 'a block has it'])
    }
    await stepTo(treasury, row, 'included')
    await step(unindexed, row)
    assert.equal((await reread(treasury, row)).state, 'included')
    await confirm(row)
  })

  it('loses a transaction, and gets the same bytes again', async () => {
    const row = await request(treasury, wallet, { body: payment() })
    const { hash } = await stepTo(treasury, row, 'broadcasted')
    await treasury.rpc('anvil_dropTransaction', [hash])
    await mine(treasury, 3)
    await step(treasury, row)
    const found = await reread(treasury, row)
    assert.deepEqual([found.state, found.hash], ['broadcasted', hash])
    await confirm(row)
  })

  it('takes a block back before it was settled: the payment is not lost', async () => {
    const paid = await balanceOf(treasury, stranger)
    const row = await request(treasury, wallet, { body: payment() })
    await stepTo(treasury, row, 'broadcasted')
    await mine(treasury)
    const { block_hash } = await stepTo(treasury, row, 'included')
    await treasury.rpc('anvil_reorg', [1, []])
    await stepTo(treasury, row, 'broadcasted')
    await step(treasury, row)
    const done = await confirm(row)
    assert.notEqual(done.block_hash, block_hash)
    assert.equal(await balanceOf(treasury, stranger), paid + 1000n)
  })

  it('takes back what was confirmed: it is broadcasted again, and confirmed again', async () => {
    const follower = newFollower(treasury.chains.find(network))
    const paid = await balanceOf(treasury, stranger)
    // What is taken back shall be this payment and none before it.
    await mine(treasury, 4)
    const row = await request(treasury, wallet, { body: payment() })
    await stepTo(treasury, row, 'broadcasted')
    const { block_hash } = await confirm(row)
    while ((await follow(treasury.deps, follower)) === 'more');
    await treasury.rpc('anvil_reorg', [4, []])
    while ((await follow(treasury.deps, follower)) === 'more');
    const back = await reread(treasury, row)
    assert.deepEqual([back.state, transferOf(back).status], ['broadcasted', 'Broadcasted'])
    assert.equal(back.confirmed_at, null)
    await step(treasury, row)
    const done = await confirm(row)
    assert.notEqual(done.block_hash, block_hash)
    assert.equal(await balanceOf(treasury, stranger), paid + 1000n)
    const again = ['requested', 'broadcasted', 'confirmed', 'broadcasted', 'confirmed']
    assert.deepEqual(await eventsOf(done), again)
  })

  it('carries a transaction out that fails: the fee is gone, the rest is not', async () => {
    const trap = '0x00000000000000000000000000000000000000fe'
    await treasury.rpc('anvil_setCode', [trap, '0xfe'])
    const transaction = { type: 2, to: trap, value: '7', gasLimit: '50000' }
    const body = { kind: 'Transaction', transaction }
    const row = await request(treasury, wallet, { body, kind: 'transaction' })
    await stepTo(treasury, row, 'broadcasted')
    await mine(treasury, 2)
    const failed = transactionOf(await stepTo(treasury, row, 'reverted'))
    assert.equal(failed.status, 'Failed')
    assert.ok(BigInt(failed.fee ?? 0) > 0n && failed.txHash !== undefined)
    assert.equal(await balanceOf(treasury, trap), 0n)
  })

  it('does not answer: everything waits and nothing fails', async () => {
    const row = await request(treasury, wallet, { body: payment() })
    const nobody = openChains(new Map([[network, { rpcUrl: 'http://127.0.0.1:9' }]]))
    const alone = { ...treasury, deps: { ...treasury.deps, chains: nobody } }
    await step(alone, row)
    const waiting = transferOf(await reread(treasury, row))
    assert.equal(waiting.status, 'Executing')
    assert.deepEqual(waiting.details, { waiting: 'no node of EthereumSepolia answers' })
    await stepTo(treasury, row, 'broadcasted')
    await confirm(row)
  })

  it('is not the chain it was: nothing is judged by it, and that is said', async () => {
    const { database, chains, deps, lines } = treasury
    const follower = newFollower(chains.find(network))
    await database.deleteFrom('chain_heads').execute()
    const { canonical, ...held } = { canonical: true, time: 0, network }
    const header = { ...held, hash: '0xff', parent_hash: '0xfe', number: 10 ** 9, canonical }
    await database.updateTable('block_headers').set({ canonical: false }).execute()
    await database.insertInto('block_headers').values(header).execute()
    assert.equal(await follow(deps, follower), 'idle')
    const row = await request(treasury, wallet, { body: payment() })
    await step(treasury, row)
    const waiting = await reread(treasury, row)
    assert.equal(waiting.state, 'requested')
    assert.match(waiting.waiting ?? '', /younger than our database/)
    assert.ok(lines.splice(0).some((line) => line.includes('younger')))
    await database.deleteFrom('block_headers').execute()
    while ((await follow(deps, follower)) === 'more');
    await stepTo(treasury, row, 'broadcasted')
    await confirm(row)
    lines.splice(0)
  })
})

describe('on a network that takes a fee for bytes as well', () => {
  const base = 'Base'
  let through: Treasury
  let wallet: WalletRow
  before(async () => {
    await treasury.rpc('anvil_setChainId', [8453])
    const node = { rpcUrl: treasury.node.rpcUrl, confirmations: 2 }
    const chains = openChains(new Map([[base, node]]))
    through = { ...treasury, chains, deps: { ...treasury.deps, chains } }
    wallet = await makeWallet(through, ether, base)
  })
  after(() => treasury.rpc('anvil_setChainId', [11155111]))

  it('is not signed without that fee, and a quarter more: no node would take it', async () => {
    await setDataFee(through, (ether * 4n) / 5n)
    const row = await request(through, wallet, { body: payment() })
    const failed = await stepTo(through, row, 'refused')
    const [, needed = ''] = /^insufficient funds: (\d+) needed/.exec(failed.reason ?? '') ?? []
    assert.ok(BigInt(needed) > ether && BigInt(needed) < ether + ether / 50n, needed)
    assert.equal(failed.signed, null)
  })

  it('is kept for what is under way, which goes on once it is there', async () => {
    await setDataFee(through, ether / 2n)
    const first = await request(through, wallet, { body: payment() })
    const { cost } = await stepTo(through, first, 'signed')
    assert.ok(BigInt(cost ?? 0) > (ether * 5n) / 8n)
    const second = await request(through, wallet, { body: payment() })
    await stepTo(through, second, 'slotted')
    await step(through, second)
    const { state, waiting } = await reread(through, second)
    assert.deepEqual([state, waiting], ['requested', 'what is under way may need all there is'])
    await setDataFee(through, 1n)
    for (const row of [first, second]) await stepTo(through, row, 'broadcasted', 'confirmed')
    await mine(through, 2)
    for (const row of [first, second]) await stepTo(through, row, 'confirmed')
  })

  it('is nothing where a local node stands for the network, and has no such contract', async () => {
    await through.rpc('anvil_setCode', ['0x420000000000000000000000000000000000000F', '0x'])
    const row = await request(through, wallet, { body: payment() })
    const { cost } = await stepTo(through, row, 'broadcasted')
    assert.ok(BigInt(cost ?? 0) < ether / 50n)
    await mine(through, 2)
    await stepTo(through, row, 'confirmed')
  })
})

describe('whoever signs', () => {
  let wallet: WalletRow
  let row: Outgoing
  before(async () => {
    wallet = await makeWallet(treasury)
  })
  beforeEach(async () => {
    row = await request(treasury, wallet, { body: payment() })
    await stepTo(treasury, row, 'prepared')
  })

  it('cannot have other bytes sent than those the facts make, nor a signature that does not hold', async () => {
    const real = treasury.platform.coordinator
    const lies: readonly ((signed: Signed) => Signed)[] = [
      (signed) => ({ ...signed, digests: [new Uint8Array(32)] }),
      (signed) => ({ ...signed, signatures: [] }),
      (signed) => ({ ...signed, signatures: signed.signatures.map(halved) }),
    ]
    for (const lie of lies) {
      const sign = async (ask: UseAsk) => lie(await real.sign(ask))
      await step(withCoordinator({ ...real, sign }), row)
      const { state, signed } = await reread(treasury, row)
      assert.deepEqual([state, signed], ['prepared', null])
      assert.equal(treasury.lines.splice(0).length, 1)
    }
    await stepTo(treasury, row, 'broadcasted')
    await confirm(row)
  })

  it('keeps the slot of what was agreed on, even if it signs no more', async () => {
    const { slot } = await reread(treasury, row)
    const real = treasury.platform.coordinator
    const standing = await agreedElsewhere(treasury)
    await step(withCoordinator({ ...real, sign: refusing, stepOf: async () => standing }), row)
    const failed = await reread(treasury, row)
    assert.deepEqual([failed.state, failed.slot], ['refused', slot])
    assert.deepEqual(await slotsOf(failed), [slot])
    await payOutside(treasury, wallet)
  })

  it('gives a request another slot if its own turns out to be agreed on for another one', async () => {
    const { database } = treasury
    const { slot } = await reread(treasury, row)
    const stream = encode(streamCodec, keyStream(row.key))
    const name = recordKey(slotTable, network, BigInt(slot ?? 0))
    const { organization } = row
    const use = { request: new Uint8Array(32), fee: 0n, effect: undefined }
    const value = encode(slotTable.codec, { uses: [use] })
    const record = { organization, stream, name, seq: 9_999, value }
    const real = treasury.platform.coordinator
    await database.insertInto('records').values(record).execute()
    await step(withCoordinator({ ...real, sign: refusing, stepOf: async () => undefined }), row)
    const back = await reread(treasury, row)
    assert.deepEqual([back.state, back.slot, back.cost], ['requested', null, null])
    // They say that signers have been asked already.
    assert.notEqual(back.facts, null)
    await step(treasury, row)
    assert.equal((await reread(treasury, row)).slot, (slot ?? 0) + 1)
    await database.deleteFrom('records').where('seq', '=', 9_999).execute()
    await endNow(row)
  })
})

describe('several servers', () => {
  let wallet: WalletRow
  before(async () => {
    wallet = await makeWallet(treasury)
  })

  it('lease a row to one of them at a time', async () => {
    const row = await request(treasury, wallet, { body: payment() })
    await onlyDue(row)
    const now = Date.now()
    const takes = await Promise.all([1, 2, 3].map(() => leaseRows(treasury.database, 5, now)))
    assert.deepEqual(takes.map(({ length }) => length).toSorted(), [0, 0, 1])
    await endNow(row)
  })

  it('ignore what one of them finds out after its lease has gone to another', async () => {
    const row = await request(treasury, wallet, { body: payment() })
    await stepTo(treasury, row, 'prepared')
    await onlyDue(row)
    const [slow] = await leaseRows(treasury.database, 1, Date.now())
    assert.ok(slow)
    await onlyDue(row)
    const [quick] = await leaseRows(treasury.database, 1, Date.now())
    assert.ok(quick)
    const both = await Promise.all([workOnce(treasury.deps, slow), workOnce(treasury.deps, quick)])
    assert.equal(both.filter((each) => each !== undefined).length, 1)
    assert.equal((await reread(treasury, row)).state, 'signed')
    assert.deepEqual(treasury.lines.splice(0), [overtaken(slow)])
    // And so with what would only make it wait.
    await onlyDue(row)
    const [late] = await leaseRows(treasury.database, 1, Date.now())
    assert.ok(late)
    await onlyDue(row)
    await leaseRows(treasury.database, 1, Date.now())
    const unsent = {
      ...treasury.deps,
      stepIn: () => async () => ({ kind: 'wait', why: 'x' }) as const,
    }
    await workOnce(unsent, late)
    assert.equal((await reread(treasury, row)).waiting, null)
    assert.deepEqual(treasury.lines.splice(0), [overtaken(late)])
    await stepTo(treasury, row, 'broadcasted')
    await confirm(row)
  })

  it('send many payments of one wallet, each once and without a gap', async () => {
    const first = Number(await nonceOf(wallet))
    const paid = await balanceOf(treasury, stranger)
    const rows: Outgoing[] = []
    for (let i = 0; i < 8; i++) rows.push(await request(treasury, wallet, { body: payment() }))
    const workers = [startWorker(treasury.deps), startWorker(treasury.deps)]
    await until(async () => {
      await mine(treasury)
      const found = await Promise.all(rows.map((row) => reread(treasury, row)))
      return found.every(({ state }) => state === 'confirmed')
    }, 40_000)
    await Promise.all(workers.map((worker) => worker.stop()))
    const slots = (await Promise.all(rows.map((row) => reread(treasury, row)))).map(
      ({ slot }) => slot ?? -1,
    )
    assert.deepEqual(
      slots.toSorted((a, b) => a - b),
      rows.map((_, i) => first + i),
    )
    assert.equal(await balanceOf(treasury, stranger), paid + 8000n)
    assert.deepEqual(treasury.lines, [])
  })

  it('wait for signers that are away, and go on when they are back', async () => {
    const row = await request(treasury, wallet, { body: payment() })
    await stepTo(treasury, row, 'prepared')
    const away = [2, 3].map((index) => treasury.platform.signer(index))
    await Promise.all(away.map((signer) => signer.end()))
    await treasury.platform.connected(2)
    await step(treasury, row)
    const waiting = await reread(treasury, row)
    assert.equal(waiting.state, 'prepared')
    assert.match(waiting.waiting ?? '', /^signers unavailable: /)
    for (const signer of away) signer.start()
    await treasury.platform.connected(4)
    await stepTo(treasury, row, 'broadcasted')
    await confirm(row)
  })

  it('wait while the clock of the server is off, and go on by themselves when it is right', async () => {
    const { database, links, manifest } = treasury.platform
    let off = 0
    const clock = () => Date.now() + off
    const log = { warn: () => undefined, error: () => undefined }
    const coordinator = openCoordinator({ database, links, manifest, log, clock })
    const unset = { ...treasury, deps: { ...treasury.deps, coordinator, now: clock } }
    const hour = 60 * 60_000
    const putOff: Outgoing[] = []
    for (const [by, side, state] of [
      [20_000, 'ahead', 'prepared'],
      [24 * hour, 'ahead', 'prepared'],
      [400 * 24 * hour, 'ahead', 'requested'],
      [-hour, 'behind', 'prepared'],
    ] as const) {
      const row = await request(treasury, await makeWallet(treasury), { body: payment() })
      if (state === 'prepared') await stepTo(treasury, row, 'prepared')
      off = by
      // One of those that have just come back may not know the head: then too few say it of the clock.
      await until(async () => {
        await step(unset, row)
        const { waiting } = await reread(treasury, row)
        return waiting === `the clock of the server is ${side}`
      }, 10_000)
      off = 0
      const waiting = await reread(treasury, row)
      assert.equal(waiting.state, state)
      // It was put off by that clock.
      if (by > hour) assert.ok((waiting.due_at ?? 0) > Date.now() + hour)
      putOff.push(waiting)
    }
    // A step of one has left the others without a time. As if seconds had gone by, and no hours.
    for (const { id, due_at } of putOff) {
      const set = { due_at: (due_at ?? 0) > Date.now() + hour ? due_at : 0 }
      await database.updateTable('outgoing').set(set).where('id', '=', id).execute()
    }
    const worker = startWorker(unset.deps)
    await until(async () => {
      const found = await Promise.all(putOff.map((row) => reread(treasury, row)))
      return found.every(({ state }) => state === 'broadcasted')
    })
    await worker.stop()
    for (const row of putOff) await confirm(row)
  })
})

function overtaken({ name: id, state }: Outgoing): string {
  const what = 'what a step has found out was not written down: the row has moved on'
  return `${what} ${JSON.stringify({ id, state })}`
}

function withCoordinator(coordinator: WorkDeps['coordinator']): Treasury {
  return { ...treasury, deps: { ...treasury.deps, coordinator } }
}

async function refusing(): Promise<Signed> {
  throw new Failure('request.refused', { reason: 'no' })
}

/** Any place in the log will do for a request that is said to have one. */
async function agreedElsewhere({ platform, database }: Treasury) {
  const { organization, request: hash } = await database
    .selectFrom('outgoing')
    .select(['organization', 'request'])
    .where('state', '=', 'confirmed')
    .limit(1)
    .executeTakeFirstOrThrow()
  return platform.coordinator.stepOf(organization, hash)
}

async function slotsOf({ request: hash }: Outgoing): Promise<readonly number[]> {
  const { database } = treasury
  const rows = await database
    .selectFrom('slots')
    .select('slot')
    .where('request', '=', hash)
    .execute()
  return rows.map(({ slot }) => slot)
}

/** A signature of the right form over nothing. */
function halved(signature: Signature): Signature {
  if (signature.scheme !== 'ECDSA') return signature
  return { ...signature, s: signature.s.map((byte, i) => (i === 31 ? byte ^ 1 : byte)) }
}

async function confirm(row: Outgoing): Promise<Outgoing> {
  await mine(treasury, 2)
  return stepTo(treasury, row, 'confirmed')
}

async function paysWithNextNonce(wallet: WalletRow): Promise<void> {
  const nonce = Number(await nonceOf(wallet))
  const row = await request(treasury, wallet, { body: payment() })
  const { slot } = await stepTo(treasury, row, 'broadcasted')
  assert.equal(slot, nonce)
  await confirm(row)
}

/** By the way that its own time ends it. */
async function endNow(row: Outgoing): Promise<void> {
  const { database } = treasury
  await database
    .updateTable('outgoing')
    .set({ execute_before: 0 })
    .where('id', '=', row.id)
    .execute()
  await stepTo(treasury, row, 'expired')
}

async function onlyDue({ id }: Outgoing): Promise<void> {
  const { database } = treasury
  await database.updateTable('outgoing').set({ due_at: null }).where('id', '!=', id).execute()
  const due = { due_at: 0, lease_until: 0 }
  await database.updateTable('outgoing').set(due).where('id', '=', id).execute()
}

async function eventsOf({ name, kind }: Outgoing): Promise<readonly string[]> {
  const rows = await treasury.database
    .selectFrom('outbox')
    .select(['kind', 'data'])
    .where('kind', 'like', `wallet.${kind}.%`)
    .orderBy('created_at')
    .execute()
  return rows.flatMap((row) => (row.data.includes(name) ? (row.kind.split('.').at(-1) ?? '') : []))
}

async function isCertified({ organization, request: hash }: Outgoing): Promise<boolean> {
  return (await treasury.platform.coordinator.stepOf(organization, hash)) !== undefined
}

async function nonceOf({ address }: WalletRow): Promise<bigint> {
  return BigInt(String(await treasury.rpc('eth_getTransactionCount', [address, 'latest'])))
}
