import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { createPublicClient, getContractAddress, http } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { deployOnce } from './deploy.ts'
import { type RunningEthereum, startEthereum } from './ethereum.ts'

/** The contract that the node comes with makes others by CREATE2 of what it is sent. */
const deployer = '0x4e59b44847b379578588920cA78FbF26c0B4956C'
const salt = `0x${'00'.repeat(32)}` as const
/** Its code is one byte, 0x01 (PUSH1 1, PUSH1 0, MSTORE8, PUSH1 1, PUSH1 0, RETURN). */
const bytecode = '0x600160005360016000f3'

describe('a contract on the local chain', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'quorate-deploy-'))
  let node: RunningEthereum
  before(async () => {
    node = await startEthereum({ dataDir })
  })
  after(async () => {
    await node.stop()
    rmSync(dataDir, { recursive: true, force: true })
  })

  it('is made once, and there when it has been waited for', async () => {
    const reader = createPublicClient({ transport: http(node.rpcUrl) })
    const address = getContractAddress({ opcode: 'CREATE2', from: deployer, salt, bytecode })
    const data = `${salt}${bytecode.slice(2)}`
    await deployOnce(node.rpcUrl, { address, to: deployer, data })
    assert.equal(await reader.getCode({ address }), '0x01')
    await deployOnce(node.rpcUrl, { address, to: deployer, data })
    const { address: rich } = privateKeyToAccount(node.fundedPrivateKey as `0x${string}`)
    assert.equal(await reader.getTransactionCount({ address: rich, blockTag: 'pending' }), 1)
  })
})
