import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type RunningEthereum, startEthereum } from './ethereum.ts'
import { freePort } from './free-port.ts'

const funded = '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266'
const stranger = '0x00000000000000000000000000000000000000aa'

describe('the local Ethereum node', () => {
  it('mines on the chain it stands for, and keeps the chain from one start to the next', async () => {
    await withFolder(async (dataDir) => {
      const first = await startEthereum({ dataDir })
      assert.equal(await call(first, 'eth_chainId'), '0xaa36a7')
      assert.notEqual(await call(first, 'eth_getBalance', funded, 'latest'), '0x0')
      await call(first, 'anvil_setBalance', stranger, '0x2a')
      await first.stop()

      const second = await startEthereum({ dataDir, port: first.port })
      assert.equal(second.rpcUrl, first.rpcUrl)
      assert.equal(await call(second, 'eth_getBalance', stranger, 'latest'), '0x2a')
      await second.stop()
    })
  })

  it('falls back to the last whole copy when its state was cut short', async () => {
    await withFolder(async (dataDir) => {
      const first = await startEthereum({ dataDir })
      await call(first, 'anvil_setBalance', stranger, '0x2a')
      await first.stop()
      const second = await startEthereum({ dataDir })
      await second.stop()
      truncateSync(join(dataDir, 'state.json'), 100)

      const third = await startEthereum({ dataDir })
      assert.equal(await call(third, 'eth_getBalance', stranger, 'latest'), '0x2a')
      await third.stop()
      truncateSync(join(dataDir, 'state.json'), 100)
      truncateSync(join(dataDir, 'state.json.copy'), 100)
      await assert.rejects(startEthereum({ dataDir }), /is damaged and there is no whole copy/)
    })
  })

  it('takes another port when the wanted one is taken', async () => {
    await withFolder(async (dataDir) => {
      const port = await freePort()
      const [first, second] = [
        await startEthereum({ dataDir: join(dataDir, 'a'), port }),
        await startEthereum({ dataDir: join(dataDir, 'b'), port }),
      ]
      assert.equal(first.port, port)
      assert.notEqual(second.port, port)
      await Promise.all([first.stop(), second.stop()])
    })
  })

  it('makes a block every second', async () => {
    await withFolder(async (dataDir) => {
      const node = await startEthereum({ dataDir })
      const before = Number(await call(node, 'eth_blockNumber'))
      await sleep(2_500)
      const mined = Number(await call(node, 'eth_blockNumber')) - before
      assert.ok(mined >= 1 && mined <= 4, `${mined} blocks`)
      await node.stop()
    })
  })
})

async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'quorate-ethereum-'))
  try {
    await work(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function call(node: RunningEthereum, method: string, ...params: unknown[]): Promise<unknown> {
  const answer = await fetch(node.rpcUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  })
  const { result }: { result?: unknown } = Object(await answer.json())
  return result
}
