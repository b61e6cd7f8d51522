import assert from 'node:assert/strict'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { noOpinions, openFactFile } from './file.ts'

const folder = mkdtempSync(join(tmpdir(), 'quorate-facts-'))
after(() => rmSync(folder, { recursive: true }))
const path = join(folder, 'facts.json')

const asset = 'EthereumSepolia/Native'
const to = `0x${'77'.repeat(20)}`
const outflow = {
  isKnown: true,
  isRaw: false,
  movements: [{ asset, to, amount: 1n }],
  fee: { asset, amount: 1n },
}
function write(price: string, addresses: readonly string[] = []): void {
  const at = '2026-01-31T12:00:00Z'
  const prices = [asset, 'Other/Native'].map((one) => ({
    ...{ asset: one, currency: 'USD', price, decimals: 18, source: 'treasury', at },
  }))
  const denied = { source: 'list', at, addresses }
  // As whoever replaces a file does it: another one takes its place at once.
  writeFileSync(`${path}.new`, JSON.stringify({ format: 'quorate.facts.1', prices, denied }))
  renameSync(`${path}.new`, path)
}

describe('a file of facts', () => {
  it('says what it knows of what leaves, and of nothing else', async () => {
    write('2500.5', [to])
    const { prices, screenings } = await openFactFile(path, assert.fail)(outflow)
    assert.deepEqual(
      prices.map((price) => [price.asset, price.micros]),
      [[asset, 2_500_500_000n]],
    )
    assert.deepEqual(
      screenings.map(({ address, isListed }) => [address, isListed]),
      [[to, true]],
    )
  })

  it('is read again when it is another one; a bad one changes nothing and is told of once', async () => {
    write('1')
    const told: string[] = []
    const opine = openFactFile(path, (_, message) => void told.push(message))
    const micros = async () => (await opine(outflow)).prices.map((price) => price.micros)
    assert.deepEqual(await micros(), [1_000_000n])
    write('2')
    assert.deepEqual(await micros(), [2_000_000n])
    writeFileSync(path, '{"format": ')
    assert.deepEqual([await micros(), await micros()], [[2_000_000n], [2_000_000n]])
    rmSync(path)
    assert.deepEqual(await micros(), [2_000_000n])
    assert.equal(told.length, 2)
    write('3')
    assert.deepEqual(await micros(), [3_000_000n])
  })

  it('says nothing where there is none', async () => {
    const silent = { prices: [], screenings: [] }
    assert.deepEqual(await openFactFile('', assert.fail)(outflow), silent)
    assert.deepEqual(await noOpinions(outflow), silent)
    const told: object[] = []
    const opine = openFactFile(join(folder, 'nothing'), (context) => void told.push(context))
    assert.deepEqual(await opine(outflow), silent)
    assert.equal(told.length, 1)
  })
})
