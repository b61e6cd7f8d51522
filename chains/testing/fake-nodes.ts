import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before } from 'node:test'
import { type RunningEthereum, startEthereum } from '@quorate/devnet/ethereum'
import { deploy } from '@quorate/devnet/testing/deploy'
import { createWalletClient, http, keccak256 } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { sepolia } from 'viem/chains'
import type { Rpc } from '../adapter.ts'
import { severalNodes } from '../evm/several-nodes.ts'
import { httpNode } from '../nodes.ts'
import { ethereumSepolia } from './sepolia.ts'

export const network = { ...ethereumSepolia, confirmationsFinal: 2 }
export const stranger = '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed'

type Call = { readonly id: number; readonly method: string; readonly params: readonly unknown[] }
/** What a fake node makes of a call, and of what the real node behind it answers. */
export type Ways = {
  readonly heard?: (call: Call) => void
  readonly result?: (call: Call, result: never) => unknown
  /** Instead of any answer, and without asking the node behind. */
  readonly respond?: (call: Call, response: ServerResponse) => boolean
}
export const gone: Ways = {
  respond: (_, response) => {
    response.destroy()
    return true
  },
}
export const asBlock = (change: (block: Record<string, string>) => object): Ways => ({
  result: ({ method, params }, result) =>
    method === 'eth_getBlockByNumber' && params[0] === 'latest' ? change(result) : result,
})
export const instead = (asked: string, change: (result: never) => unknown): Ways => ({
  result: ({ method }, result) => (method === asked ? change(result) : result),
})

/** Fake nodes in front of a real one, which runs as long as the tests of a file. */
class FakeNodes {
  private node: RunningEthereum | undefined
  private readonly dataDir = mkdtempSync(join(tmpdir(), 'several-'))
  private readonly fakes: Server[] = []

  async start(): Promise<void> {
    this.node = await startEthereum({ dataDir: this.dataDir })
    // Blocks come when a test asks for one.
    await this.real('evm_setIntervalMining', [0])
    await this.real('evm_setAutomine', [false])
    await this.mine(3)
  }

  async stop(): Promise<void> {
    await this.node?.stop()
    rmSync(this.dataDir, { recursive: true, force: true })
  }

  closeFakes(): void {
    for (const fake of this.fakes.splice(0)) {
      fake.closeAllConnections()
      fake.close()
    }
  }

  private get running(): RunningEthereum {
    if (this.node === undefined) throw new TypeError('the real node does not run')
    return this.node
  }

  private account() {
    return privateKeyToAccount(this.running.fundedPrivateKey as `0x${string}`)
  }

  readonly real: Rpc = (...call) =>
    httpNode({ url: this.running.rpcUrl, network: network.id })(...call)

  readonly mine = async (blocks: number): Promise<void> => {
    for (let i = 0; i < blocks; i++) await this.real('evm_mine', [])
  }

  readonly fakeNode = async (ways: Ways = {}): Promise<Rpc> => {
    const fake = createServer((request, response) => void this.serve(ways, request, response))
    this.fakes.push(fake)
    await new Promise<void>((resolve) => fake.listen(0, '127.0.0.1', resolve))
    const { port } = fake.address() as AddressInfo
    return httpNode({ url: `http://127.0.0.1:${port}`, network: network.id, timeoutMs: 5_000 })
  }

  private async serve(ways: Ways, request: IncomingMessage, response: ServerResponse) {
    let text = ''
    for await (const part of request) text += String(part)
    const call: Call = JSON.parse(text)
    ways.heard?.(call)
    if (ways.respond?.(call, response)) return
    const headers = { 'content-type': 'application/json' }
    const behind = await fetch(this.running.rpcUrl, { method: 'POST', headers, body: text })
    const answer = Object(await behind.json())
    if (ways.result !== undefined && 'result' in answer)
      answer.result = ways.result(call, answer.result as never)
    response.end(JSON.stringify(answer))
  }

  /** The address of whoever has money there. */
  readonly funded = (): `0x${string}` => this.account().address

  /** Signed by that one, and sent to nobody. */
  readonly paid = async (to: `0x${string}` = stranger) => {
    const account = this.account()
    const transport = http(this.running.rpcUrl)
    const wallet = createWalletClient({ account, chain: sepolia, transport })
    const nonce = Number(await this.real('eth_getTransactionCount', [account.address, 'latest']))
    const request = await wallet.prepareTransactionRequest({ to, value: 1n, nonce })
    const bytes = await wallet.signTransaction(request)
    const sent = { hash: keccak256(bytes), from: account.address, slot: BigInt(nonce) }
    return { sent, bytes }
  }

  readonly hashAt = async (number: unknown): Promise<string> =>
    Object(await this.real('eth_getBlockByNumber', [number, false])).hash

  /** @returns the number of a block in which a token has moved */
  readonly logged = async (): Promise<unknown> => {
    const coin = await deploy(this.real, 'Coin', ['Gold', 'GLD', 6])
    await coin.invoke('mint', [stranger, 1n])
    return this.real('eth_blockNumber', [])
  }
}

/** To be called once in a file of tests. */
export function besideRealNode(): FakeNodes {
  const nodes = new FakeNodes()
  before(() => nodes.start())
  after(() => nodes.stop())
  afterEach(() => nodes.closeFakes())
  return nodes
}

/** Nodes with a clock that only a test moves. */
export function together(nodes: readonly Rpc[], agree = 1, outvoted = 0) {
  const clock = { ms: 0 }
  const distrusted: string[] = []
  const rpc = severalNodes({
    ...{ network, nodes, agree, outvoted, now: () => clock.ms },
    onDistrust: ({ node: place, reason }) => void distrusted.push(`${place}: ${reason}`),
  })
  return { rpc, clock, distrusted }
}
