import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { concat, fromHex, toHex } from '@quorate/core/bytes'
import { isFailure } from '@quorate/core/failure'
import { decodeFacts, encodeFacts, type EvmFacts, noFacts } from './facts.ts'

const dynamic: EvmFacts = {
  family: 'evm',
  nonce: 7n,
  gasLimit: 21_000n,
  maxFeePerGas: 300n,
  maxPriorityFeePerGas: 0n,
}
const tag = `0000000f${Buffer.from('quorate.facts.3').toString('hex')}`
/** No prices, no screenings. */
const silent = '0000000000000000'
/** Tag, variant, then length and digits of each number, then whether there are a gas price and an original. */
const bare = `${tag}01${'0107'}${'025208'}${'02012c'}${'00'}`
const golden = `${bare}0000${silent}`
const sponsorship = {
  ...({ family: 'sponsorship', nonce: 7n, gasLimit: 21_000n, maxFeePerGas: 300n } as const),
  ...{ maxPriorityFeePerGas: 0n, inner: { r: 1n, s: 2n, yParity: 1 } as const },
}
const opinions = {
  prices: [
    {
      ...({ asset: 'EthereumSepolia/Native', currency: 'USD', micros: 3_000_000_000n } as const),
      ...{ decimals: 18, source: 'desk', at: 1_700_000_000_000 },
    },
  ],
  screenings: [{ address: '0x01', isListed: true, source: 'list', at: 1_700_000_000_000 }],
}

describe('facts', () => {
  it('have one encoding, which is this', () => {
    assert.equal(toHex(encodeFacts(dynamic)), golden)
    assert.equal(toHex(encodeFacts(noFacts)), `${tag}00${silent}`)
    assert.equal(toHex(encodeFacts({ ...dynamic, gasPrice: 5n })), `${bare}01${'0105'}00${silent}`)
    const original = fromHex('abcd')
    const resting = `${bare}0001${'00000002abcd'}${silent}`
    assert.equal(toHex(encodeFacts({ ...dynamic, original })), resting)
  })

  it('of what somebody else pays for have one encoding as well', () => {
    const inner = { r: 1n, s: 2n, yParity: 1 } as const
    assert.equal(toHex(encodeFacts({ family: 'sponsored' })), `${tag}0200${silent}`)
    const delegating = { family: 'sponsored', delegationNonce: 3n } as const
    assert.equal(toHex(encodeFacts(delegating)), `${tag}02010103${silent}`)
    assert.equal(
      toHex(encodeFacts(sponsorship)),
      `${tag}03${'0107'}${'025208'}${'02012c'}00${'0101'}${'0102'}0100${silent}`,
    )
    const delegation = { nonce: 3n, signature: { ...inner, yParity: 0 } } as const
    const whole = { ...sponsorship, delegation }
    const written = toHex(encodeFacts(whole))
    assert.ok(written.endsWith(`01${'0103'}${'0101'}${'0102'}00${silent}`))
    for (const facts of [delegating, { family: 'sponsored' } as const, sponsorship, whole])
      assert.deepEqual(decodeFacts(encodeFacts(facts)), facts)
  })

  it('are read back as they were written', () => {
    const said = [
      { ...noFacts, ...opinions },
      { ...dynamic, ...opinions },
    ]
    for (const facts of [noFacts, dynamic, { ...dynamic, gasPrice: 0n }, ...said])
      assert.deepEqual(decodeFacts(encodeFacts(facts)), facts)
  })

  it('differ in their bytes when they differ at all', () => {
    const all = [noFacts, dynamic, { ...dynamic, nonce: 8n }, { ...dynamic, ...opinions }]
    assert.equal(new Set(all.map((facts) => toHex(encodeFacts(facts)))).size, all.length)
  })

  it('are refused with bytes after them, of an unknown family, or with a leading zero', () => {
    const bytes = fromHex(golden)
    for (const bad of [
      concat(bytes, new Uint8Array(1)),
      fromHex(`${tag}04${silent}`),
      fromHex(golden.replace('0107', '020007')),
      new Uint8Array(),
    ])
      assert.throws(
        () => decodeFacts(bad),
        (error) => isFailure(error, 'bytes.malformed'),
      )
  })
})
