import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { httpNode } from '@quorate/chains/nodes'
import { makeCluster } from '@quorate/authority/testing/world'
import { deploy } from '@quorate/devnet/testing/deploy'
import { startEthereum, type RunningEthereum } from '@quorate/devnet/ethereum'

const program = fileURLToPath(new URL('./doctor.ts', import.meta.url))
const dataDir = mkdtempSync(join(tmpdir(), 'doctor-'))
const nobody = `0x${'5a'.repeat(20)}`
let node: RunningEthereum
let poorer: Server
let poorUrl = ''

/** A fake node in front of a real one: it has no traces. */
function poorNode(): Server {
  return createServer(async (request, response) => {
    let body = ''
    for await (const part of request) body += String(part)
    const { id, method } = JSON.parse(body)
    const error = { code: -32601, message: 'the method does not exist' }
    if (String(method).startsWith('debug_'))
      return void response.end(JSON.stringify({ jsonrpc: '2.0', id, error }))
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(node.rpcUrl, { method: 'POST', headers, body })
    response.end(await answer.text())
  })
}

async function run(nodes: object, ...networks: readonly string[]) {
  const file = join(dataDir, 'nodes.json')
  writeFileSync(file, JSON.stringify(nodes))
  return runWith([file, ...networks])
}

async function runWith(args: readonly string[]) {
  const child = spawn(process.execPath, [program, ...args])
  let told = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => (told += part))
  const [code] = await once(child, 'close')
  return { code, told }
}

describe('the command that looks at nodes before they are trusted', () => {
  before(async () => {
    node = await startEthereum({ dataDir: join(dataDir, 'chain') })
    poorer = poorNode()
    await new Promise<void>((resolve) => poorer.listen(0, '127.0.0.1', resolve))
    poorUrl = `http://127.0.0.1:${(poorer.address() as AddressInfo).port}/v3/a-provider-key`
  })
  after(async () => {
    poorer.closeAllConnections()
    poorer.close()
    await node.stop()
    rmSync(dataDir, { recursive: true, force: true })
  })

  it('finds a real node good, and says what it can do', async () => {
    const rpc = httpNode({ url: node.rpcUrl, network: 'EthereumSepolia' })
    await deploy(rpc, 'Coin', ['Gold', 'GLD', 6]).then((coin) => coin.invoke('mint', [nobody, 1n]))
    const { code, told } = await run({ EthereumSepolia: { rpcUrl: node.rpcUrl } })
    assert.equal(code, 0, told)
    assert.match(told, /good chain id: 11155111/)
    assert.match(told, /good logs of a block: 1 movements of tokens/)
    const used = ['block with transactions', 'transaction and receipt', 'list of logs']
    const seen = ['next block', 'finality tag', 'fees', 'traces', 'what a contract says', ...used]
    for (const what of seen) assert.match(told, new RegExp(`good ${what}: `), told)
  })

  it('tells what a poorer one lacks, and never its address', async () => {
    const rpcUrls = [node.rpcUrl, poorUrl]
    const { code, told } = await run({ EthereumSepolia: { rpcUrls } })
    assert.equal(code, 0, told)
    const [, second = ''] = told.split('EthereumSepolia, node 2')
    assert.match(second, /poor traces: the method does not exist: payments within/)
    assert.ok(!told.includes('a-provider-key'))
    assert.doesNotMatch(told, /1 of 2 nodes/, 'one is enough where one is believed')
  })

  it('says so where fewer nodes keep traces than have to agree', async () => {
    const rpcUrls = [node.rpcUrl, poorUrl]
    const { code, told } = await run({ EthereumSepolia: { rpcUrls, agree: 2 } })
    assert.equal(code, 0, told)
    assert.match(told, /poor traces: 1 of 2 nodes, where 2 have to agree: payments within/)
    const both = { rpcUrls: [node.rpcUrl, `${node.rpcUrl}/`], agree: 2 }
    assert.doesNotMatch((await run({ EthereumSepolia: both })).told, /poor traces/)
  })

  it('looks at the nodes of a network that the manifest alone has, on the chain that it says', async () => {
    const nodes = join(dataDir, 'own-nodes.json')
    const words = { name: 'My Chain', symbol: 'MINE', confirmations: 3 }
    writeFileSync(nodes, JSON.stringify({ MyChain: { rpcUrl: node.rpcUrl, ...words } }))
    const manifest = join(dataDir, 'manifest')
    const own = { id: 'MyChain', chainId: 777_001, feeCeiling: 1n, legacy: false }
    writeFileSync(manifest, makeCluster(undefined, [own]).file)
    const { code, told } = await runWith(['--manifest', manifest, nodes, 'MyChain'])
    assert.equal(code, 1)
    assert.match(told, /MyChain \(My Chain\), node 1/)
    assert.match(told, /bad {2}chain id: 11155111, and MyChain is 777001/)
    const without = await runWith([nodes])
    assert.equal(without.code, 1)
    assert.match(without.told, /MyChain: there is no such network/)
    assert.equal((await runWith(['--manifest', manifest])).code, 2)
  })

  it('goes past a chain that was taken away, whose words are left, and fails if just that was asked for', async () => {
    const nodes = join(dataDir, 'taken-nodes.json')
    const words = { name: 'My Chain', symbol: 'MINE', confirmations: 3 }
    writeFileSync(
      nodes,
      JSON.stringify({ MyChain: words, EthereumSepolia: { rpcUrl: node.rpcUrl } }),
    )
    const manifest = join(dataDir, 'taken-manifest')
    const own = { id: 'MyChain', chainId: 777_001, feeCeiling: 1n, legacy: false }
    writeFileSync(manifest, makeCluster(undefined, [own]).file)
    const { code, told } = await runWith(['--manifest', manifest, nodes])
    assert.equal(code, 0, told)
    assert.match(told, /^MyChain has no node in this file\nEthereumSepolia, node 1\n/)
    const { code: named } = await runWith(['--manifest', manifest, nodes, 'MyChain'])
    assert.equal(named, 1)
  })

  it('finds a node poor that is asked in the clear over other machines', async () => {
    const distant = await run({
      Base: { rpcUrls: ['http://192.0.2.1.invalid/', 'http://127.0.0.1:9/'] },
    })
    const [, first = '', second = ''] = distant.told.split('Base, node ')
    assert.match(first, /poor address: http on another machine/)
    assert.doesNotMatch(second, /poor address/)
    assert.ok(!distant.told.includes('192.0.2.1'))
  })

  it('fails for a node of another chain, for one that is gone, and for none', async () => {
    const other = await run({ Base: { rpcUrl: node.rpcUrl } })
    assert.equal(other.code, 1)
    assert.match(other.told, /bad {2}chain id: 11155111, and Base is 8453/)
    const gone = await run({ Base: { rpcUrl: 'http://127.0.0.1:9/a-provider-key' } })
    assert.equal(gone.code, 1)
    assert.match(gone.told, /bad {2}chain id: no answer/)
    assert.ok(!gone.told.includes('a-provider-key'))
    const none = await run({ EthereumSepolia: { rpcUrl: node.rpcUrl } }, 'Base')
    assert.equal(none.code, 1)
    assert.match(none.told, /Base has no node/)
    assert.equal((await run({ Atlantis: { rpcUrl: node.rpcUrl } })).code, 1)
    assert.equal((await runWith([])).code, 2)
  })
})
