import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { sepolia } from 'viem/chains'
import { findNetwork, pseudoNetworkOf } from './networks.ts'

describe('the signers’ copy of the networks', () => {
  it('has the chain id of Sepolia, and lets nothing raw be signed in its wallets', () => {
    const network = findNetwork('EthereumSepolia')
    assert.ok(network?.family === 'evm')
    assert.equal(network.chainId, BigInt(sepolia.id))
    assert.deepEqual([network.rawAllowed, network.separated], [false, true])
  })

  it('has pseudo networks that sign raw and share a key with no other', () => {
    for (const [scheme, curve] of [
      ['ECDSA', 'secp256k1'],
      ['ECDSA', 'stark'],
      ['EdDSA', 'ed25519'],
    ] as const) {
      const network = pseudoNetworkOf({ scheme, curve })
      assert.deepEqual(
        [network.family, network.scheme, network.curve, network.rawAllowed, network.separated],
        ['pseudo', scheme, curve, true, false],
      )
    }
  })

  it('knows no others, whatever their name', () => {
    for (const id of ['Ethereum', 'ethereumsepolia', '__proto__', ''])
      assert.equal(findNetwork(id), undefined)
  })
})
