import type { Outflow } from '@quorate/core/outflow'
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fromHex } from '@quorate/core/bytes'
import { type Facts, noFacts } from '@quorate/effects/facts'
import { readIntent, type UseOperation } from '@quorate/effects/intent'
import { tableNetworks } from '@quorate/effects/networks'
import { plan } from '@quorate/effects/plan'
import { evaluate } from '@quorate/policy/evaluate'
import type { Policy, Rule } from '@quorate/policy/policy'

/** The generator of secp256k1 (SEC 2). */
const publicKey = fromHex('0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798')
const to = `0x${'77'.repeat(20)}`
const gas: Facts = {
  ...{ family: 'evm', nonce: 7n, gasLimit: 21_000n, maxFeePerGas: 2n, maxPriorityFeePerGas: 1n },
}
const fee = 42_000n

/** What effects says leaves is what policy looks at: one type, though neither room knows the other. */
function outflowOf(operation: UseOperation, payload: object, facts: Facts = noFacts): Outflow {
  const network = tableNetworks.find('EthereumSepolia')
  const read = readIntent(operation, JSON.stringify(payload))
  assert.ok(network && read.ok)
  const planned = plan({
    ...{ network, publicKey, scheme: 'ECDSA', curve: 'secp256k1', intent: read.intent, facts },
  })
  assert.ok(planned.ok)
  return planned.effect.outflow
}

function isTriggered(rule: Rule, outflow: Outflow): boolean {
  const policy: Policy = {
    name: 'x',
    activityKind: 'Wallets:Sign',
    rule,
    action: { kind: 'Block' },
    filters: { ids: undefined, hasAny: undefined, hasAll: undefined },
  }
  const counting = { isCounted: false, excess: undefined }
  const activity = { kind: 'Wallets:Sign', wallets: [], outflow, ...counting } as const
  const spending = {
    uses: () => ({ count: 0, micros: 0n, unpriced: 0, unknown: 0 }),
    asset: () => 0n,
  }
  const at = { facts: { prices: [], screenings: [] }, spending, time: 0 }
  return evaluate([{ id: 'plc-1', policy }], activity, at).verdict === 'deny'
}

const native = (limit: bigint): Rule => {
  return { kind: 'TransactionAssetLimit', asset: 'EthereumSepolia/Native', limit }
}
const only = (address: string): Rule => {
  return { kind: 'TransactionRecipientWhitelist', addresses: [address] }
}

describe('what policies see of an effect', () => {
  it('is the value of a transfer with its fee, and the recipient in lower case', () => {
    const outflow = outflowOf('transfer', { kind: 'Native', to, amount: '5' }, gas)
    assert.equal(isTriggered(native(5n + fee), outflow), false)
    assert.equal(isTriggered(native(4n + fee), outflow), true)
    assert.equal(isTriggered(only(to), outflow), false)
    assert.equal(isTriggered(only(to.replace('7', '8')), outflow), true)
  })

  it('is what a token is to move, to whom the token pays, by the token’s own contract', () => {
    const contract = `0x${'99'.repeat(20)}`
    const limit = (kind: string, most: bigint): Rule => {
      const asset = `EthereumSepolia/${kind}/${contract}`
      return { kind: 'TransactionAssetLimit', asset, limit: most }
    }
    for (const [body, most] of [
      [{ kind: 'Erc20', amount: '5' }, 5n],
      [{ kind: 'Erc721', tokenId: '900' }, 1n],
      [{ kind: 'Erc1155', tokenId: '900', amount: '5' }, 5n],
    ] as const) {
      const outflow = outflowOf('transfer', { ...body, contract, to }, gas)
      assert.equal(isTriggered(limit(body.kind, most), outflow), false)
      assert.equal(isTriggered(limit(body.kind, most - 1n), outflow), true)
      assert.equal(isTriggered(native(fee), outflow), false)
      assert.equal(isTriggered(only(to), outflow), false)
      assert.equal(isTriggered(only(contract), outflow), true)
    }
  })

  it('is the allowance of an approval, to whoever may take it', () => {
    const spender = '88'.repeat(20)
    const data = `0x095ea7b3${spender.padStart(64, '0')}${'5'.padStart(64, '0')}`
    const outflow = outflowOf(
      'transaction',
      { kind: 'Transaction', transaction: { to, data } },
      gas,
    )
    const token = (limit: bigint): Rule => {
      return { kind: 'TransactionAssetLimit', asset: `EthereumSepolia/Erc20/${to}`, limit }
    }
    assert.equal(isTriggered(token(5n), outflow), false)
    assert.equal(isTriggered(token(4n), outflow), true)
    assert.equal(isTriggered(only(`0x${spender}`), outflow), false)
    assert.equal(isTriggered(only(to), outflow), true)
  })

  it('is nothing that a limit could let pass when nobody can tell what leaves', () => {
    const types = { Permit: [{ name: 'value', type: 'uint256' }] }
    const domain = { chainId: 11155111, verifyingContract: to }
    const multicall = { to, data: `0xac9650d8${'00'.repeat(64)}` }
    for (const outflow of [
      outflowOf('signature', { kind: 'Eip712', types, domain, message: { value: 1 } }),
      outflowOf('signature', { kind: 'Message', message: `0x${'11'.repeat(32)}` }),
      outflowOf('signature', { kind: 'Hash', hash: `0x${'11'.repeat(32)}` }),
      outflowOf('transaction', { kind: 'Transaction', transaction: multicall }, gas),
      outflowOf('signature', { kind: 'Transaction', transaction: multicall }, gas),
    ]) {
      assert.equal(isTriggered(native(2n ** 255n), outflow), true)
      assert.equal(isTriggered(only(to), outflow), true)
    }
  })
})
