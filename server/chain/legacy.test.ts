import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { evm } from '@quorate/chains/evm/index'
import { findEvmNetwork } from '@quorate/chains/networks/evm'
import { fromHex, toHex } from '@quorate/core/bytes'
import { addressOf } from '@quorate/effects/address'
import { tableNetworks } from '@quorate/effects/networks'
import { evmNetwork } from './chains.ts'
import { parseTransaction, serializeTransaction } from 'viem'
import { askOf, checkIntent, planned, readableIntent } from './ask.ts'

/** The generator of secp256k1 (SEC 2, section 2.4.1): the key whose secret is 1. */
const publicKey = fromHex('0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798')
const network = 'EthereumClassic'
const traits = evmNetwork(tableNetworks, network)
const payer = {
  network: traits,
  publicKey,
  address: addressOf(tableNetworks, network, publicKey) ?? '',
}
const to = '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed'
const gasPrice = 10n ** 9n
const facts = { family: 'evm', nonce: 7n, gasLimit: 21_000n, gasPrice } as const
const noMarket = { maxFeePerGas: 0n, maxPriorityFeePerGas: 0n }

const transfer = (body: object) => readableIntent('transfer', JSON.stringify(body))
const transaction = (asked: object | string) =>
  readableIntent('transaction', JSON.stringify({ kind: 'Transaction', transaction: asked }))

describe('on a network without a fee market', () => {
  it('a transfer is of type 0 for the signers and for the chain’s library, byte for byte', () => {
    for (const body of [
      { kind: 'Native', to, amount: '5' },
      { kind: 'Erc20', to, amount: '5', contract: to },
    ]) {
      const intent = transfer(body)
      const { unsigned = new Uint8Array() } = planned(payer, intent, { ...facts, ...noMarket })
      const [ask, known] = [askOf(intent, payer), findEvmNetwork(network)]
      assert.ok(ask?.type === 0 && known)
      assert.deepEqual(evm.build(known, ask, { ...facts, ...noMarket }).bytes, unsigned)
      const read = parseTransaction(`0x${toHex(unsigned)}`)
      assert.deepEqual([read.type, read.chainId, read.gasPrice], ['legacy', 61, gasPrice])
    }
  })

  it('no transaction is signed that the network would not take', () => {
    checkIntent(payer, transaction({ type: 0, to, value: '1' }))
    const shared = { chainId: 61, nonce: 7, gas: 21_000n, to, value: 1n } as const
    const market = { maxFeePerGas: gasPrice, maxPriorityFeePerGas: gasPrice }
    const whole = serializeTransaction({ type: 'eip1559', ...shared, ...market })
    checkIntent(payer, transaction(serializeTransaction({ type: 'legacy', ...shared, gasPrice })))
    for (const asked of [{ type: 2, to, value: '1' }, whole])
      assert.throws(() => checkIntent(payer, transaction(asked)), { code: 'body.malformed' })
    assert.throws(() => planned(payer, transaction(whole), { family: 'none' }), {
      context: {
        issues: [
          {
            path: 'body',
            message: 'this network has no fee market, and takes transactions of type 0',
          },
        ],
      },
    })
  })

  it('a transaction that names no type is of type 0 too, for both, and of type 2 elsewhere', () => {
    const unnamed = { to, value: '1' }
    const evmKind = readableIntent('transaction', JSON.stringify({ kind: 'Evm', ...unnamed }))
    const base = { ...payer, network: evmNetwork(tableNetworks, 'Base') }
    for (const intent of [evmKind, transaction(unnamed)]) {
      checkIntent(payer, intent)
      const { unsigned = new Uint8Array() } = planned(payer, intent, { ...facts, ...noMarket })
      const [ask, known] = [askOf(intent, payer), findEvmNetwork(network)]
      assert.ok(ask?.type === 0 && known)
      assert.deepEqual(evm.build(known, ask, { ...facts, ...noMarket }).bytes, unsigned)
      assert.equal(askOf(intent, base)?.type, 2)
      checkIntent(base, intent)
    }
    assert.equal(askOf(transaction({ ...unnamed, gasPrice: '5' }), payer)?.gasPrice, 5n)
  })

  it('fees of a market are refused as those of type 2, whatever bears them', () => {
    const fees = { to, value: '1', maxFeePerGas: '5' }
    const named = readableIntent('transaction', JSON.stringify({ kind: 'Eip1559', to, value: '1' }))
    for (const intent of [transaction(fees), named])
      assert.throws(() => checkIntent(payer, intent), {
        context: {
          issues: [
            {
              path: 'body',
              message: 'this network has no fee market, and takes transactions of type 0',
            },
          ],
        },
      })
  })

  it('elsewhere a transfer is of type 2', () => {
    const intent = transfer({ kind: 'Native', to, amount: '5' })
    assert.equal(askOf(intent, { ...payer, network: evmNetwork(tableNetworks, 'Base') })?.type, 2)
  })
})
