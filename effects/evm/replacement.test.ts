import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fromHex, toHex } from '@quorate/core/bytes'
import type { EvmFacts } from '../facts.ts'
import { readIntent, type TransactionIntent, type TransferIntent } from '../intent.ts'
import { tableNetworks } from '../networks.ts'
import { plan } from '../plan.ts'
import type { ReplacementIntent } from '../replacement.ts'
import { addressOfKey } from './address.ts'
import { decodeUnsigned, encodeUnsigned } from './transaction.ts'

/** The generator of secp256k1 (SEC 2). */
const publicKey = fromHex('0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798')
const network = tableNetworks.find('EthereumSepolia') ?? assert.fail()
const chainId = 11_155_111n
const to = `0x${'77'.repeat(20)}`
const facts: EvmFacts = {
  ...{ family: 'evm', nonce: 7n, gasLimit: 60_000n },
  ...{ maxFeePerGas: 22n, maxPriorityFeePerGas: 3n },
}

function effectOf(intent: ReplacementIntent, given: EvmFacts = facts) {
  const made = plan({
    ...{ network, publicKey, scheme: 'ECDSA', curve: 'secp256k1', intent, facts: given },
  })
  return made.ok ? made.effect : made.reason
}

function transactionOf(intent: ReplacementIntent, given?: EvmFacts) {
  const effect = effectOf(intent, given)
  if (typeof effect === 'string' || effect.unsigned === undefined) return assert.fail(`${effect}`)
  return { effect, tx: decodeUnsigned(effect.unsigned) }
}

function original(kind: 'transfer' | 'transaction', body: object) {
  const read = readIntent(kind, JSON.stringify(body))
  if (!read.ok) return assert.fail(read.reason)
  return { kind: 'speedUp', original: read.intent as TransferIntent | TransactionIntent } as const
}

describe('a cancellation', () => {
  it('sends nothing to the wallet itself, and costs its fee', () => {
    const { tx, effect } = transactionOf({ kind: 'cancellation' })
    assert.deepEqual(tx, {
      ...{ type: 2, chainId, nonce: 7n, gasLimit: 60_000n },
      ...{ maxFeePerGas: 22n, maxPriorityFeePerGas: 3n, accessList: [] },
      ...{ to: fromHex(addressOfKey(publicKey).slice(2).toLowerCase()), value: 0n },
      data: new Uint8Array(),
    })
    const fee = { asset: 'EthereumSepolia/Native', amount: 60_000n * 22n }
    assert.deepEqual(effect.outflow, { isKnown: true, isRaw: false, movements: [], fee })
    assert.deepEqual(effectOf({ kind: 'speedUp', original: undefined }), effect)
  })
})

describe('a speed-up', () => {
  it('is none of what somebody else pays for, whose transaction is not its account’s', () => {
    const paid = { kind: 'Native', to, amount: '5', feeSponsorId: 'fs-1' }
    const userOperations = [{ to, value: '5' }]
    const several = { kind: 'UserOperations', userOperations, feeSponsorId: 'fs-1' }
    const none = 'what somebody else pays for is not sped up'
    assert.equal(effectOf(original('transfer', paid)), none)
    assert.equal(effectOf(original('transaction', several)), none)
  })

  it('is the transfer that it was, for other fees', () => {
    const payment = original('transfer', { kind: 'Native', to, amount: '5' })
    const { tx, effect } = transactionOf(payment)
    assert.deepEqual(
      [tx.nonce, tx.value, toHex(tx.to ?? new Uint8Array())],
      [7n, 5n, '77'.repeat(20)],
    )
    assert.deepEqual(effect.outflow.movements, [
      { asset: 'EthereumSepolia/Native', to, amount: 5n },
    ])
    const contract = `0x${'88'.repeat(20)}`
    const token = transactionOf(original('transfer', { kind: 'Erc20', to, contract, amount: '5' }))
    assert.equal(token.effect.outflow.movements[0]?.asset, `EthereumSepolia/Erc20/${contract}`)
  })

  it('is the transaction that it was, whatever fees its payload named', () => {
    const transaction = { to, data: '0x1234', value: '9', maxFeePerGas: '1' }
    const { tx } = transactionOf(
      original('transaction', {
        kind: 'Transaction',
        transaction: { ...transaction, maxPriorityFeePerGas: '1' },
      }),
    )
    assert.ok(tx.type === 2)
    assert.deepEqual([tx.maxFeePerGas, tx.maxPriorityFeePerGas, tx.value], [22n, 3n, 9n])
    assert.equal(toHex(tx.data), '1234')
    const fixed = { kind: 'Transaction', transaction: { to, nonce: 8, gasLimit: 60_000 } }
    assert.equal(effectOf(original('transaction', fixed)), 'the facts change nonce')
    const limited = { kind: 'Transaction', transaction: { to, gasLimit: 21_000 } }
    assert.equal(effectOf(original('transaction', limited)), 'the facts change gasLimit')
  })

  it('is the bytes that it was, but for their fees', () => {
    const common = { chainId, nonce: 7n, gasLimit: 60_000n, to: fromHex('77'.repeat(20)) }
    const shared = { ...common, value: 4n, data: fromHex('abcd') }
    const whole = (tx: Parameters<typeof encodeUnsigned>[0]) =>
      original('transaction', {
        ...{ kind: 'Transaction', transaction: `0x${toHex(encodeUnsigned(tx))}` },
      })
    const accessList = [{ address: fromHex('55'.repeat(20)), keys: [new Uint8Array(32)] }]
    const dynamic = { type: 2, ...shared, accessList } as const
    const bytes = whole({ ...dynamic, maxFeePerGas: 9n, maxPriorityFeePerGas: 1n })
    assert.deepEqual(transactionOf(bytes).tx, {
      ...{ ...dynamic, maxFeePerGas: 22n, maxPriorityFeePerGas: 3n },
    })
    const legacy = whole({ type: 0, ...shared, gasPrice: 9n })
    const priced = { ...facts, maxFeePerGas: 0n, maxPriorityFeePerGas: 0n, gasPrice: 10n }
    assert.deepEqual(transactionOf(legacy, priced).tx, { type: 0, ...shared, gasPrice: 10n })
    assert.equal(effectOf(legacy), 'facts of another transaction type')
    assert.equal(effectOf(bytes, priced), 'facts of another transaction type')
    assert.equal(effectOf(bytes, { ...facts, nonce: 8n }), 'the facts change nonce')
    assert.equal(effectOf(bytes, { ...facts, gasLimit: 1n }), 'the facts change gasLimit')
  })
})
