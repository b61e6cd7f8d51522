import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { sepolia } from 'viem/chains'
import { tableNetworks, pseudoNetworkOf } from './networks.ts'
import { evmRows, unnumberedIds } from './networks/evm.ts'

const gwei = 10n ** 9n
/** Where a gas price is usually far above one gwei. */
const usualGasPrices: Readonly<Record<string, bigint>> = {
  Polygon: 50n * gwei,
  Plume: 1_000n * gwei,
  Sonic: 60n * gwei,
  FlareC: 60n * gwei,
  FlowEvm: 100n * gwei,
  Celo: 50n * gwei,
  SeiPacific1: 50n * gwei,
  Xdc: 15n * gwei,
  ArcTestnet: 160n * gwei,
}

describe('the signers’ copy of the networks', () => {
  it('has the chain id of Sepolia, and lets nothing raw be signed in its wallets', () => {
    const network = tableNetworks.find('EthereumSepolia')
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
    for (const id of ['Bitcoin', 'ethereumsepolia', '__proto__', '', ...unnumberedIds])
      assert.equal(tableNetworks.find(id), undefined)
  })

  it('gives each chain one network, whose transactions name it', () => {
    const networks = Object.keys(evmRows).map((id) => tableNetworks.find(id))
    const chainIds = networks.map((network) => network?.family === 'evm' && network.chainId)
    assert.equal(new Set(chainIds).size, networks.length)
    assert.ok(networks.every((network) => network?.separated && !network.rawAllowed))
  })

  it('has retired what nothing new begins on, and knows who has no fee market', () => {
    const retired = ['EthereumGoerli', 'EthereumHolesky', 'PolygonMumbai', 'TempoAndantino']
    for (const id of retired) assert.equal(tableNetworks.find(id)?.isRetired, true, id)
    for (const id of ['Ethereum', 'Base', 'KeyECDSA'])
      assert.equal(tableNetworks.find(id)?.isRetired, false, id)
    const legacy = Object.keys(evmRows).filter((id) => {
      const network = tableNetworks.find(id)
      return network?.family === 'evm' && network.isLegacy
    })
    assert.deepEqual(legacy, ['EthereumClassic', 'EthereumClassicMordor'])
  })

  it('lets no ceiling be lower than what a contract’s call costs on a busy day', () => {
    // Two million gas at ten times of what the dearest of them by gas usually asks.
    for (const [id, network] of Object.keys(evmRows).map(
      (id) => [id, tableNetworks.find(id)] as const,
    )) {
      const usual = usualGasPrices[id] ?? gwei
      assert.ok(network?.family === 'evm' && network.feeCeiling >= 2_000_000n * usual * 10n, id)
    }
  })
})
