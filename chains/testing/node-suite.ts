import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { fromHex } from '@quorate/core/bytes'
import { isFailure } from '@quorate/core/failure'
import { pad, toEventSelector } from 'viem'
import { evm, pendingNonce } from '../evm/index.ts'
import { findHeader } from '../evm/blocks.ts'
import { isOfContract } from '../evm/refusals.ts'
import { readToken, tokenCall } from '../evm/tokens.ts'
import { toHexText } from '../evm/transaction.ts'
import { Bench, ether, network, type NodeUnderTest, pay, shop } from './node-bench.ts'
import { describeSponsored } from './sponsored-suite.ts'

/** What a server rests on when it pays, asked in the words in which it asks. */
export function describeNode(name: string, start: () => Promise<NodeUnderTest>): void {
  describe(name, () => {
    const bench = new Bench()
    before(async () => bench.open(await start()))
    after(() => bench.node.stop())
    describePayments(bench)
    describeChain(bench)
    describeCoin(bench)
    describeSponsored(bench)
  })
}

function describePayments(bench: Bench): void {
  it('is of its chain', async () => {
    await evm.checkChain(bench.rpc, network)
  })

  it('takes a payment once, however often it is sent', async () => {
    const from = await bench.account()
    const signed = await pay(from)
    assert.deepEqual(await bench.send(signed), { kind: 'accepted' })
    assert.deepEqual(await bench.send(signed), { kind: 'known' })
    assert.deepEqual(await bench.statusOf(from, signed), { kind: 'pending' })
    await bench.node.mine(1)
    assert.equal((await bench.statusOf(from, signed)).kind, 'included')
    assert.equal((await bench.send(signed)).kind, 'slot-used')
    const fee = await bench.feeOf(from, signed)
    assert.equal(await evm.balance(bench.rpc, from.address), ether - 1n - fee)
  })

  it('counts what waits without a gap, and in blocks what blocks have', async () => {
    const from = await bench.account()
    for (const nonce of [0, 1, 3]) await bench.send(await pay(from, { nonce }))
    assert.equal(await pendingNonce(bench.rpc, from.address), 2n)
    assert.equal(await bench.rpc('eth_getTransactionCount', [from.address, 'latest']), '0x0')
    await bench.node.mine(1)
    assert.equal(await bench.rpc('eth_getTransactionCount', [from.address, 'latest']), '0x2')
    await bench.send(await pay(from, { nonce: 2 }))
    assert.equal(await pendingNonce(bench.rpc, from.address), 4n)
  })

  it('takes another one at a nonce for a tenth more, and forgets the first', async () => {
    const from = await bench.account()
    const [slow, cheap] = [await pay(from), await pay(from, { value: 2n })]
    const fast = await pay(from, { fee: 12n })
    await bench.send(slow)
    assert.equal((await bench.send(cheap)).kind, 'refused')
    assert.deepEqual(await bench.send(fast), { kind: 'accepted' })
    assert.deepEqual(await bench.statusOf(from, slow), { kind: 'missing' })
    await bench.node.mine(network.confirmationsFinal)
    assert.equal((await bench.statusOf(from, fast)).kind, 'included')
    assert.deepEqual(await bench.statusOf(from, slow), { kind: 'lapsed' })
  })
}

function describeChain(bench: Bench): void {
  it('refuses what nobody can pay for', async () => {
    const from = await bench.account(1_000n)
    assert.equal((await bench.send(await pay(from))).kind, 'refused')
  })

  it('observes a payment: what it takes, and prices above that of the next block', async () => {
    const from = await bench.account()
    const ask = { type: 2, from: from.address, to: shop, value: 1n } as const
    const whole = { ...ask, data: new Uint8Array(), priority: 'Standard', nonce: 7n } as const
    const facts = await evm.observe(bench.rpc, whole)
    assert.deepEqual([facts.nonce, facts.gasLimit], [7n, 21_000n])
    assert.ok(facts.maxFeePerGas > facts.maxPriorityFeePerGas && facts.maxPriorityFeePerGas > 0n)
  })

  it('tells of each block what was true then', async () => {
    const from = await bench.account()
    const first = await findHeader(bench.rpc, 'latest')
    await bench.send(await pay(from))
    await bench.node.mine(2)
    const second = await findHeader(bench.rpc, 'latest')
    assert.ok(first && second)
    assert.equal(second.number, first.number + 2n)
    const between = await findHeader(bench.rpc, first.number + 1n)
    assert.equal(second.parentHash, between?.hash)
    assert.equal(await findHeader(bench.rpc, second.number + 1n), undefined)
    const at = { blockHash: first.hash, requireCanonical: true }
    assert.equal(BigInt(String(await bench.rpc('eth_getBalance', [from.address, at]))), ether)
    const then = `0x${first.number.toString(16)}`
    assert.equal(await bench.rpc('eth_getTransactionCount', [from.address, then]), '0x0')
  })

  it('takes back what its chain takes back', async () => {
    const from = await bench.account()
    const signed = await pay(from)
    await bench.send(signed)
    await bench.node.mine(2)
    await bench.node.reorganize(2)
    assert.notEqual((await bench.statusOf(from, signed)).kind, 'included')
    assert.equal(await bench.rpc('eth_getTransactionCount', [from.address, 'latest']), '0x0')
    assert.equal(await evm.balance(bench.rpc, from.address), ether)
    await bench.send(signed)
    await bench.node.mine(1)
    assert.equal((await bench.statusOf(from, signed)).kind, 'included')
  })

  it('knows nothing more of what its pool has dropped, and takes it again', async () => {
    const from = await bench.account()
    const signed = await pay(from)
    await bench.send(signed)
    await bench.node.drop(signed.hash)
    assert.deepEqual(await bench.statusOf(from, signed), { kind: 'missing' })
    assert.deepEqual(await bench.send(signed), { kind: 'accepted' })
  })

  it('refuses bytes that are no transaction, and one of another chain', async () => {
    const garbage = { bytes: fromHex('02c0'), hash: '0x00' }
    assert.equal((await bench.send(garbage)).kind, 'refused')
    const from = await bench.account()
    assert.equal((await bench.send(await pay(from, { chainId: 1 }))).kind, 'refused')
  })
}

function describeCoin(bench: Bench): void {
  it('tells a coin by what it says of itself', async () => {
    const { coin: contract } = bench.node
    const said = await readToken(bench.rpc, { kind: 'Erc20', contract })
    assert.deepEqual(said, { symbol: 'GLD', decimals: 6 })
    assert.equal(await readToken(bench.rpc, { kind: 'Erc721', contract }), undefined)
    assert.equal(await readToken(bench.rpc, { kind: 'Erc20', contract: shop }), undefined)
    const from = await bench.holder(7n)
    assert.equal(await bench.unitsOf(from.address), 7n)
  })

  it('moves units of it, and says so in the receipt', async () => {
    const from = await bench.holder(7n)
    const before = await bench.unitsOf(shop)
    const signed = await bench.payUnits(from, 5n)
    assert.deepEqual(await bench.send(signed), { kind: 'accepted' })
    await bench.node.mine(1)
    const fee = await bench.feeOf(from, signed)
    assert.equal(await evm.balance(bench.rpc, from.address), ether - fee)
    assert.equal(await bench.unitsOf(from.address), 2n)
    assert.equal(await bench.unitsOf(shop), before + 5n)
    const [log, ...others] = await bench.logsOf(signed)
    const parties = ([from.address, shop] as const).map((one) => pad(one).toLowerCase())
    assert.deepEqual(log?.topics, [
      toEventSelector('Transfer(address,address,uint256)'),
      ...parties,
    ])
    assert.deepEqual([log?.data, others], [pad('0x5'), []])
    assert.equal(log?.address, bench.node.coin.toLowerCase())
  })

  it('observes a move of units: what it takes, or that it would fail', async () => {
    const from = await bench.holder(7n)
    const observe = (amount: bigint) => {
      const call = { to: bench.node.coin, data: tokenCall(from.address, bench.move(amount)) }
      const ask = { type: 2, from: from.address, value: 0n, priority: 'Standard' } as const
      return evm.observe(bench.rpc, { ...ask, ...call })
    }
    const { gasLimit } = await observe(7n)
    assert.ok(gasLimit > 40_000n && gasLimit < 80_000n)
    await assert.rejects(
      observe(8n),
      (error) => isFailure(error, 'chain.refused') && error.context.reason.includes('revert'),
    )
  })

  it('says of a contract’s refusal that it is one, and of its own that it is not', async () => {
    const from = await bench.holder(7n)
    const { coin } = bench.node
    const call = {
      from: from.address,
      to: coin,
      data: toHexText(tokenCall(from.address, bench.move(8n))),
    }
    const refusal = async (method: string, params: readonly unknown[]) => {
      const error: unknown = await bench.rpc(method, params).then(
        () => undefined,
        (thrown: unknown) => thrown,
      )
      assert.ok(isFailure(error, 'chain.refused'))
      return { isOfContract: isOfContract(error), ...error.context }
    }
    for (const [method, ...params] of [
      ['eth_call', call, 'latest'],
      ['eth_estimateGas', call],
    ] as const) {
      const { isOfContract: isIts, code, reason } = await refusal(method, params)
      assert.deepEqual([isIts, code, reason.slice(0, 18)], [true, 3, 'execution reverted'])
    }
    const own = await refusal('eth_call', [call, '0xffffffff'])
    assert.equal(own.isOfContract, false)
  })

  it('carries out what fails, for its nonce and its fee, and moves nothing', async () => {
    const from = await bench.holder(7n)
    const [first, second] = [
      await bench.payUnits(from, 5n),
      await bench.payUnits(from, 5n, { nonce: 1 }),
    ]
    for (const one of [first, second]) assert.equal((await bench.send(one)).kind, 'accepted')
    await bench.node.mine(1)
    const status = await bench.statusOf(from, second, 1n)
    assert.ok(status.kind === 'included' && !status.succeeded && status.fee > 0n)
    const fees = status.fee + (await bench.feeOf(from, first))
    assert.equal(await evm.balance(bench.rpc, from.address), ether - fees)
    assert.equal(await bench.unitsOf(from.address), 2n)
    assert.deepEqual(await bench.logsOf(second), [])
    assert.equal(await pendingNonce(bench.rpc, from.address), 2n)
  })

  it('fails a move that comes to the end of its gas, which it has used then', async () => {
    const from = await bench.holder(7n)
    const signed = await bench.payUnits(from, 5n, { gas: 30_000n })
    await bench.send(signed)
    await bench.node.mine(1)
    const receipt = Object(await bench.rpc('eth_getTransactionReceipt', [signed.hash]))
    assert.deepEqual([receipt.status, BigInt(receipt.gasUsed)], ['0x0', 30_000n])
    assert.equal(await bench.unitsOf(from.address), 7n)
  })

  it('gives units back with the block that moved them', async () => {
    const from = await bench.holder(7n)
    await bench.node.mine(1)
    await bench.send(await bench.payUnits(from, 5n))
    await bench.node.mine(1)
    assert.equal(await bench.unitsOf(from.address), 2n)
    await bench.node.reorganize(1)
    assert.equal(await bench.unitsOf(from.address), 7n)
  })
}
