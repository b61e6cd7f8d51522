import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import solc from 'solc'
import { contractNames, contractsFile } from './contracts.ts'

const source = new URL('tokens.sol', import.meta.url)

/** With FREEZE=contracts they are written anew. */
describe('the contracts of tests', () => {
  it('are what the compiler makes of their source', () => {
    const text = `${JSON.stringify(compiled(), undefined, 2)}\n`
    if (process.env['FREEZE'] === 'contracts') writeFileSync(contractsFile, text)
    assert.deepEqual(JSON.parse(readFileSync(contractsFile, 'utf8')), JSON.parse(text))
  })
})

/** By "Standard JSON" of Solidity's manual. */
function compiled(): object {
  const input = {
    language: 'Solidity',
    sources: { 'tokens.sol': { content: readFileSync(source, 'utf8') } },
    settings: {
      optimizer: { enabled: true },
      // The hash of the source at the end would change the bytes with every comment.
      metadata: { bytecodeHash: 'none', appendCBOR: false },
      outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object'] } },
    },
  }
  const output = JSON.parse(solc.compile(JSON.stringify(input)))
  assert.deepEqual(output.errors ?? [], [])
  return Object.fromEntries(
    contractNames.map((name) => {
      const { abi, evm } = output.contracts['tokens.sol'][name]
      return [name, { abi, code: `0x${evm.bytecode.object}` }]
    }),
  )
}
