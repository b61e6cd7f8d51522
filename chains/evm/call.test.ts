import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { isFailure } from '@quorate/core/failure'
import type { Json } from '@quorate/core/json'
import { type RunningEthereum, startEthereum } from '@quorate/devnet/ethereum'
import type { Rpc } from '../adapter.ts'
import { httpNode } from '../nodes.ts'
import { ethereumSepolia as network } from '../testing/sepolia.ts'
import { callFunction } from './call.ts'
import type { Parameter } from './call-values.ts'
import { readFees } from './fees.ts'

/** Gives back its arguments: returns the calldata from its fifth byte on. */
const echo = { address: `0x${'ec'.repeat(20)}`, code: '0x600436038060045f375ff3' }
const failing = { address: `0x${'fa'.repeat(20)}`, code: '0x5f5ffd' }
const nobody = `0x${'00'.repeat(19)}99`
const account = '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed'

let node: RunningEthereum
let rpc: Rpc
const dataDir = mkdtempSync(join(tmpdir(), 'call-'))

before(async () => {
  node = await startEthereum({ dataDir })
  rpc = httpNode({ url: node.rpcUrl, network: network.id })
  for (const { address, code } of [echo, failing]) await rpc('anvil_setCode', [address, code])
})
after(async () => {
  await node.stop()
  rmSync(dataDir, { recursive: true, force: true })
})

const of = (type: string, name = 'x', components?: readonly Parameter[]): Parameter => ({
  ...{ name, type },
  ...(components === undefined ? {} : { components }),
})

async function call(parameters: readonly Parameter[], values: Json, contract = echo.address) {
  const asked = { contract, name: 'echo', inputs: parameters, outputs: parameters, values }
  return callFunction(rpc, network, asked)
}

describe('a call of a contract', () => {
  const shapes: readonly (readonly [string, readonly Parameter[], Json, Json])[] = [
    [
      'a number that JSON would round',
      [of('uint256')],
      { x: `${2n ** 256n - 1n}` },
      `${2n ** 256n - 1n}`,
    ],
    ['a small number as text', [of('uint8')], { x: 6 }, '6'],
    ['a number below zero', [of('int64')], { x: '-5' }, '-5'],
    ['a number in hex', [of('uint256')], { x: '0xff' }, '255'],
    ['an address with its checksum', [of('address')], { x: account.toLowerCase() }, account],
    ['truth', [of('bool')], { x: true }, true],
    ['text', [of('string')], { x: 'olé' }, 'olé'],
    ['bytes', [of('bytes'), of('bytes4', 'y')], ['0x01', '0x01020304'], ['0x01', '0x01020304']],
    [
      'bytes without 0x in front, and none',
      [of('bytes'), of('bytes4', 'y'), of('bytes', 'z')],
      ['01ff', '01FFC9A7', ''],
      ['0x01ff', '0x01ffc9a7', '0x'],
    ],
    ['lists of lists', [of('uint8[][2]')], { x: [[1], []] }, [['1'], []]],
    [
      'structs',
      [of('tuple[]', 'x', [of('uint256', 'a'), of('bool', 'b')])],
      { x: [{ a: '1', b: false }, ['2', true]] },
      [
        { a: '1', b: false },
        { a: '2', b: true },
      ],
    ],
    ['values without names', [of('uint256', ''), of('bool', '')], ['7', true], ['7', true]],
  ]
  for (const [name, parameters, given, expected] of shapes)
    it(`takes and gives ${name}`, async () => {
      assert.deepEqual(await call(parameters, given), expected)
    })

  it('calls a number of no width by the name that contracts know: of 256 bits, wherever it is', async () => {
    const callOf = async (word: 'uint' | 'uint256') => {
      const [signed, tuple] = [of(word.replace('u', ''), 'y'), of('tuple[]', 'z', [of(word, 'a')])]
      const inputs = [of(`${word}[2][]`), signed, tuple, of('uint8', 'w')]
      const sent: unknown[] = []
      const keep: Rpc = async (_method, params) => (sent.push(params), '0x')
      const values = [[['1', '2']], '-3', [{ a: '4' }], '5']
      await callFunction(keep, network, {
        contract: nobody,
        name: 'f',
        inputs,
        outputs: [],
        values,
      })
      return sent
    }
    assert.deepEqual(await callOf('uint'), await callOf('uint256'))
    assert.equal(await call([of('uint')], { x: 6 }), '6')
    assert.equal(await call([of('int')], { x: -6 }), '-6')
  })

  it('gives nothing where nothing is said to come out', async () => {
    const asked = { contract: echo.address, name: 'f', inputs: [], outputs: [], values: {} }
    assert.equal(await callFunction(rpc, network, asked), null)
  })

  const misfits: readonly (readonly [readonly Parameter[], Json])[] = [
    [[of('uint8')], { x: 256 }],
    [[of('uint256')], { x: '-1' }],
    [[of('uint256')], { x: 'many' }],
    [[of('uint256')], {}],
    [[of('uint256')], { x: '1', y: '2' }],
    [[of('uint256')], ['1', '2']],
    [[of('bool')], { x: 'true' }],
    [[of('address')], { x: '0x1234' }],
    [[of('bytes4')], { x: '0x01' }],
    [[of('bytes4')], { x: '01ffc9' }],
    [[of('bytes4')], { x: '0x01ffc9a7a7' }],
    [[of('bytes2')], { x: '0x1ff' }],
    [[of('bytes')], { x: '0x1ff' }],
    [[of('bytes')], { x: '1ff' }],
    [[of('bytes')], { x: 'hello' }],
    [[of('bytes')], { x: '0xhello1' }],
    [[of('bytes')], { x: ' 01' }],
    [[of('bytes')], { x: 1 }],
    [[of('bytes[]')], { x: ['0x01', '0x1'] }],
    [[of('uint8[2]')], { x: [1] }],
    [[of('uint8[]')], { x: 1 }],
    [[of('tuple', 'x', [of('bool', 'a')])], { x: { b: true } }],
  ]
  for (const [parameters, given] of misfits)
    it(`refuses ${JSON.stringify(given)} for ${parameters[0]?.type}`, async () => {
      await assert.rejects(call(parameters, given), (error) => isFailure(error, 'body.malformed'))
    })

  it('is refused when the contract fails, is none, or answers something else', async () => {
    const flag = [of('bool')]
    for (const contract of [failing.address, nobody])
      await assert.rejects(call(flag, { x: true }, contract), (error) =>
        isFailure(error, 'chain.refused'),
      )
    const other = { name: 'f', inputs: [of('uint256')], outputs: [of('string')] }
    const asked = { ...other, contract: echo.address, values: { x: `${2n ** 200n}` } }
    await assert.rejects(callFunction(rpc, network, asked), (error) =>
      isFailure(error, 'chain.refused'),
    )
  })

  it('is refused when the answer is longer than anything needs to be', async () => {
    const long: Rpc = async () => `0x${'00'.repeat(2_001 * 32)}`
    const asked = { contract: nobody, name: 'f', inputs: [], outputs: [of('bytes')], values: [] }
    await assert.rejects(
      callFunction(long, network, asked),
      (error) => isFailure(error, 'chain.refused') && /too long/.test(error.context.reason),
    )
  })
})

describe('what a node says of fees', () => {
  it('is of its newest block, and the more the more haste there is', async () => {
    const fees = await readFees(rpc)
    assert.ok(fees.blockNumber >= 0n && fees.baseFeePerGas > 0n)
    const { Slow, Standard, Fast } = fees.quotes
    assert.ok(Slow.maxFeePerGas < Standard.maxFeePerGas)
    assert.ok(Standard.maxFeePerGas < Fast.maxFeePerGas)
  })
})
