import assert from 'node:assert/strict'
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, beforeEach, describe, it } from 'node:test'
import { markOf, openMarkedStore } from './mark.ts'

describe('the mark beside a store', () => {
  const dir = mkdtempSync(join(tmpdir(), 'quorate-mark-'))
  const file = join(dir, 'store.sqlite')
  beforeEach(() => {
    for (const end of ['', '-wal', '-shm', '.mark']) rmSync(`${file}${end}`, { force: true })
    writeFileSync(markOf(file), '0\n')
  })
  after(() => rmSync(dir, { recursive: true }))

  /** The process that had it ends. @returns how far the store was written */
  const run = (commits: number): number => {
    const store = openMarkedStore(file)
    for (let i = 0; i < commits; i++) store.commit(() => store.memory.setNumber('clock', i))
    const { sequence } = store
    store.close()
    return sequence
  }

  it('says how far a store was written, and lets the same store go on', () => {
    assert.equal(run(3), 3)
    assert.equal(Number(readFileSync(markOf(file), 'utf8')), 3)
    assert.equal(run(2), 5)
    assert.equal(run(0), 5)
  })

  it('is as new as the store at any moment, so that a copy of a running store shows too', () => {
    const store = openMarkedStore(file)
    store.commit(() => store.memory.setNumber('clock', 1))
    assert.equal(Number(readFileSync(markOf(file), 'utf8')), store.sequence)
    store.close()
  })

  it('lets nobody start from an older copy, nor from nothing, by however little', () => {
    run(2)
    copyFileSync(file, `${file}.backup`)
    run(1)
    copyFileSync(`${file}.backup`, file)
    assert.throws(() => run(1), /old copy: it was written 2 times, and 3 times/)
    assert.throws(() => run(1), /old copy/)
    rmSync(file)
    assert.throws(() => run(1), /there is no store/)
    assert.ok(!existsSync(file))
  })

  it('has a store made where none is only if it was written for a new signer', () => {
    rmSync(markOf(file))
    assert.throws(() => run(1), /there is no store .*not a new signer/)
    assert.ok(!existsSync(file))
    writeFileSync(file, '')
    assert.throws(() => run(1), /there is no .*mark/)
    writeFileSync(markOf(file), '0\n')
    assert.equal(run(1), 1)
    rmSync(file)
    assert.throws(() => run(1), /there is no store/)
  })

  it('is missed when a store comes without it', () => {
    run(2)
    rmSync(markOf(file))
    assert.throws(() => run(1), /there is no .*mark/)
    writeFileSync(markOf(file), 'three')
    assert.throws(() => run(1), /is not a number/)
    writeFileSync(markOf(file), '2\n')
    assert.equal(run(1), 3)
  })

  it('stops nobody after a crash, in which it may have stayed behind the store', () => {
    run(5)
    writeFileSync(markOf(file), '4')
    assert.equal(run(1), 6)
    assert.equal(Number(readFileSync(markOf(file), 'utf8')), 6)
  })
})
