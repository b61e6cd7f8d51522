import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { serializeTransaction } from 'viem'
import { fromHex } from '@quorate/core/bytes'
import type { OwnNetwork } from '@quorate/authority/manifest'
import type { PlanAsk } from '@quorate/authority/reduce/judging'
import { makeCluster } from '@quorate/authority/testing/world'
import { encodeFacts, noFacts } from '@quorate/effects/facts'
import { evmRows, unnumberedIds } from '@quorate/effects/networks/evm'
import { networksOf } from './networks.ts'
import { rulesFor } from './rules.ts'

const gwei = 10n ** 9n
const own: OwnNetwork = {
  ...{ id: 'MyChain', chainId: 777_001, legacy: false },
  feeCeiling: 21_000n * 10n * gwei,
}
const withOwn = (...networks: readonly OwnNetwork[]) => makeCluster(undefined, networks).manifest
const rules = rulesFor(withOwn(own))
const bare = rulesFor(withOwn())

/** The generator of secp256k1 (SEC 2). */
const publicKey = fromHex('0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798')
const to = `0x${'77'.repeat(20)}` as const
const facts = (price: bigint) =>
  encodeFacts({
    ...{ family: 'evm', nonce: 7n, gasLimit: 21_000n },
    ...{ maxFeePerGas: price, maxPriorityFeePerGas: 1n },
  })
const transfer: PlanAsk = {
  operation: 'wallets.transferAsset',
  payload: JSON.stringify({ kind: 'Native', to, amount: '5' }),
  network: own.id,
  ...{ scheme: 'ECDSA', curve: 'secp256k1', untweaked: false, publicKey, rawAllowed: false },
  maxFee: own.feeCeiling * 2n,
  facts: facts(gwei),
}
const reason = (made: ReturnType<typeof rules.plan>) => (made.ok ? undefined : made.reason)

describe('the networks of a cluster', () => {
  it('are those of everybody and those of its manifest, and of no other manifest', () => {
    assert.equal(reason(rules.plan(transfer)), undefined)
    assert.equal(reason(rules.plan({ ...transfer, network: 'Base' })), undefined)
    assert.equal(reason(bare.plan(transfer)), 'the network is unknown')
    assert.deepEqual(
      [rules.networkOf(own.id)?.separated, bare.networkOf(own.id)],
      [true, undefined],
    )
  })

  it('have the chain that was signed for, and the ceiling', () => {
    const made = rules.plan(transfer)
    const sepolia = rules.plan({ ...transfer, network: 'EthereumSepolia' })
    assert.ok(made.ok && sepolia.ok)
    assert.equal(made.network, own.id)
    assert.notDeepEqual(made.digests, sepolia.digests)
    assert.equal(reason(rules.plan({ ...transfer, facts: facts(10n * gwei) })), undefined)
    const above = rules.plan({ ...transfer, facts: facts(10n * gwei + 1n) })
    assert.match(reason(above) ?? '', /above/)
  })

  it('take transactions of type 0 alone where there is no fee market', () => {
    const old = rulesFor(withOwn({ ...own, legacy: true }))
    assert.ok(!old.plan(transfer).ok)
    const priced = { family: 'evm', nonce: 7n, gasLimit: 21_000n, gasPrice: gwei } as const
    const asked = encodeFacts({ ...priced, maxFeePerGas: 0n, maxPriorityFeePerGas: 0n })
    assert.equal(reason(old.plan({ ...transfer, facts: asked })), undefined)
    assert.deepEqual(
      [old, rules].map(({ networkOf }) => networkOf(own.id)?.hasSponsors),
      [false, true],
    )
  })

  it('have their coin moved by the contract that the manifest names', () => {
    const contract = `0x${'c0'.repeat(20)}`
    const nativeContract = { address: contract, units: 10n ** 12n }
    const dual = rulesFor(withOwn({ ...own, nativeContract }))
    const payload = JSON.stringify({ kind: 'Erc20', contract, to, amount: '5' })
    const asset = (made: ReturnType<typeof rules.plan>) => made.ok && made.outflow.movements
    assert.deepEqual(asset(dual.plan({ ...transfer, payload })), [
      { asset: 'MyChain/Native', to, amount: 5n * 10n ** 12n },
    ])
    assert.deepEqual(asset(rules.plan({ ...transfer, payload })), [
      { asset: `MyChain/Erc20/${contract}`, to, amount: 5n },
    ])
  })

  it('are found by the chain that bytes name, where a key signs without a wallet', () => {
    const transaction = serializeTransaction({
      ...{ type: 'eip1559', chainId: own.chainId, to, value: 5n, nonce: 7, gas: 21_000n },
      ...{ maxFeePerGas: gwei, maxPriorityFeePerGas: 1n },
    })
    const ask: PlanAsk = {
      ...transfer,
      ...{ operation: 'keys.generateSignature', network: '', facts: encodeFacts(noFacts) },
      payload: JSON.stringify({ kind: 'Transaction', blockchainKind: 'Evm', transaction }),
    }
    const [made, unknown] = [rules.plan(ask), bare.plan(ask)]
    assert.ok(made.ok)
    assert.deepEqual([made.network, made.digests.length], [own.id, 1])
    assert.ok(!unknown.ok)
  })

  it('cannot be called like another, with whatever capitals', () => {
    for (const id of [
      'Base',
      'BASE',
      'KeyECDSA',
      'KeySchnorr',
      'KeyDH',
      'Keydh',
      'Ethereumsepolia',
    ])
      assert.throws(() => networksOf(withOwn({ ...own, id })), /another network/, id)
    for (const id of unnumberedIds) assert.ok(networksOf(withOwn({ ...own, id })).find(id))
  })

  it('cannot be on the chain of another', () => {
    for (const [chainId] of Object.values(evmRows))
      assert.throws(
        () => networksOf(withOwn({ ...own, chainId: Number(chainId) })),
        /another network/,
      )
    assert.throws(() => rulesFor(withOwn({ ...own, chainId: 1 })), /another network on chain/)
  })
})
