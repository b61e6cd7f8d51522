import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { fromHex, toHex } from '@quorate/core/bytes'
import { Failure } from '@quorate/core/failure'
import { decodeFacts } from '@quorate/effects/facts'
import {
  decodeUnsigned,
  encodeUnsigned,
  type EvmTransaction,
} from '@quorate/effects/evm/transaction'
import { privateKeyToAccount } from 'viem/accounts'
import { openChains } from '../chain/chains.ts'
import { findOutgoing } from './find.ts'
import { effectOf, evidenceOf } from './reading.ts'
import { transactionOf, transferOf } from './entity.ts'
import type { Outgoing } from './tables.ts'
import type { WalletRow } from '../wallets/find.ts'
import { openLane, type Way } from './testing/lane.ts'
import {
  asking,
  balanceOf,
  makeWallet,
  mine,
  payment,
  pruned,
  request,
  reread,
  startTreasury,
  step,
  stepTo,
  stranger,
  type Treasury,
} from './testing/treasury.ts'

let treasury: Treasury
let lane: ReturnType<typeof openLane>
before(async () => {
  treasury = await startTreasury()
  lane = openLane(treasury)
})
after(async () => {
  await lane.close()
  await treasury.stop()
})

const gwei = 10n ** 9n
let wallet: WalletRow
beforeEach(async () => {
  wallet = await makeWallet(treasury)
})

/** What waits for a block that nobody makes. */
async function waiting(wish: Parameters<typeof request>[2] = { body: payment() }) {
  return stepTo(treasury, await request(treasury, wallet, wish), 'broadcasted')
}

/** The row of what comes for another one's place, wherever that stands when the answer is given. */
async function replacing(row: Outgoing, way: Way, maxFee?: bigint): Promise<Outgoing> {
  const { status, body } = await lane.ask(row, way, maxFee === undefined ? {} : { maxFee })
  assert.equal(status, 200, body.message)
  const named = { kind: 'transaction', name: body.id } as const
  return findOutgoing(treasury.database, row, named)
}

/** As if the worker that has brought it here had gone on to others. */
async function unleased(row: Outgoing, way: Way) {
  const free = { lease_holder: null, lease_until: 0 }
  await treasury.database.updateTable('outgoing').set(free).where('id', '=', row.id).execute()
  return lane.ask(row, way)
}

async function settled(...rows: readonly Outgoing[]): Promise<readonly Outgoing[]> {
  await mine(treasury, 4)
  const ends = ['confirmed', 'lapsed', 'refused', 'reverted'] as const
  const done: Outgoing[] = []
  for (const row of rows) done.push(await stepTo(treasury, row, ...ends))
  return done
}

function priceOf({ facts }: Outgoing) {
  const read = facts === null ? undefined : decodeFacts(facts)
  if (read?.family !== 'evm') return assert.fail('no facts')
  return read
}

describe('a speed-up', () => {
  it('is the same payment for a tenth more at least, and ends the one that it replaces', async () => {
    const paid = await balanceOf(treasury, stranger)
    const row = await waiting()
    const faster = await stepTo(treasury, await replacing(row, 'speed-up'), 'broadcasted')
    assert.equal(faster.slot, row.slot)
    const [slow, fast] = [priceOf(row), priceOf(faster)]
    assert.ok(fast.maxFeePerGas * 10n >= slow.maxFeePerGas * 11n)
    assert.ok(fast.maxPriorityFeePerGas * 10n >= slow.maxPriorityFeePerGas * 11n)
    assert.deepEqual(transactionOf(faster).requestBody, {
      kind: 'SpeedUpTransaction',
      txHash: row.hash,
      signedTx: `0x${toHex(faster.signed ?? new Uint8Array())}`,
    })
    assert.equal(transferOf(await reread(treasury, row)).replacementId, faster.name)
    const [first, second] = await settled(row, faster)
    assert.deepEqual([first?.state, second?.state], ['lapsed', 'confirmed'])
    const { status, reason, replacementId } = transferOf(first ?? row)
    const said = `replaced by ${faster.name}`
    assert.deepEqual([status, reason, replacementId], ['Failed', said, faster.name])
    assert.equal(await balanceOf(treasury, stranger), paid + 1000n)
    assert.deepEqual(treasury.lines, [])
  })

  it('ends what it replaces by the block that it is in, though a fake node has forgotten how that came', async () => {
    const row = await waiting()
    const faster = await stepTo(treasury, await replacing(row, 'speed-up'), 'broadcasted')
    await mine(treasury, 4)
    const forgetful = { ...pruned.receipts, ...pruned.states }
    const unindexed = asking(treasury, { ...forgetful, ...pruned.hashes })
    await step(unindexed, row)
    assert.equal((await reread(treasury, row)).state, 'broadcasted')
    const failed = await stepTo(asking(treasury, forgetful), row, 'lapsed')
    assert.equal(failed.reason, `replaced by ${faster.name}`)
    await stepTo(treasury, faster, 'confirmed')
  })

  it('of a speed-up is still the first payment, and each outbids the one before', async () => {
    const paid = await balanceOf(treasury, stranger)
    const row = await waiting()
    const second = await stepTo(treasury, await replacing(row, 'speed-up'), 'broadcasted')
    const third = await stepTo(treasury, await replacing(second, 'speed-up'), 'broadcasted')
    const [a, b] = [priceOf(second), priceOf(third)]
    assert.ok(b.maxFeePerGas * 10n >= a.maxFeePerGas * 11n)
    const done = await settled(row, second, third)
    assert.deepEqual(
      done.map(({ state }) => state),
      ['lapsed', 'lapsed', 'confirmed'],
    )
    assert.equal(await balanceOf(treasury, stranger), paid + 1000n)
  })

  it('is of whole bytes and of every type, whatever fees these named', async () => {
    const paid = await balanceOf(treasury, stranger)
    const named = { to: stranger, gasLimit: '30000' }
    const to = fromHex(stranger.slice(2).toLowerCase())
    const shared = { chainId: 11155111n, gasLimit: 60_000n, to, value: 1n, data: new Uint8Array() }
    const fees = { maxFeePerGas: 3n * gwei, maxPriorityFeePerGas: gwei }
    const accessList = [{ address: to, keys: [new Uint8Array(32)] }]
    const bytesOf = (tx: EvmTransaction) => `0x${toHex(encodeUnsigned(tx))}`
    const authority = privateKeyToAccount(`0x${'5a'.repeat(32)}`)
    const delegation = async (nonce: number) => {
      const asked = { chainId: 11155111, address: stranger, nonce } as const
      const { r, s, yParity = 0 } = await authority.signAuthorization(asked)
      return { ...{ address: stranger, chainId: 11155111, nonce }, r, s, yParity }
    }
    const readDelegation = ({ r, s, yParity, nonce }: Awaited<ReturnType<typeof delegation>>) => ({
      ...{ chainId: 11155111n, address: to, nonce: BigInt(nonce), yParity: BigInt(yParity) },
      ...{ r: BigInt(r), s: BigInt(s) },
    })
    const asks = [
      { type: 0, ...named, value: '1', gasPrice: `${2n * gwei}` },
      { type: 2, ...named, value: '1', maxFeePerGas: `${3n * gwei}`, maxPriorityFeePerGas: '1' },
      { type: 4, to: stranger, value: '1', authorizationList: [await delegation(0)] },
      bytesOf({ type: 0, ...shared, nonce: 3n, gasPrice: 2n * gwei }),
      bytesOf({ type: 1, ...shared, nonce: 4n, gasPrice: 2n * gwei, accessList }),
      bytesOf({ type: 2, ...shared, nonce: 5n, ...fees, accessList: [] }),
      bytesOf({
        ...{ type: 4, ...shared, nonce: 6n, ...fees, accessList },
        authorizations: [readDelegation(await delegation(1))],
      }),
    ]
    for (const transaction of asks) {
      const body = { kind: 'Transaction', transaction }
      const row = await waiting({ body, kind: 'transaction' })
      const faster = await stepTo(treasury, await replacing(row, 'speed-up'), 'broadcasted')
      const done = await settled(row, faster)
      assert.deepEqual(
        done.map(({ state }) => state),
        ['lapsed', 'confirmed'],
      )
    }
    assert.equal(await balanceOf(treasury, stranger), paid + BigInt(asks.length))
    const code = await treasury.rpc('eth_getCode', [authority.address, 'latest'])
    assert.equal(code, `0xef0100${toHex(to)}`)
  })

  it('costs no more than was signed for it', async () => {
    const row = await waiting()
    const maxFee = 21_000n * priceOf(row).maxFeePerGas
    const dear = await stepTo(treasury, await replacing(row, 'speed-up', maxFee), 'refused')
    assert.match(dear.reason ?? '', /above what was signed for/)
    const [done] = await settled(row)
    assert.equal(done?.state, 'confirmed')
  })

  it('comes too late, before or after it is signed: then it has failed, and the first is paid', async () => {
    const paid = await balanceOf(treasury, stranger)
    const row = await waiting()
    const [early, late] = [await replacing(row, 'speed-up'), await replacing(row, 'speed-up')]
    await stepTo(treasury, late, 'signed')
    const [first] = await settled(row)
    assert.equal(first?.state, 'confirmed')
    const [unsigned, signed] = await settled(early, late)
    assert.deepEqual([unsigned?.state, signed?.state], ['refused', 'lapsed'])
    assert.equal(signed?.reason, `${row.name} was carried out, which it was to replace`)
    assert.equal(await balanceOf(treasury, stranger), paid + 1000n)
  })
})

describe('a cancellation', () => {
  it('pays nothing to the wallet itself, and ends the one that it replaces', async () => {
    const paid = await balanceOf(treasury, stranger)
    const row = await waiting()
    const cancelling = await stepTo(treasury, await replacing(row, 'cancel'), 'broadcasted')
    const { kind, txHash } = transactionOf(cancelling).requestBody as Record<string, string>
    assert.deepEqual([kind, txHash], ['CancelTransaction', row.hash])
    const [first, second] = await settled(row, cancelling)
    assert.deepEqual([first?.state, second?.state], ['lapsed', 'confirmed'])
    assert.equal(first?.reason, `cancelled by ${cancelling.name}`)
    assert.equal(await balanceOf(treasury, stranger), paid)
    const [next] = await settled(await waiting())
    assert.equal(next?.slot, (row.slot ?? 0) + 1)
  })

  it('can be of a speed-up, and be sped up itself', async () => {
    const paid = await balanceOf(treasury, stranger)
    const row = await waiting()
    const faster = await stepTo(treasury, await replacing(row, 'speed-up'), 'broadcasted')
    const cancelling = await stepTo(treasury, await replacing(faster, 'cancel'), 'broadcasted')
    const again = await stepTo(treasury, await replacing(cancelling, 'speed-up'), 'broadcasted')
    const done = await settled(row, faster, cancelling, again)
    assert.deepEqual(
      done.map(({ state }) => state),
      ['lapsed', 'lapsed', 'lapsed', 'confirmed'],
    )
    assert.equal(await balanceOf(treasury, stranger), paid)
  })

  it('fills the gap of a payment that the signers agreed on and nobody has signed', async () => {
    const { platform, deps } = treasury
    const row = await stepTo(
      treasury,
      await request(treasury, wallet, { body: payment() }),
      'prepared',
    )
    const { organization, key } = row
    await platform.coordinator.sign({ organization, key, evidence: evidenceOf(row) })
    const sign = async () => {
      throw new Failure('request.refused', { reason: 'no' })
    }
    const refusing = { ...platform.coordinator, sign }
    await step({ ...treasury, deps: { ...deps, coordinator: refusing } }, row)
    const failed = await reread(treasury, row)
    assert.deepEqual([failed.state, failed.slot, failed.signed], ['refused', 0, null])
    const behind = await waiting()
    assert.equal(behind.slot, 1)
    await mine(treasury, 2)
    await step(treasury, behind)
    assert.equal((await reread(treasury, behind)).state, 'broadcasted')
    const filling = await stepTo(treasury, await replacing(failed, 'cancel'), 'broadcasted')
    assert.equal(filling.slot, 0)
    assert.equal('txHash' in transactionOf(filling).requestBody, false)
    const done = await settled(filling, behind)
    assert.deepEqual(
      done.map(({ state }) => state),
      ['confirmed', 'confirmed'],
    )
    assert.equal((await lane.ask(failed, 'speed-up')).status, 409)
  })
})

describe('a transaction from outside', () => {
  it('at the nonce of a payment is noticed, and what comes after goes on', async () => {
    const paid = await balanceOf(treasury, stranger)
    const row = await waiting()
    const { rpc } = treasury
    const { address } = wallet
    await rpc('anvil_impersonateAccount', [address])
    const dear = `0x${(priceOf(row).maxFeePerGas * 2n).toString(16)}`
    const outside = { from: address, to: stranger, value: '0x5', nonce: '0x0', gas: '0x5208' }
    await rpc('eth_sendTransaction', [
      { ...outside, maxFeePerGas: dear, maxPriorityFeePerGas: dear },
    ])
    await rpc('anvil_stopImpersonatingAccount', [address])
    const [lost] = await settled(row)
    assert.equal(lost?.state, 'lapsed')
    assert.equal(lost?.reason, 'another transaction has used its nonce')
    assert.equal(await balanceOf(treasury, stranger), paid + 5n)
    const [next] = await settled(await waiting())
    assert.deepEqual([next?.state, next?.slot], ['confirmed', 1])
  })
})

describe('giving up', () => {
  it('ends what no signer has agreed on, and its nonce is the next one’s', async () => {
    for (const state of ['requested', 'slotted', 'prepared'] as const) {
      const asked = await request(treasury, wallet, { body: payment() })
      const row = await stepTo(treasury, asked, state)
      const { status, body } = await unleased(row, 'abort')
      assert.equal(status, 200, body.message)
      assert.deepEqual([body.status, body.reason], ['Failed', 'aborted by its user'])
      assert.equal((await lane.ask(row, 'abort')).status, 409)
    }
    const [next] = await settled(await waiting())
    assert.equal(next?.slot, 0)
  })

  it('comes too late once the signers have agreed, or it is sent', async () => {
    const { platform } = treasury
    const row = await stepTo(
      treasury,
      await request(treasury, wallet, { body: payment() }),
      'prepared',
    )
    const { organization, key } = row
    await platform.coordinator.sign({ organization, key, evidence: evidenceOf(row) })
    assert.equal((await unleased(row, 'abort')).status, 409)
    await stepTo(treasury, row, 'broadcasted')
    assert.equal((await lane.ask(row, 'abort')).status, 409)
  })
})

describe('what is done, or another’s', () => {
  it('is not replaced', async () => {
    const row = await request(treasury, wallet, { body: payment() })
    for (const way of ['cancel', 'speed-up'] as const)
      assert.equal((await lane.ask(row, way)).status, 409)
    await stepTo(treasury, row, 'broadcasted')
    const other = { ...row, wallet_id: (await makeWallet(treasury)).wallet_id }
    for (const way of ['cancel', 'speed-up', 'abort'] as const)
      assert.equal((await lane.ask(other, way)).status, 404, way)
    const [done] = await settled(row)
    for (const way of ['cancel', 'speed-up', 'abort'] as const)
      assert.equal((await lane.ask(done ?? row, way)).status, 409, way)
  })
})

describe('what comes for the place of another, or gives it up, when its answer was lost', () => {
  it('is what it has made, in a later life of the server, whatever has become of the first', async () => {
    for (const way of ['speed-up', 'cancel'] as const) {
      const row = await waiting()
      const asked = await lane.sign(row, way)
      const made = await asked.here()
      assert.equal(made.status, 200, made.body.message)
      assert.equal((await asked.here()).status, 400)
      const named = { kind: 'transaction', name: made.body.id } as const
      await settled(row, await findOutgoing(treasury.database, row, named))
      const again = await asked.inLaterLife()
      assert.deepEqual([again.status, again.body.id], [200, made.body.id])
    }
  })

  it('is what it has given up', async () => {
    const row = await request(treasury, wallet, { body: payment() })
    const asked = await lane.sign(row, 'abort')
    assert.equal((await asked.here()).status, 200)
    const again = await asked.inLaterLife()
    assert.deepEqual([again.status, again.body.status], [200, 'Failed'])
  })
})

describe('on a network without a fee market', () => {
  const classic = 'EthereumClassic'
  const chains = () =>
    openChains(new Map([[classic, { rpcUrl: treasury.node.rpcUrl, confirmations: 2 }]]))
  before(() => treasury.rpc('anvil_setChainId', [61]))
  after(() => treasury.rpc('anvil_setChainId', [11155111]))

  it('a payment is cancelled, and sped up, by one of type 0 at a higher price', async () => {
    const through = { ...treasury, deps: { ...treasury.deps, chains: chains() } }
    const there = openLane({ ...through, chains: through.deps.chains })
    const own = await makeWallet(treasury, undefined, classic)
    for (const [way, paid] of [
      ['cancel', 0n],
      ['speed-up', 1000n],
    ] as const) {
      const before = await balanceOf(treasury, stranger)
      const asked = await request(treasury, own, { body: payment() })
      const row = await stepTo(through, asked, 'broadcasted')
      const { body, status } = await there.ask(row, way)
      assert.equal(status, 200, body.message)
      const named = { kind: 'transaction', name: body.id } as const
      const found = await findOutgoing(treasury.database, row, named)
      const instead = await stepTo(through, found, 'broadcasted')
      const { type, ...tx } = decodeUnsigned(
        effectOf(instead, through.deps.chains.find(classic).traits).unsigned ?? assert.fail(),
      )
      assert.ok(type === 0 && 'gasPrice' in tx)
      assert.ok(tx.gasPrice * 10n >= (priceOf(row).gasPrice ?? 0n) * 11n)
      await mine(treasury, 4)
      await stepTo(through, instead, 'confirmed')
      await stepTo(through, row, 'lapsed')
      assert.equal(await balanceOf(treasury, stranger), before + paid)
    }
    await there.close()
  })
})
