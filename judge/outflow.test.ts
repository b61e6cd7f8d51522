import type { Outflow } from '@quorate/core/outflow'
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fromHex } from '@quorate/core/bytes'
import { type Facts, noFacts } from '@quorate/effects/facts'
import { readIntent, type UseOperation } from '@quorate/effects/intent'
import { tableNetworks } from '@quorate/effects/networks'
import { nativeContracts, evmRows } from '@quorate/effects/networks/evm'
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

/** Twice the generator. */
const sponsor = fromHex('02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5')
const sponsored = { request: new Uint8Array(32), executeBefore: 1_000, sponsor }

/** What effects says leaves is what policy looks at: one type, though neither room knows the other. */
function outflowOf(
  operation: UseOperation,
  payload: object,
  facts: Facts = noFacts,
  on = 'EthereumSepolia',
): Outflow {
  const network = tableNetworks.find(on)
  const read = readIntent(operation, JSON.stringify(payload))
  assert.ok(network && read.ok)
  const planned = plan({
    ...{ network, publicKey, scheme: 'ECDSA', curve: 'secp256k1', intent: read.intent, facts },
    sponsored: facts.family === 'sponsored' ? sponsored : undefined,
  })
  assert.ok(planned.ok, planned.ok ? '' : planned.reason)
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
    hasMoved: () => false,
  }
  const at = { facts: { prices: [], screenings: [] }, spending, time: 0 }
  return evaluate([{ id: 'plc-1', policy }], activity, at).verdict === 'deny'
}

const native = (limit: bigint, on = 'EthereumSepolia'): Rule => {
  return { kind: 'TransactionAssetLimit', asset: `${on}/Native`, limit }
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

describe('what policies see of a network’s own coin that a contract moves', () => {
  const permit2 = '0x000000000022d473030f116ddee9f6b43ac78ba3'
  const word = (value: bigint) => value.toString(16).padStart(64, '0')
  const call = (selector: string, amount: bigint) =>
    `0x${selector}${word(BigInt(to))}${word(amount)}`
  const members = (text: string) =>
    text.split(', ').map((member) => {
      const [type, name] = member.split(' ')
      return { name, type }
    })

  /** Each lets five of the contract's units leave, at once or later. */
  function ways(
    contract: string,
    chainId: number,
    on: string,
  ): readonly (readonly [string, Outflow])[] {
    const transaction = (data: string) =>
      outflowOf(
        'transaction',
        { kind: 'Transaction', transaction: { to: contract, data } },
        gas,
        on,
      )
    const permit = outflowOf(
      'signature',
      {
        kind: 'Eip712',
        types: {
          Permit: members(
            'address owner, address spender, uint256 value, uint256 nonce, uint256 deadline',
          ),
        },
        domain: { chainId, verifyingContract: contract },
        message: { owner: to, spender: to, value: '5', nonce: 0, deadline: 1 },
      },
      noFacts,
      on,
    )
    const permit2Transfer = outflowOf(
      'signature',
      {
        kind: 'Eip712',
        types: {
          PermitTransferFrom: members(
            'TokenPermissions permitted, address spender, uint256 nonce, uint256 deadline',
          ),
          TokenPermissions: members('address token, uint256 amount'),
        },
        domain: { chainId, verifyingContract: permit2 },
        message: {
          ...{ permitted: { token: contract, amount: '5' }, spender: to },
          ...{ nonce: 0, deadline: 1 },
        },
      },
      noFacts,
      on,
    )
    const operations = [{ to: contract, data: call('a9059cbb', 5n) }]
    const asked = { kind: 'UserOperations', feeSponsorId: 'fs-1', userOperations: operations }
    return [
      ['transfer', outflowOf('transfer', { kind: 'Erc20', contract, to, amount: '5' }, gas, on)],
      ['call', transaction(call('a9059cbb', 5n))],
      ['approval', transaction(call('095ea7b3', 5n))],
      ['permit', permit],
      ['permit of Permit2', permit2Transfer],
      ['operation', outflowOf('transaction', asked, { family: 'sponsored' }, on)],
    ]
  }

  it('is the coin, in the coin’s units, however it leaves', () => {
    assert.deepEqual(Object.keys(nativeContracts).toSorted(), [
      ...['Arc', 'ArcTestnet', 'Celo', 'CeloAlfajores', 'CeloSepolia'],
      ...['Polygon', 'PolygonAmoy', 'PolygonMumbai'],
    ])
    for (const [on, { address, units }] of Object.entries(nativeContracts)) {
      const [chainId] = evmRows[on as keyof typeof evmRows]
      for (const [way, outflow] of ways(address, Number(chainId), on)) {
        const most = 5n * units + (outflow.fee?.amount ?? 0n)
        assert.equal(isTriggered(native(most, on), outflow), false, `${on}: ${way}`)
        assert.equal(isTriggered(native(most - 1n, on), outflow), true, `${on}: ${way}`)
        assert.equal(isTriggered(only(to), outflow), false, `${on}: ${way}`)
      }
    }
  })

  it('is nothing of it on another network, whose contract at that address is its own', () => {
    const contract = nativeContracts.Celo?.address ?? assert.fail()
    for (const [way, outflow] of ways(contract, 11155111, 'EthereumSepolia'))
      assert.equal(isTriggered(native(fee), outflow), false, way)
  })

  it('is unknown where the contract is asked for a piece of a collection', () => {
    for (const [on, { address: contract }] of Object.entries(nativeContracts)) {
      const body = { kind: 'Erc721', contract, to, tokenId: '5' }
      assert.equal(isTriggered(native(2n ** 255n, on), outflowOf('transfer', body, gas, on)), true)
    }
  })
})
