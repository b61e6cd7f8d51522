import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isFailure } from './failure.ts'
import { membersOf, parseFile, parseJson, parseJsonWithDecimals } from './json.ts'

describe('strict JSON', () => {
  it('reads what JSON.parse reads', () => {
    for (const text of [
      'null',
      ' {"a":[1,-2,{"b":"\\u00e9\\n\\"\\/"}],"c":{}} ',
      '""',
      '[]',
      '9007199254740991',
    ])
      assert.deepEqual(parseJson(text), JSON.parse(text))
  })

  it('refuses what two readers could read differently', () => {
    for (const text of [
      '{"a":1,"a":2}',
      '{"__proto__":1}',
      '"\\ud800"',
      '"\ud800"',
      '1.5',
      '1e3',
      '-0',
      '9007199254740992',
      '01',
      '{"a":1}x',
      '',
      '{"a":1,}',
      '[1,]',
      "{'a':1}",
      '"\n"',
      '"\\x"',
      'nul',
      '\u00a0 1',
      '['.repeat(40) + ']'.repeat(40),
    ])
      assert.throws(
        () => parseJson(text),
        (error) => isFailure(error, 'json.malformed'),
        text,
      )
  })

  it('takes decimals only where they are asked for, and no more digits than stay exact', () => {
    for (const text of ['[1.5,0.000001,-2.50,7]', '{"limit":123456789.012345}'])
      assert.deepEqual(parseJsonWithDecimals(text), JSON.parse(text))
    for (const text of ['1.', '.5', '1.5e3', '1e3', '-0.0', '1.0000000000000001', '01.5', '1.5.5'])
      assert.throws(
        () => parseJsonWithDecimals(text),
        (error) => isFailure(error, 'json.malformed'),
        text,
      )
  })

  it('gives top-level members as they stand in the text, in their order', () => {
    assert.deepEqual(membersOf('{ "b" : [1, 2] ,"a":{"c":1}}', 2), [
      { name: 'b', raw: '[1, 2]' },
      { name: 'a', raw: '{"c":1}' },
    ])
    assert.deepEqual(membersOf('{"a":{"b":1.50}}', 1), [{ name: 'a', raw: '{"b":1.50}' }])
    assert.deepEqual(membersOf('[{"a":1}]', 0), [])
  })
})

describe('a file that a person has written', () => {
  it('is an object, or whoever has written it is told what it is not', () => {
    assert.deepEqual(parseFile('{"a": 1}', 'file of nodes'), { a: 1 })
    assert.throws(() => parseFile('[1]', 'file of nodes'), {
      message: 'The file of nodes is not a JSON object.',
    })
    assert.throws(() => parseFile('{', 'file of nodes'), {
      message: /^The file of nodes is not JSON: ./,
    })
  })
})
