import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { DfnsApiClient } from '@dfns/sdk'
import { startEthereum, type RunningEthereum } from '@quorate/devnet/ethereum'
import { deploy } from '@quorate/devnet/testing/deploy'
import { type Address, parseEther } from 'viem'
import { chainAt } from '../chain.ts'
import { plainClient } from '../checked-client.ts'
import { ownFiles, type Platform, until } from '../platform.ts'
import { startReceiver, type Receiver } from '../receiver.ts'
import { tell } from './facts.ts'
import { makePolicy } from './held.ts'
import { confirmed, confirmedMsMax, recipient } from './transfers.ts'

/** The types of the official client name the networks of its makers, and none of anybody's own. */
const id = 'MyChain'
const network = id as never
const chainId = 777_001
const shown = { symbol: 'MINE', decimals: 18, verified: true }

/** A chain that this platform alone knows, with a real node, and what an operator writes of it. */
export type OwnNetwork = {
  start(): Promise<void>
  stop(): Promise<void>
  node(): RunningEthereum
  /** For the next start: its words stay. */
  takeNodesAway(): void
  /** The wallet that was made on it. */
  walletId: string
}

export function openOwnNetwork({ dataDir }: Platform): OwnNetwork {
  const documented = documentedFiles()
  let running: RunningEthereum | undefined
  const node = () => running ?? assert.fail('the node runs')
  // Not in the platform's own folder: of what runs there nothing is to be left.
  const chainDir = mkdtempSync(join(tmpdir(), 'quorate-own-chain-'))
  return {
    start: async () => {
      running = await startEthereum({ dataDir: chainDir, chainId })
      const { networks, nodes } = ownFiles(dataDir)
      writeFileSync(networks, JSON.stringify(documented.networks))
      const { rpcUrl } = node()
      writeFileSync(nodes, JSON.stringify({ [id]: { ...documented.nodes[id], rpcUrl } }))
    },
    stop: async () => {
      await running?.stop()
      rmSync(chainDir, { recursive: true, force: true })
    },
    node,
    takeNodesAway: () => {
      const { rpcUrl, ...words } = documented.nodes[id]
      assert.ok(rpcUrl)
      writeFileSync(ownFiles(dataDir).nodes, JSON.stringify({ [id]: words }))
    },
    walletId: '',
  }
}

type Documented = {
  readonly networks: object
  readonly nodes: { readonly [id]: { rpcUrl: string } }
}

/** The first example of `docs/own-networks.md` and the last, as they stand there: one of each file. */
function documentedFiles(): Documented {
  const page = readFileSync(new URL('../../docs/own-networks.md', import.meta.url), 'utf8')
  const examples = [...page.matchAll(/```json\n([^]*?)```/g)].map(([, json = '']) =>
    JSON.parse(json),
  )
  return { networks: examples.at(0), nodes: examples.at(-1) }
}

const clientOf = (platform: Platform): DfnsApiClient =>
  plainClient(platform.bootstrap(), platform.bootstrap().serviceAccount)

export function ownNetwork(platform: Platform, own: OwnNetwork): void {
  describe('a network that only this platform has', () => {
    let receiver: Receiver
    let sdk: DfnsApiClient
    let wallet: { readonly walletId: string; readonly address: Address }
    before(async () => {
      receiver = await startReceiver()
      sdk = clientOf(platform)
      await sdk.webhooks.createWebhook({ body: { url: receiver.url, events: ['*'] } })
      const made = await sdk.wallets.createWallet({ body: { network } })
      assert.deepEqual(await sdk.wallets.getWallet({ walletId: made.id }), made)
      own.walletId = made.id
      wallet = { walletId: made.id, address: made.address as Address }
      await chainAt(own.node()).fund(wallet.address, '2')
    })
    after(() => receiver.close())
    const told = (of: string) =>
      receiver.heard.flatMap(({ body }) => {
        const { kind, data } = JSON.parse(body)
        return kind === of && body.includes(wallet.walletId) ? [data] : []
      })

    it('says what a transaction costs', async () => {
      const fees = await sdk.networks.getFees({ query: { network } })
      assert.ok(fees.kind === 'Eip1559' && BigInt(fees.fast.maxFeePerGas) > 0n)
      assert.equal(fees.network, id)
    })

    it('has coins and its own asset come and go, in history, assets and events', async () => {
      const { walletId, address } = wallet
      const coin = await deploy(chainAt(own.node()).rpc, 'Coin', ['Gold', 'GLD', 6])
      await coin.invoke('mint', [address, 1_000n])
      const native = { kind: 'Native', to: recipient, amount: '5' } as const
      const paid = await sdk.wallets.transferAsset({ walletId, body: native })
      assert.deepEqual(paid.metadata.asset, shown)
      const coins = { kind: 'Erc20', contract: coin.address, to: recipient, amount: '400' } as const
      const moved = await sdk.wallets.transferAsset({ walletId, body: coins })
      const first = await confirmed(sdk, { walletId, transferId: paid.id })
      const second = await confirmed(sdk, { walletId, transferId: moved.id })
      assert.equal(await coin.ask('balanceOf', [recipient]), 400n)
      const history = async () => (await sdk.wallets.getWalletHistory({ walletId })).items
      const isWhole = async () => (await history()).length === movements.length
      await until('history tells of all that moved', confirmedMsMax, isWhole)
      assert.deepEqual((await history()).map(shortOf).toSorted(), movements)
      const { assets } = await sdk.wallets.getWalletAssets({ walletId })
      const left = parseEther('2') - 5n - BigInt(first.fee ?? 0) - BigInt(second.fee ?? 0)
      assert.deepEqual(
        assets.map(({ symbol, balance }) => `${symbol} ${balance}`),
        [`MINE ${left}`, 'GLD 600'],
      )
      const heard = () => told('wallet.transfer.confirmed').length === 2
      await until('both payments are told of', confirmedMsMax, heard)
      const confirmations = told('wallet.transfer.confirmed')
      for (const transferRequest of [first, second])
        assert.deepEqual(
          confirmations.find((one) => one.transferRequest.id === transferRequest.id),
          { transferRequest },
        )
      const detected = () => told('wallet.blockchainevent.detected')
      await until(
        'all movements are told of',
        confirmedMsMax,
        () => detected().length >= movements.length,
      )
      const seen = detected().map(({ blockchainEvent }) => shortOf(blockchainEvent))
      assert.deepEqual(seen.toSorted(), movements)
    })
  })
  ownPolicies(platform, own)
}

function ownPolicies(platform: Platform, own: OwnNetwork): void {
  describe('a policy about a network that only this platform has', () => {
    it('goes by the price of its own asset', async () => {
      const { walletId } = own
      tell(platform, 'server', { ether: '2000', network: id })
      const configuration = { currency: 'USD', limit: 100 }
      const on = { action: { kind: 'Block' }, filters: { walletId: { in: [walletId] } } }
      const rule = { kind: 'TransactionAmountLimit', configuration }
      await makePolicy(await platform.sdk('administrator'), { ...on, rule })
      const sdk = clientOf(platform)
      const pay = (ether: string) => {
        const body = { kind: 'Native', to: recipient, amount: String(parseEther(ether)) } as const
        return sdk.wallets.transferAsset({ walletId, body })
      }
      await confirmed(sdk, { walletId, transferId: (await pay('0.01')).id })
      await assert.rejects(pay('0.1'), { httpStatus: 403, message: /Blocked by policy/ })
    })
  })
}

const movements = [
  ...['In GLD 1000', `In MINE ${parseEther('2')}`, 'Out GLD 400'],
  // Of the transaction that moved the coins, and of the payment.
  ...['Out MINE 0', 'Out MINE 5'],
]

function shortOf(moved: object): string {
  const { direction, symbol, value } = moved as Readonly<Record<string, unknown>>
  return `${direction} ${symbol} ${value}`
}

/** After a start without its nodes. */
export async function isReadOnly(platform: Platform, { walletId }: OwnNetwork): Promise<void> {
  const sdk = clientOf(platform)
  assert.equal((await sdk.wallets.getWallet({ walletId })).network, id)
  const { items } = await sdk.wallets.getWalletHistory({ walletId })
  assert.ok(items.map(shortOf).includes('Out MINE 5'))
  assert.ok((await sdk.wallets.listTransfers({ walletId })).items.length >= 3)
  await assert.rejects(sdk.wallets.createWallet({ body: { network } }), {
    ...{ httpStatus: 400, message: /MyChain has no nodes, and takes no new wallets/ },
  })
  const body = { kind: 'Native', to: recipient, amount: '5' } as const
  await assert.rejects(sdk.wallets.transferAsset({ walletId, body }), { httpStatus: 503 })
  await assert.rejects(sdk.networks.getFees({ query: { network } }), { httpStatus: 503 })
}
