import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { GetFeesResponse } from '@dfns/sdk/generated/networks/index.js'
import type { Network } from '@quorate/chains/adapter'
import { evmNetworks, evmRows as chainRows } from '@quorate/chains/networks/evm'
import { kebabOf } from '@quorate/chains/networks/kebab'
import { type EvmId, evmRows as signerRows, unnumberedIds } from '@quorate/effects/networks/evm'
import * as viem from 'viem/chains'

/** The client has no fees of Sei, whose networks it has all the same. */
type OfClient =
  | Extract<GetFeesResponse, { kind: 'Eip1559' }>['network']
  | 'SeiPacific1'
  | 'SeiAtlantic2'
type Missing = Exclude<OfClient, EvmId | (typeof unnumberedIds)[number]>

/** By chain id: what viem, which is made by others, says of the chain. */
const others = new Map(
  Object.values(viem)
    .filter((chain) => 'id' in chain && 'nativeCurrency' in chain)
    .map((chain): [number, OtherChain] => [chain.id, chain]),
)
type OtherChain = {
  readonly testnet?: boolean | undefined
  readonly contracts?: object | undefined
}
/** Not in viem's list: their chain ids were read in the networks' own documents. */
const notInViem = [
  'AdiTestnetAb',
  'EthereumClassicMordor',
  'Race',
  'RaceSepolia',
  'SonicTestnet',
  'TempoAndantino',
]

describe('the networks', () => {
  it('are all that the client knows of Ethereum’s kind', () => {
    // With one missing, this does not compile, and says which.
    const none: [Missing] extends [never] ? 'none' : Missing = 'none'
    assert.equal(none, 'none')
  })

  it('are the same in the tables of the signers and of the chains, but for whose they are', () => {
    const chainIds = (rows: Readonly<Record<string, readonly unknown[]>>, at: 0 | 1) =>
      Object.entries(rows).map(([id, row]) => [id, String(row[at])])
    assert.deepEqual(chainIds(signerRows, 0), chainIds(chainRows, 1))
  })

  it('have the chain ids that others give them', () => {
    const unknown = evmNetworks.filter(({ chainId }) => !others.has(chainId)).map(({ id }) => id)
    assert.deepEqual(unknown.sort(), notInViem)
    for (const { id, chainId, testnet } of evmNetworks) {
      const other = others.get(chainId)
      if (other !== undefined) assert.equal(other.testnet ?? false, testnet, id)
    }
  })

  it('take a fee for bytes where others know of a contract that tells it, and where its own documents say so', () => {
    const isOpStack = ({ chainId }: Network) =>
      Object.hasOwn(others.get(chainId)?.contracts ?? {}, 'gasPriceOracle')
    const by = (is: (network: Network) => boolean) => evmNetworks.filter(is).map(({ id }) => id)
    const known = by(isOpStack)
    assert.ok(known.includes('Base') && known.includes('InkSepolia'))
    const own = ['Celo', 'Race', 'RaceSepolia', 'XLayer', 'XLayerSepolia']
    assert.deepEqual(
      by(({ dataFee }) => dataFee === 'OpStack'),
      by((network) => isOpStack(network) || own.includes(network.id)),
    )
  })

  it('have a coin, but for those of Tempo', () => {
    const without = evmNetworks.filter(({ noCoin }) => noCoin).map(({ id }) => id)
    assert.deepEqual(without, ['Tempo', 'TempoAndantino', 'TempoModerato'])
  })

  it('pay fees in what the chain’s native asset is', () => {
    for (const [id, [, asset]] of Object.entries(signerRows)) {
      const symbol = evmNetworks.find((network) => network.id === id)?.nativeAsset.symbol ?? ''
      const named: Record<string, string> = { METC: 'ETC', C2FLR: 'FLR', MATIC: 'POL', USDC: 'USD' }
      assert.equal(named[symbol] ?? symbol, asset, id)
    }
  })

  it('have ids of their own in paths', () => {
    const kebabs = evmNetworks.map(({ id }) => kebabOf(id))
    assert.equal(new Set(kebabs).size, evmNetworks.length)
    for (const [id, kebab] of [
      ['EthereumSepolia', 'ethereum-sepolia'],
      ['AvalancheCFuji', 'avalanche-c-fuji'],
      ['BerachainBArtio', 'berachain-b-artio'],
      ['SeiPacific1', 'sei-pacific-1'],
      ['XLayer', 'x-layer'],
    ] as const)
      assert.equal(kebabOf(id), kebab)
  })
})
