import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readListings } from './file.ts'

const contract = '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed'
const coin = { kind: 'Erc20', contract: contract.toLowerCase(), symbol: 'GLD', decimals: 6 }
const read = (networks: object) =>
  readListings(JSON.stringify(networks), (network) => network === 'Base')

describe('the operator’s file of assets', () => {
  it('says which tokens he knows', () => {
    const other = '0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359'
    const pieces = { kind: 'Erc721', contract: other, symbol: 'PCS' }
    assert.deepEqual(read({ Base: [coin, pieces] }), [
      { network: 'Base', kind: 'Erc20', contract, symbol: 'GLD', decimals: 6 },
      { network: 'Base', kind: 'Erc721', contract: other, symbol: 'PCS', decimals: null },
    ])
    assert.deepEqual(read({}), [])
  })

  it('is refused with every mistake at once', () => {
    const wrong = [
      { ...coin, contract: '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD' },
      { ...coin, kind: 'Spl' },
      { ...coin, symbol: 'G\u202ELD' },
      { ...coin, decimals: 37 },
      { ...coin, colour: 'blue' },
      { ...coin, kind: 'Erc721' },
      'GLD',
      coin,
      coin,
    ]
    assert.throws(
      () => read({ Base: wrong, Atlantis: [], EthereumSepolia: {} }),
      ({ message }: Error) => {
        assert.deepEqual(message.split('\n  ').slice(1), [
          'Base: asset 1: contract is not an address',
          'Base: asset 2: kind is none of Erc20, Erc721, Erc1155',
          'Base: asset 3: symbol cannot be shown',
          'Base: asset 4: decimals is not a number from 0 to 36',
          'Base: asset 5: colour is not known',
          'Base: asset 6: only coins have decimals',
          'Base: asset 7: not an object',
          'Base: asset 9: its contract is there twice',
          'Atlantis: there is no such network',
          'EthereumSepolia: there is no such network',
        ])
        return true
      },
    )
    assert.throws(() => read({ Base: Array.from({ length: 201 }, () => coin) }), /at most 200/)
    for (const text of ['', '[]', '{"Base":[],"Base":[]}'])
      assert.throws(() => readListings(text, () => true), /file of assets/, text)
  })
})
