import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
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

describe('a string', () => {
  const pieces = [
    ...['"', '\\', 'u', 'n', 'x', '/', '0', 'd8', 'dc', '00', 'Ee', '\\u00e9', '\\ud83d\\ude00'],
    ...[
      '\\\\',
      '\\"',
      '\\n',
      '\n',
      '\u0000',
      '\u001f',
      ' ',
      '\u007f',
      '\u2028',
      'é',
      '語',
      '😀',
      '\ud800',
    ],
  ]

  it('is what JSON.parse makes of it, and refused where that refuses it or a surrogate is alone', () => {
    const draw = drawn(7)
    const counts = { taken: 0, refused: 0 }
    for (let round = 0; round < 20_000; round++) {
      const inner = Array.from({ length: draw(8) }, () => pieces[draw(pieces.length)]).join('')
      const text = draw(10) === 0 ? `"${inner}` : `"${inner}"`
      const expected = outcome(() => JSON.parse(text))
      const refused = expected === undefined || !isWellFormedWhole(text, expected)
      counts[refused ? 'refused' : 'taken']++
      assert.deepEqual(
        outcome(() => parseJson(text)),
        refused ? undefined : expected,
        text,
      )
    }
    assert.ok(counts.taken > 2_000 && counts.refused > 2_000, JSON.stringify(counts))
  })

  it('is read within larger texts as JSON.parse reads it, wherever they are taken', () => {
    const draw = drawn(11)
    const more = [
      '{',
      '}',
      '[',
      ']',
      ':',
      ',',
      '"a"',
      '"b":',
      '1',
      'true',
      '{"a":',
      '["\\n"]',
      ...pieces,
    ]
    let taken = 0
    for (let round = 0; round < 50_000; round++) {
      const text = Array.from({ length: 1 + draw(5) }, () => more[draw(more.length)]).join('')
      const value = outcome(() => parseJson(text))
      if (value === undefined) continue
      assert.deepEqual(value, JSON.parse(text), text)
      taken++
    }
    assert.ok(taken > 1_000, `${taken}`)
  })

  it('takes the memory of its characters, and keeps nothing of the text it stood in', () => {
    const size = 256 * 1024
    const message = keptBy(() => parseJson(JSON.stringify({ message: 'ab'.repeat(size / 2) })))
    assert.ok(message < 3 * size, `${message} bytes are kept of ${size} characters`)
    const name = keptBy(() =>
      parseJson(`{"userId":"us-01234-56789-abcdefghijklmnop"${' '.repeat(size)}}`),
    )
    assert.ok(name < 8 * 1024, `${name} bytes are kept of a name`)
  })
})

/** A linear congruential sequence (Knuth's MMIX constants): the same texts in every run. */
function drawn(seed: number): (below: number) => number {
  let state = BigInt(seed)
  return (below) => {
    state = BigInt.asUintN(64, state * 6364136223846793005n + 1442695040888963407n)
    return Number((state >> 33n) % BigInt(below))
  }
}

function outcome(read: () => unknown): unknown {
  try {
    return read()
  } catch (error) {
    if (error instanceof SyntaxError || isFailure(error, 'json.malformed')) return undefined
    throw error
  }
}

function isWellFormedWhole(text: string, value: unknown): boolean {
  return text.isWellFormed() && typeof value === 'string' && value.isWellFormed()
}

/** Bytes of heap that stay in use for each value made. */
function keptBy(make: () => unknown): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const values: unknown[] = [make()]
  collect()
  const before = process.memoryUsage().heapUsed
  for (let count = 0; count < 20; count++) values.push(make())
  collect()
  return (process.memoryUsage().heapUsed - before) / (values.length - 1)
}

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
