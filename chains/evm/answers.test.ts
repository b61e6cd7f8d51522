import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Failure, isFailure } from '@quorate/core/failure'
import { privateKeyToAccount } from 'viem/accounts'
import type { Rpc } from '../adapter.ts'
import { ethereumSepolia as network } from '../testing/sepolia.ts'
import { quoteFees, readFees } from './fees.ts'
import { evm, isAuthorityBusy, type EvmAsk } from './index.ts'

const hash = `0x${'11'.repeat(32)}`
const other = `0x${'22'.repeat(32)}`
const sent = { hash, from: '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed', slot: 3n }
const signed = { hash, bytes: new Uint8Array([2]) }
const receipt = {
  transactionHash: hash,
  blockHash: hash,
  blockNumber: '0x5',
  status: '0x1',
  gasUsed: '0x5208',
  effectiveGasPrice: '0x2',
}
const block = { number: '0x5', hash, parentHash: other, timestamp: '0x1' }

describe('what a node answers to a broadcast', () => {
  const outcomes: Readonly<Record<string, string>> = {
    // geth, anvil, Erigon, Nethermind, Besu, in their own words.
    'already known': 'known',
    'transaction already imported': 'known',
    'INTERNAL_ERROR: ALREADY_KNOWN: already known': 'known',
    AlreadyKnown: 'known',
    'Known transaction': 'known',
    'nonce too low: next nonce 8, tx nonce 7': 'slot-used',
    'Transaction nonce is too low. Try incrementing the nonce.': 'slot-used',
    OldNonce: 'slot-used',
    'Nonce below account nonce': 'slot-used',
    'nonce too high': 'refused',
    'replacement transaction underpriced': 'refused',
    'insufficient funds for gas * price + value': 'refused',
  }
  for (const [reason, kind] of Object.entries(outcomes))
    it(`is ${kind} when it says: ${reason}`, async () => {
      const rpc: Rpc = async () => {
        throw new Failure('chain.refused', { network: network.id, reason })
      }
      assert.equal((await evm.broadcast(rpc, signed)).kind, kind)
    })

  it('says of a refusal whether transactions of an account that is to get code are the cause', () => {
    for (const [reason, expected] of [
      ['authority already reserved', true],
      ['delegation authority has pending transaction', true],
      ['DelegatorHasPendingTx', true],
      ['in-flight transaction limit reached for delegated accounts', false],
      ['replacement transaction underpriced', false],
    ] as const)
      assert.equal(isAuthorityBusy(reason), expected, reason)
  })

  it('is no answer when the node is gone, or names another hash', async () => {
    const gone: Rpc = async () => {
      throw new Failure('chain.unavailable', { network: network.id })
    }
    await assert.rejects(evm.broadcast(gone, signed), (error) =>
      isFailure(error, 'chain.unavailable'),
    )
    await assert.rejects(evm.broadcast(answering({ eth_sendRawTransaction: other }), signed))
  })
})

describe('the status of a transaction', () => {
  const included = {
    eth_getTransactionReceipt: receipt,
    eth_getBlockByNumber: block,
    eth_blockNumber: '0x6',
  }

  it('is included while the block of its receipt is the one at that height', async () => {
    assert.deepEqual(await evm.status(answering(included), network, sent), {
      kind: 'included',
      blockHash: hash,
      blockNumber: 5n,
      confirmations: 2,
      succeeded: true,
      fee: 42_000n,
    })
  })

  it('has cost what the layer below has taken as well', async () => {
    const below = { ...receipt, l1Fee: '0x5' }
    const both = { ...included, eth_getTransactionReceipt: below }
    const status = await evm.status(answering(both), network, sent)
    assert.equal(status.kind === 'included' && status.fee, 42_005n)
  })

  it('is not included by the receipt of a block that lost its place', async () => {
    const moved = {
      ...included,
      eth_getBlockByNumber: { ...block, hash: other },
      eth_getTransactionByHash: null,
    }
    assert.deepEqual(await evm.status(answering(moved), network, sent), { kind: 'missing' })
  })

  it('is not read from a receipt of another transaction, or an unreadable one', async () => {
    for (const bad of [
      { ...receipt, transactionHash: other },
      { ...receipt, blockNumber: 5 },
      { ...receipt, gasUsed: undefined },
      [],
      'none',
    ])
      await assert.rejects(
        evm.status(answering({ ...included, eth_getTransactionReceipt: bad }), network, sent),
        (error) => isFailure(error, 'chain.refused'),
      )
  })

  it('is not that of a block that goes while the chain grows past it, whichever is looked at first', async () => {
    for (const first of ['eth_blockNumber', 'eth_getBlockByNumber']) {
      let isReplaced = false
      const rpc: Rpc = async (method) => {
        const answer = {
          eth_getTransactionReceipt: isReplaced ? null : receipt,
          eth_getTransactionByHash: null,
          eth_getBlockByNumber: isReplaced ? { ...block, hash: other } : block,
          // With its successor it is settled; with the one before, not yet.
          eth_blockNumber: isReplaced ? '0x7' : '0x6',
          eth_getTransactionCount: '0x3',
        }[method]
        if (method === first) isReplaced = true
        return answer
      }
      const found = await evm.status(rpc, { ...network, confirmationsFinal: 3 }, sent)
      assert.ok(found.kind !== 'included' || found.confirmations < 3, first)
    }
  })

  it('is not lapsed on a chain too short for anything to be settled', async () => {
    const young = {
      eth_getTransactionReceipt: null,
      eth_getTransactionByHash: null,
      eth_blockNumber: '0x6',
      eth_getTransactionCount: '0x9',
    }
    assert.deepEqual(await evm.status(answering(young), network, sent), { kind: 'missing' })
  })
})

describe('a transaction whose nonce is used, told by a fake node', () => {
  const head = 0x200
  const own = { hash, from: sent.from.toLowerCase(), nonce: '0x3' }
  const theirs = { ...own, hash: other }
  const elsewhere = { ...theirs, from: `0x${'ab'.repeat(20)}`, nonce: '0x1' }
  const statusOf = (node: Rpc) => evm.status(node, network, sent)

  /** The account comes past the nonce of what was sent at `passed`, a block with these transactions. */
  function usedAt(passed: number, transactions: readonly object[], more: Answers = {}): Rpc {
    return answering({
      eth_getTransactionReceipt: null,
      eth_getTransactionByHash: null,
      eth_blockNumber: hexOf(head),
      eth_getTransactionCount: ([, at]: Params) => (Number(at) < passed ? '0x3' : '0x4'),
      eth_getBlockByNumber: ([at]: Params) => ({
        ...{ ...block, number: at, hash: hashAt(Number(at)) },
        transactions: Number(at) === passed ? transactions : [],
      }),
      ...more,
    })
  }
  const hashAt = (number: number) => `0x${String(number).padStart(64, '0')}`

  it('has lapsed where another one stands in the block at which the account came past it', async () => {
    for (const passed of [1, 2, 100, head - network.confirmationsFinal + 1])
      assert.deepEqual(await statusOf(usedAt(passed, [elsewhere, theirs])), { kind: 'lapsed' })
  })

  it('has not while that block is not settled', async () => {
    const passed = head - network.confirmationsFinal + 2
    assert.deepEqual(await statusOf(usedAt(passed, [theirs])), { kind: 'missing' })
  })

  it('has lapsed where the account has used it to be given code', async () => {
    const account = privateKeyToAccount(`0x${'77'.repeat(32)}`)
    const { r, s, yParity } = await account.signAuthorization({
      ...{ chainId: network.chainId, address: `0x${'cc'.repeat(20)}`, nonce: 3 },
    })
    const authorization = {
      ...{ chainId: hexOf(network.chainId), address: `0x${'cc'.repeat(20)}`, nonce: '0x3' },
      ...{ r, s, yParity: hexOf(yParity ?? 0) },
    }
    const status = (change: object, from: string = account.address) => {
      const authorizationList = [
        { ...authorization, nonce: '0x2' },
        { ...authorization, ...change },
      ]
      const rpc = usedAt(9, [{ ...elsewhere, authorizationList }])
      return evm.status(rpc, network, { ...sent, from })
    }
    assert.deepEqual(await status({}), { kind: 'lapsed' })
    assert.deepEqual(await status({}, sent.from), { kind: 'slot-used' })
    assert.deepEqual(await status({ nonce: '0x4' }), { kind: 'slot-used' })
    assert.deepEqual(await status({ r: '0x0' }), { kind: 'slot-used' })
  })

  it('has not lapsed where it stands there itself, and the node has neither receipt nor hash', async () => {
    assert.deepEqual(await statusOf(usedAt(100, [elsewhere, own])), { kind: 'no-receipt' })
  })

  it('is included by the receipt that a node behind the same address has a moment later', async () => {
    let asked = 0
    const late = { ...receipt, blockNumber: hexOf(100), blockHash: hashAt(100) }
    const eth_getTransactionReceipt = () => ((asked += 1) === 1 ? null : late)
    const status = await statusOf(usedAt(100, [own], { eth_getTransactionReceipt }))
    assert.equal(status.kind === 'included' && status.confirmations, head - 100 + 1)
  })

  it('has not lapsed while the node knows of the block that it is in, and has no receipt any more', async () => {
    const known = (blockHash: string) => ({ ...own, blockHash, blockNumber: hexOf(100) })
    const statusAt = (blockHash: string, transactions: readonly object[]) =>
      statusOf(usedAt(100, transactions, { eth_getTransactionByHash: known(blockHash) }))
    assert.deepEqual(await statusAt(hashAt(100), [own]), { kind: 'no-receipt' })
    // That block has lost its place to another one.
    assert.deepEqual(await statusAt(other, [theirs]), { kind: 'lapsed' })
  })

  it('may have been carried out where the node keeps too little of that time', async () => {
    const refused = () => {
      throw new Failure('chain.refused', { network: network.id, reason: 'missing trie node' })
    }
    const unknown: Readonly<Record<string, Rpc>> = {
      'no states': usedAt(100, [theirs], {
        eth_getTransactionCount: ([, at]: Params) => (Number(at) < head - 128 ? refused() : '0x4'),
      }),
      'states for which it makes up nothing': usedAt(head - 128, []),
      'no state but the newest': usedAt(0, [theirs]),
      'no block': usedAt(100, [], { eth_getBlockByNumber: null }),
      'another block': usedAt(100, [], {
        eth_getBlockByNumber: { ...block, transactions: [theirs] },
      }),
      'a block too long to be told': usedAt(100, [theirs], { eth_getBlockByNumber: refused }),
    }
    for (const [name, rpc] of Object.entries(unknown))
      assert.deepEqual(await statusOf(rpc), { kind: 'slot-used' }, name)
  })
})

describe('the gas that a transaction may use', () => {
  const ask: EvmAsk = {
    ...{ type: 2, from: sent.from, to: sent.from, value: 0n, data: new Uint8Array([1]) },
    ...{ priority: 'Standard', nonce: 0n, maxFeePerGas: 2n, maxPriorityFeePerGas: 1n },
  }
  const cap = 16_777_216
  const hex = (value: number) => `0x${value.toString(16)}`
  const limitOf = async (gas: number, more: object, gasLimit?: bigint) => {
    const latest = { ...block, ...more }
    const rpc = answering({ eth_estimateGas: hex(gas), eth_getBlockByNumber: latest })
    return Number((await evm.observe(rpc, { ...ask, ...(gasLimit && { gasLimit }) })).gasLimit)
  }
  const tooMuch = (needed: number, limit: number) => (error: unknown) =>
    isFailure(error, 'chain.refused') &&
    error.context.reason === `it needs ${needed} gas, and a block takes ${limit}`

  it('is a fifth more than estimated, up to what EIP-7825 lets a transaction name', async () => {
    const roomy = { gasLimit: hex(60_000_000) }
    assert.equal(await limitOf(10_000_000, roomy), 12_000_000)
    assert.equal(await limitOf(15_000_000, roomy), cap)
    assert.equal(await limitOf(cap, roomy), cap)
    // Only a network without that limit says so much.
    assert.equal(await limitOf(cap + 4, roomy), ((cap + 4) / 5) * 6)
  })

  it('is no more than a block takes, be it estimated or named', async () => {
    const small = { gasLimit: hex(5_000_000) }
    assert.equal(await limitOf(4_900_000, small), 5_000_000)
    assert.equal(await limitOf(0, small, 5_000_000n), 5_000_000)
    await assert.rejects(limitOf(5_000_001, small), tooMuch(5_000_001, 5_000_000))
    await assert.rejects(limitOf(0, small, 5_000_001n), tooMuch(5_000_001, 5_000_000))
  })

  it('is whatever is wanted where blocks have no limit, or it is not told', async () => {
    for (const more of [{}, { gasLimit: '0x0' }, { gasLimit: null }])
      assert.equal(await limitOf(40_000_000, more), 48_000_000)
  })

  it('is looked for in no block where it fits into any', async () => {
    const rpc = answering({ eth_estimateGas: hex(800_000) })
    assert.equal((await evm.observe(rpc, ask)).gasLimit, 960_000n)
  })
})

describe('a block', () => {
  it('is not read when a number, a hash or an address in it has another form', async () => {
    const tx = { hash, transactionIndex: '0x0', from: sent.from, to: null, value: '0x1' }
    const read = (change: object, inside: object = {}): Promise<unknown> =>
      evm.advance(
        answering({
          eth_getBlockByNumber: { ...block, transactions: [{ ...tx, ...inside }], ...change },
        }),
        [],
      )
    await read({})
    for (const change of [
      { number: 5 },
      { hash: '0x11' },
      { parentHash: null },
      { transactions: 1 },
    ])
      await assert.rejects(read(change), (error) => isFailure(error, 'chain.refused'))
    for (const inside of [{ from: '0x11' }, { to: 'vitalik.eth' }, { value: '1' }])
      await assert.rejects(read({}, inside), (error) => isFailure(error, 'chain.refused'))
  })
})

describe('fees', () => {
  const gwei = 10n ** 9n
  const rewarding = (reward: readonly (readonly string[])[]): Rpc =>
    answering({
      eth_feeHistory: { baseFeePerGas: ['0x1', '0x3b9aca00'], reward, oldestBlock: '0x7' },
    })
  const history = (rewards: readonly string[]): Rpc =>
    rewarding(rewards.map((reward) => [reward, reward, reward]))

  it('double the next base fee and add the middle tip, empty blocks left out', async () => {
    const tips = ['0x0', '0x77359400', '0x0', '0xb2d05e00', '0x0', '0xee6b2800']
    assert.deepEqual(await quoteFees(history(tips), 'Standard'), {
      maxFeePerGas: 5n * gwei,
      maxPriorityFeePerGas: 3n * gwei,
    })
  })

  it('offer the tips that are paid, be they a thousandth of a gwei, and no less than Geth mines for', async () => {
    const tipsOf = async (reward: readonly (readonly bigint[])[]) => {
      const texts = reward.map((row) => row.map((tip) => `0x${tip.toString(16)}`))
      const { Slow, Standard, Fast } = (await readFees(rewarding(texts))).quotes
      return [Slow, Standard, Fast].map((quote) => quote.maxPriorityFeePerGas)
    }
    const [least, usual, dear] = [gwei / 1_000n, gwei / 500n, gwei / 50n]
    assert.deepEqual(await tipsOf([[least, usual, dear]]), [least, usual, dear])
    assert.deepEqual(await tipsOf([[1n, 2n, dear]]), [least, least, dear])
    // The first transaction of each block pays none, where that is the network's own.
    assert.deepEqual(await tipsOf([[0n, usual, dear]]), [usual, usual, dear])
    assert.deepEqual(await tipsOf([[dear, dear, dear], ...[0, 1].map(() => [0n, usual, usual])]), [
      ...[usual, usual, usual],
    ])
    assert.deepEqual(
      await tipsOf([[0n, 0n, 0n]]),
      [1, 2, 3].map(() => gwei / 10n),
    )
  })

  it('offer a small tip where nobody pays one', async () => {
    const quote = await quoteFees(history(['0x0', '0x0']), 'Standard')
    assert.equal(quote.maxPriorityFeePerGas, gwei / 10n)
  })
})

type Answers = Readonly<Record<string, unknown>>
type Params = readonly unknown[]

/** A node that gives one answer per method, or what that makes of the question, and knows no other method. */
function answering(answers: Answers): Rpc {
  return async (method, params) => {
    if (!Object.hasOwn(answers, method)) throw new Error(`not to be asked: ${method}`)
    const answer = answers[method]
    return typeof answer === 'function' ? answer(params) : answer
  }
}

function hexOf(value: number): string {
  return `0x${value.toString(16)}`
}
