import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Failure } from '@quorate/core/failure'
import { isOfContract } from './refusals.ts'

/** As their sources have them: code and message. */
const ofContracts: readonly (readonly [string, number, string])[] = [
  ['Geth', 3, 'execution reverted'],
  ['Geth', 3, 'execution reverted: ERC721: invalid token ID'],
  ['Geth', -32000, 'out of gas'],
  ['Geth', -32000, 'gas uint64 overflow'],
  ['Geth', -32000, 'invalid opcode: INVALID'],
  ['Geth', -32000, 'stack underflow (0 <=> 1)'],
  ['Geth', -32000, 'stack limit reached 1024 (1023)'],
  ['Geth', -32000, 'invalid jump destination'],
  ['Geth', -32000, 'return data out of bounds'],
  ['Geth', -32000, 'max initcode size exceeded'],
  ['Reth', -32003, 'out of gas: gas required exceeds allowance: 500000'],
  ['Reth', -32003, 'EVM error: InvalidFEOpcode'],
  ['anvil', -32603, 'EVM error OutOfOffset'],
  ['anvil', -32603, 'EVM error InvalidOperandOOG'],
  ['Nethermind', 3, 'execution reverted'],
  ['Nethermind', -32015, 'VM execution error.'],
  ['Nethermind', -32015, 'BadInstruction'],
  ['Nethermind', -32015, 'StackOverflow'],
  ['Nethermind', -32015, 'InvalidJumpDestination'],
  ['Nethermind', -32015, 'AccessViolation'],
  ['Besu', -32000, 'Execution reverted'],
  ['Hardhat', -32603, 'VM Exception while processing transaction: invalid opcode'],
]
const ofNodes: readonly (readonly [string, number | undefined, string])[] = [
  ['providers', -32005, 'limit exceeded'],
  ['providers', 429, 'Your app has exceeded its compute units per second capacity'],
  ['Geth', -32000, 'header not found'],
  ['Geth', -32000, 'missing trie node d3b0 (path ) state 0x1 is not available'],
  ['Geth', -32000, 'execution aborted (timeout = 5s)'],
  ['Geth', -32002, 'request timed out'],
  ['Reth', -32001, 'block not found: hash 0x01'],
  ['anvil', -32602, 'BlockOutOfRangeError: block height is 0 but requested was 16777215'],
  ['Nethermind', -32002, 'No state available for block 0x01'],
  ['Besu', -32603, 'Internal error'],
  ['Besu', -32603, 'Timeout expired'],
  ['any', -32601, 'the method eth_call does not exist/is not available'],
  ['a node without a code', undefined, 'the answer is too long'],
]

describe('a refused call is the contract’s answer', () => {
  const isIts = (code: number | undefined, reason: string) =>
    isOfContract(
      new Failure('chain.refused', {
        ...{ network: 'Base', reason },
        ...(code === undefined ? {} : { code }),
      }),
    )
  for (const [whose, code, reason] of ofContracts)
    it(`where ${whose} says ${code} "${reason}"`, () => assert.equal(isIts(code, reason), true))
  for (const [whose, code, reason] of ofNodes)
    it(`but not where ${whose} says ${code} "${reason}"`, () =>
      assert.equal(isIts(code, reason), false))
})
