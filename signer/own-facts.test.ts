import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { factFileLengthMax } from '@quorate/policy/facts'
import type { LogEvent } from './log.ts'
import { openOwnFacts } from './own-facts.ts'

const folder = mkdtempSync(join(tmpdir(), 'quorate-own-facts-'))
after(() => rmSync(folder, { recursive: true }))

const price = (dollars: string) => ({
  ...{ asset: 'EthereumSepolia/Native', currency: 'USD', price: dollars, decimals: 18 },
  ...{ source: 'desk', at: '2026-01-31T12:00:00Z' },
})

function open(name: string) {
  const path = join(folder, name)
  const told: LogEvent[] = []
  const write = (text: string) => {
    writeFileSync(`${path}.new`, text)
    renameSync(`${path}.new`, path)
  }
  const say = (dollars: string) =>
    write(JSON.stringify({ format: 'quorate.facts.1', prices: [price(dollars)] }))
  const facts = () => openOwnFacts(path, (event) => told.push(event))
  return { path, told, write, say, facts }
}

describe("a signer's own file of facts", () => {
  it('is read at the start, and again when it is another one', () => {
    const { say, facts, told } = open('changing')
    say('1')
    const own = facts()
    const micros = () => own().prices.map((one) => one.micros)
    assert.deepEqual(micros(), [1_000_000n])
    say('2')
    assert.deepEqual([micros(), micros()], [[2_000_000n], [2_000_000n]])
    assert.deepEqual(told, [])
  })

  it('says nothing any more when it has a mistake or is gone, and its operator is told once', () => {
    const { path, say, write, facts, told } = open('wrong')
    say('1')
    const own = facts()
    write('{"format": "quorate.facts.1", "prices": [], "denied": []}')
    assert.deepEqual([own(), own()], [nothing, nothing])
    rmSync(path)
    assert.deepEqual([own(), own()], [nothing, nothing])
    assert.deepEqual(told, [
      { event: 'facts-not-read', reason: 'denied is not an object' },
      { event: 'facts-not-read', reason: 'ENOENT' },
    ])
    say('3')
    assert.equal(own().prices.length, 1)
  })

  it('is not read beyond its limit', () => {
    const { path, write, facts, told } = open('long')
    write('')
    truncateSync(path, 3 * factFileLengthMax + 1)
    assert.deepEqual(facts()(), nothing)
    assert.deepEqual(told, [{ event: 'facts-not-read', reason: 'the file is too long' }])
  })

  it('is told of at the start when there is none, or a folder in its place', () => {
    const missing = open('missing')
    missing.facts()
    assert.deepEqual(missing.told, [{ event: 'facts-not-read', reason: 'ENOENT' }])
    const inPlace = open('folder')
    mkdirSync(inPlace.path)
    inPlace.facts()
    assert.deepEqual(inPlace.told, [{ event: 'facts-not-read', reason: 'EISDIR' }])
  })

  it('may be named nowhere', () => {
    assert.deepEqual(openOwnFacts('', () => assert.fail())(), nothing)
  })
})

const nothing = { prices: [], denied: undefined }
