import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { concat, fromHex, toHex } from '@quorate/core/bytes'
import { isFailure } from '@quorate/core/failure'
import { privateKeyToAddress } from 'viem/accounts'
import { addressOf } from '../address.ts'
import { tableNetworks } from '../networks.ts'
import { addressOfKey, checksummed, readAddress } from './address.ts'

/** From EIP-55, "Test Cases". */
const published = [
  '0x52908400098527886E0F7030069857D2E4169EE7',
  '0x8617E340B3D01FA5F11F306F4090FD50E238070D',
  '0xde709f2102306220921060314715629080e2fb77',
  '0x27b1fdb04752bbc536007a920d24acb045561c26',
  '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed',
  '0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359',
  '0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB',
  '0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb',
]

describe('EVM address', () => {
  it('carries the checksum of EIP-55', () => {
    for (const text of published) {
      assert.equal(checksummed(fromHex(text.slice(2))), text)
      assert.deepEqual(readAddress(text), fromHex(text.slice(2)))
    }
  })

  it('is read in one case without a checksum, and in mixed case only with the right one', () => {
    const text = '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed'
    assert.ok(readAddress(text.toLowerCase()))
    assert.ok(readAddress(`0x${text.slice(2).toUpperCase()}`))
    assert.equal(readAddress(text.replace('aA', 'AA')), undefined)
  })

  it('is not read from anything else', () => {
    const digits = 'de709f2102306220921060314715629080e2fb77'
    for (const text of [
      '',
      digits,
      `0X${digits}`,
      `0x${digits}0`,
      `0x${digits.slice(2)}`,
      `0x${digits}\n`,
    ])
      assert.equal(readAddress(text), undefined)
  })

  it('of a key is the one viem derives', () => {
    for (let i = 1; i <= 20; i++) {
      const secret = new Uint8Array(32).fill(i)
      const address = addressOfKey(secp256k1.getPublicKey(secret, true))
      assert.equal(address, privateKeyToAddress(`0x${toHex(secret)}`))
      assert.equal(
        addressOf(tableNetworks, 'EthereumSepolia', secp256k1.getPublicKey(secret, true)),
        address,
      )
    }
  })

  it('does not exist on a pseudo network, nor on one nobody knows', () => {
    const key = secp256k1.getPublicKey(new Uint8Array(32).fill(1), true)
    assert.equal(addressOf(tableNetworks, 'KeyECDSA', key), undefined)
    assert.throws(
      () => addressOf(tableNetworks, 'Ethereum2', key),
      (error) => isFailure(error, 'request.unsupported'),
    )
  })

  it('is refused for a key that is uncompressed, hybrid, or not on the curve', () => {
    const secret = new Uint8Array(32).fill(1)
    const whole = secp256k1.getPublicKey(secret, false)
    const hybrid = concat(new Uint8Array([6 + ((whole[64] ?? 0) & 1)]), whole.subarray(1))
    const offCurve = concat(new Uint8Array([2]), new Uint8Array(32).fill(5))
    for (const key of [whole, hybrid, offCurve, new Uint8Array(33), new Uint8Array()])
      assert.throws(
        () => addressOfKey(key),
        (error) => isFailure(error, 'bytes.malformed'),
      )
  })
})
