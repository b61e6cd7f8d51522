import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { cellOf, csvOf } from './csv.ts'

describe('a table as text', () => {
  it('has its names first, and each cell in quotes', async () => {
    const { pieces } = await csvOf(['id', 'word'], pages([['1', 'a, "b"']], [], [['2', '']]))
    let text = ''
    for await (const piece of pieces) text += piece
    assert.equal(text, '"id","word"\r\n"1","a, ""b"""\r\n"2",""\r\n')
  })

  it('is made as it is read, but for its first page', async () => {
    let made = 0
    const counted = async function* () {
      for await (const page of pages([['1']], [['2']], [['3']])) {
        made += 1
        yield page
      }
    }
    const { pieces } = await csvOf(['id'], counted())
    assert.equal(made, 1)
    const reading = pieces[Symbol.asyncIterator]()
    for (const piece of ['"id"', '"1"', '"2"'])
      assert.equal((await reading.next()).value, `${piece}\r\n`)
    assert.equal(made, 2)
  })

  it('is none where its first page fails', async () => {
    const failing = async function* () {
      yield* pages()
      throw new Error('no page')
    }
    await assert.rejects(csvOf(['id'], failing()), /no page/)
  })

  async function* pages(...all: readonly (readonly (readonly string[])[])[]) {
    yield* all
  }

  it('has nothing that a spreadsheet computes', () => {
    for (const text of ['=1+1', '+1', '-1', '@sum(a1)', '\t=1', '\r=1', '\n=1'])
      assert.equal(cellOf(text), `"'${text}"`)
    assert.equal(cellOf('a=1'), '"a=1"')
    assert.equal(cellOf('",=1'), '""",=1"')
  })
})
