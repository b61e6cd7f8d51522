import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { fromHex, toHex } from '@quorate/core/bytes'
import solc from 'solc'
import {
  getAddress,
  getContractAddress,
  getCreate2Address,
  parseTransaction,
  recoverTransactionAddress,
  type Hex,
  type TransactionSerializedLegacy,
} from 'viem'
import { accountAbi, deployerBirth, deployment } from './account.ts'
import { creationCode, runtimeCode } from './artifact.ts'

const source = new URL('account.sol', import.meta.url)
const file = new URL('artifact.ts', import.meta.url)

/** With FREEZE=account it is written anew; another address is another contract. */
describe('the pinned account contract', () => {
  const made = compiled()

  it('is what the compiler makes of its source, byte for byte', () => {
    const text = artifactOf(made)
    if (process.env['FREEZE'] === 'account') writeFileSync(file, text)
    // Said in few words: the bytes themselves would tell nobody anything.
    assert.ok(readFileSync(file, 'utf8') === text, 'the artifact is another one')
    assert.ok(made.creation === creationCode, 'the code that creates it is another one')
  })

  it('runs the same code whichever account runs it: its own address is all that was filled in', () => {
    assert.equal(made.immutables.length, 2)
    assert.ok(runtimeOf(made) === runtimeCode, 'the code that runs is another one')
  })

  it('has the interface that calls are encoded by', () => {
    const known = accountAbi.map(plain).toSorted(byName)
    const own = made.abi.filter(({ name }) => known.some((one) => one.name === name))
    assert.deepEqual(own.map(plain).toSorted(byName), known)
  })
})

describe('what deploys it where nothing does yet', () => {
  it('is made by a transaction whose sender follows from a signature that nobody chose', async () => {
    const { sender, transaction, wei } = deployerBirth
    const serializedTransaction = transaction as TransactionSerializedLegacy
    const from = await recoverTransactionAddress({ serializedTransaction })
    const { gas = 0n, gasPrice = 0n } = parseTransaction(transaction)
    assert.equal(from, sender)
    assert.equal(getContractAddress({ from, nonce: 0n }), getAddress(deployment().to))
    assert.equal(gas * gasPrice, wei)
  })
})

type Entry = {
  readonly type: string
  readonly name?: string
  readonly inputs?: readonly { readonly type: string; readonly name?: string }[]
}

function plain({ type, name, inputs = [] }: Entry) {
  return { type, name, inputs: inputs.map((one) => `${one.type} ${one.name}`) }
}

function byName(a: { name: string | undefined }, b: { name: string | undefined }): number {
  return (a.name ?? '') < (b.name ?? '') ? -1 : 1
}

/** By "Standard JSON" of Solidity's manual. */
function compiled() {
  const input = {
    language: 'Solidity',
    sources: { 'account.sol': { content: readFileSync(source, 'utf8') } },
    settings: {
      evmVersion: 'prague',
      optimizer: { enabled: true },
      // The hash of the source at the end would change the address with every comment.
      metadata: { bytecodeHash: 'none', appendCBOR: false },
      outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object', 'evm.deployedBytecode'] } },
    },
  }
  const output = JSON.parse(solc.compile(JSON.stringify(input)))
  assert.deepEqual(output.errors ?? [], [])
  const { abi, evm } = output.contracts['account.sol']['QuorateAccount']
  const { object, immutableReferences } = evm.deployedBytecode
  return {
    abi: abi as readonly Entry[],
    creation: `0x${evm.bytecode.object}` as Hex,
    runtime: String(object),
    immutables: Object.values(immutableReferences).flat() as { start: number; length: number }[],
  }
}

type Made = ReturnType<typeof compiled>

/** With the address that its creation alone decides, wherever it stands in the code. */
function runtimeOf({ creation, runtime, immutables }: Made): string {
  const from = '0x4e59b44847b379578588920cA78FbF26c0B4956C'
  const address = getCreate2Address({ from, salt: new Uint8Array(32), bytecode: creation })
  const code = fromHex(runtime)
  for (const { start, length } of immutables)
    code.set(
      fromHex(
        address
          .slice(2)
          .padStart(2 * length, '0')
          .toLowerCase(),
      ),
      start,
    )
  return `0x${toHex(code)}`
}

function artifactOf(made: Made): string {
  return [
    '/** What `solc` makes of `account.sol`; `artifact.test.ts` compiles it anew and compares. */',
    `export const creationCode =\n  '${made.creation}'`,
    '/** As it stands on a chain, with its own address in it. */',
    `export const runtimeCode =\n  '${runtimeOf(made)}'`,
    '',
  ].join('\n')
}
