import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { factsAbout, readFacts } from './facts.ts'

const native = 'EthereumSepolia/Native'
const token = `EthereumSepolia/Erc20/0x${'c0'.repeat(20)}`
const price = {
  ...{ asset: native, currency: 'USD', price: '2500.25', decimals: 18 },
  ...{ source: 'treasury', at: '2026-01-31T12:00:00Z' },
}
const thief = `0x${'ab'.repeat(20)}`
const denied = {
  ...{ source: 'sanctions', at: '2026-01-31T00:00:00Z' },
  addresses: [thief.replace('ab', 'AB'), 'bc1qThief'],
}
const whole = { format: 'quorate.facts.1', prices: [price], denied }
const read = (file: object) => readFacts(JSON.stringify(file))
const priced = (change: object) => read({ ...whole, prices: [{ ...price, ...change }] })

describe('a file of facts', () => {
  it('says of what leaves its prices, and of each recipient whether it is listed', () => {
    const outcome = read({ ...whole, prices: [price, { ...price, asset: token }] })
    assert.ok(outcome.ok)
    const honest = `0x${'11'.repeat(20)}`
    const movements = [thief, honest, 'bc1qThief', thief].map((to) => ({
      ...{ asset: native, to, amount: 1n },
    }))
    const outflow = { isKnown: true, isRaw: false, movements, fee: { asset: native, amount: 1n } }
    const at = Date.UTC(2026, 0, 31)
    const screened = (address: string, isListed: boolean) => {
      return { address, isListed, source: 'sanctions', at }
    }
    assert.deepEqual(factsAbout(outcome.file, outflow), {
      prices: [
        {
          ...{ asset: native, currency: 'USD', micros: 2_500_250_000n, decimals: 18 },
          ...{ source: 'treasury', at: Date.UTC(2026, 0, 31, 12) },
        },
      ],
      screenings: [screened(thief, true), screened(honest, false), screened('bc1qThief', true)],
    })
  })

  it('is written as it always was, and as the manual has it', () => {
    const text = readFileSync(new URL('../vectors/facts.json', import.meta.url), 'utf8')
    assert.deepEqual(readFacts(text), {
      ok: true,
      file: {
        prices: [
          {
            ...{ asset: native, currency: 'USD', micros: 2_500_250_000n, decimals: 18 },
            ...{ source: 'treasury', at: Date.UTC(2026, 0, 31, 12) },
          },
        ],
        denied: {
          ...{ source: 'sanctions', at: Date.UTC(2026, 0, 31) },
          addresses: new Set([thief]),
        },
      },
    })
    const manual = readFileSync(new URL('../docs/policies.md', import.meta.url), 'utf8')
    assert.ok(manual.includes(text))
  })

  it('says of nobody that he is not listed when there is no list', () => {
    const outcome = read({ format: whole.format, prices: [] })
    assert.ok(outcome.ok)
    const movements = [{ asset: native, to: thief, amount: 1n }]
    const outflow = { isKnown: true, isRaw: false, movements, fee: undefined }
    assert.deepEqual(factsAbout(outcome.file, outflow), { prices: [], screenings: [] })
  })

  it('counts as a whole or not at all', () => {
    for (const outcome of [
      readFacts(''),
      readFacts('[]'),
      readFacts(`${JSON.stringify(whole)} `.repeat(2)),
      readFacts(' '.repeat(4 * 1024 * 1024 + 1)),
      read({ ...whole, format: 'quorate.facts.2' }),
      read({ ...whole, surplus: 1 }),
      read({ format: whole.format }),
      read({ ...whole, prices: Array.from({ length: 1_025 }, () => price) }),
      read({ ...whole, prices: [price, price] }),
      read({ ...whole, denied: { ...denied, surplus: 1 } }),
      read({ ...whole, denied: { ...denied, addresses: [''] } }),
      read({ ...whole, denied: { ...denied, addresses: Array(25_001).fill('x') } }),
      priced({ surplus: 1 }),
      priced({ asset: 'ETH' }),
      priced({ currency: 'EUR' }),
      ...[2500, '0', '-1', '1.0000001', '1e3', '01', '', ' 1'].map((each) =>
        priced({ price: each }),
      ),
      ...[-1, 37, '18'].map((decimals) => priced({ decimals })),
      ...['', 'x'.repeat(65)].map((source) => priced({ source })),
      ...[
        1,
        '2026-02-30T00:00:00Z',
        '2026-01-31',
        '2026-01-31T12:00:00',
        '1969-12-31T00:00:00Z',
      ].map((at) => priced({ at })),
    ])
      assert.ok(!outcome.ok && outcome.reason !== '')
    assert.ok(priced({ source: 'x'.repeat(64), decimals: 36, price: '0.000001' }).ok)
  })
})
