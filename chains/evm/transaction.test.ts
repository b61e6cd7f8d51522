import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fromHex, toHex } from '@quorate/core/bytes'
import { isFailure } from '@quorate/core/failure'
import { ethereumSepolia } from '../testing/sepolia.ts'
import { assemble, build, type EvmAsk, type EvmFacts } from './transaction.ts'

const ask: EvmAsk = {
  type: 2,
  from: '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed',
  to: '0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed',
  value: 1n,
  data: new Uint8Array(),
  priority: 'Standard',
}
const facts: EvmFacts = {
  family: 'evm',
  nonce: 0n,
  gasLimit: 21_000n,
  maxFeePerGas: 2n,
  maxPriorityFeePerGas: 1n,
}
const signature = { r: 1n, s: 2n, yParity: 1 } as const

describe('building an EVM transaction', () => {
  it('gives these bytes', () => {
    // 02, then a list: chain id, nonce, tip, fee, gas, to, value, no data, no access list.
    const fields = '83aa36a7800102825208945aaeb6053f3e94c9b9a09f33669435e7ef1beaed0180c0'
    assert.equal(toHex(build(ethereumSepolia, ask, facts).bytes), `02e2${fields}`)
  })

  it('is refused for a recipient that is no address', () => {
    assert.throws(
      () => build(ethereumSepolia, { ...ask, to: 'vitalik.eth' }, facts),
      (error) => isFailure(error, 'address.malformed'),
    )
  })
})

describe('assembling an EVM transaction', () => {
  it('keeps its bytes and adds the signature', () => {
    const { bytes } = build(ethereumSepolia, ask, facts)
    const signed = assemble(bytes, signature)
    assert.equal(toHex(signed.bytes), `02e5${toHex(bytes.subarray(2))}010102`)
  })

  it('takes no bytes that are signed already, nor any that are no transaction', () => {
    const { bytes } = build(ethereumSepolia, ask, facts)
    for (const bad of [assemble(bytes, signature).bytes, fromHex('02c0'), fromHex('00')])
      assert.throws(
        () => assemble(bad, signature),
        (error) => isFailure(error, 'bytes.malformed'),
      )
  })
})
