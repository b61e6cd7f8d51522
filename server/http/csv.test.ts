import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Csv, cellOf } from './csv.ts'

describe('a table as text', () => {
  it('has its names first, and each cell in quotes', () => {
    const rows = [
      ['1', 'a, "b"'],
      ['2', ''],
    ]
    assert.equal(new Csv(['id', 'word'], rows).text, '"id","word"\r\n"1","a, ""b"""\r\n"2",""\r\n')
  })

  it('has nothing that a spreadsheet computes', () => {
    for (const text of ['=1+1', '+1', '-1', '@sum(a1)', '\t=1', '\r=1', '\n=1'])
      assert.equal(cellOf(text), `"'${text}"`)
    assert.equal(cellOf('a=1'), '"a=1"')
    assert.equal(cellOf('",=1'), '""",=1"')
  })
})
