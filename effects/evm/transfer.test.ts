import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fromHex, toHex } from '@quorate/core/bytes'
import { isFailure } from '@quorate/core/failure'
import { encodeFunctionData, parseAbi } from 'viem'
import { readIntent } from '../intent.ts'
import { requestOfTransfer } from './transfer.ts'

const from = `0x${'f0'.repeat(20)}` as const
const to = '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed'
const contract = `0x${'c0'.repeat(20)}`
const most = 2n ** 256n - 1n
const abi = parseAbi([
  'function transfer(address to, uint256 amount)',
  'function safeTransferFrom(address from, address to, uint256 tokenId)',
  'function safeTransferFrom(address from, address to, uint256 tokenId, uint256 amount, bytes data)',
])

function requestOf(body: object) {
  const read = readIntent('transfer', JSON.stringify(body))
  assert.ok(read.ok && read.intent.kind === 'transfer')
  return requestOfTransfer(read.intent, fromHex(from.slice(2)))
}

describe('the transaction that a transfer is', () => {
  it('carries the native asset itself, and nothing else', () => {
    assert.deepEqual(requestOf({ kind: 'Native', to, amount: '5' }), {
      ...{ type: 2, to: fromHex(to.slice(2).toLowerCase()), value: 5n, data: new Uint8Array() },
    })
  })

  it('calls a token, with the bytes that viem makes of it', () => {
    for (const number of [0n, 1n, 2n ** 128n, most]) {
      const text = `${number}`
      const functionName = 'safeTransferFrom'
      for (const [body, data] of [
        [
          { kind: 'Erc20', amount: text },
          encodeFunctionData({ abi, functionName: 'transfer', args: [to, number] }),
        ],
        [
          { kind: 'Erc721', tokenId: text },
          encodeFunctionData({ abi, functionName, args: [from, to, number] }),
        ],
        [
          { kind: 'Erc1155', tokenId: text, amount: '3' },
          encodeFunctionData({ abi, functionName, args: [from, to, number, 3n, '0x'] }),
        ],
      ] as const) {
        const made = requestOf({ ...body, to, contract })
        assert.equal(`0x${toHex(made.data)}`, data)
        assert.equal(`0x${toHex(made.to ?? new Uint8Array())}`, contract)
        assert.equal(made.value, 0n)
      }
    }
  })

  it('is none to or of what is no address, or has a wrong checksum', () => {
    const coin = { kind: 'Erc20', to, contract, amount: '1' }
    for (const body of [
      { ...coin, contract: to.replace('aA', 'Aa') },
      { ...coin, contract: '0x' },
      { ...coin, to: to.replace('aA', 'Aa') },
      { kind: 'Native', to: '', amount: '1' },
      { kind: 'Native', to, amount: '1', memo: 'x' },
    ])
      assert.throws(
        () => requestOf(body),
        (error) => isFailure(error, 'request.refused'),
      )
  })
})
