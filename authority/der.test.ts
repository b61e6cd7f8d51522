import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { concatAll, fromHex } from '@quorate/core/bytes'
import { isFailure } from '@quorate/core/failure'
import { randomFrom } from './agreement/model/random.ts'
import { attempt } from './attempt.ts'
import { childrenOf, contextTag, derBytesMax, readDer, tags, type Der } from './der.ts'
import { newAuthority, writeDer } from './testing/certificate.ts'
import { mutated, runs } from './testing/mutations.ts'
import { makePerson } from './testing/world.ts'

const refuses = (hex: string) =>
  assert.throws(
    () => readDer(fromHex(hex)),
    (error) => isFailure(error, 'bytes.malformed'),
    hex,
  )

describe('DER', () => {
  it('reads elements, one level at a time', () => {
    const [first, second] = childrenOf(readDer(fromHex('3006020101040100')))
    assert.deepEqual([first?.tag, second?.tag], [tags.integer, tags.octets])
    assert.deepEqual(second?.contents, fromHex('00'))
    const long = writeDer(tags.octets, new Uint8Array(300))
    assert.equal(readDer(long).contents.length, 300)
  })

  it('knows numbers above 30, which Android uses', () => {
    for (const number of [0, 30, 31, 127, 128, 600, 702]) {
      const { tag } = readDer(writeDer(contextTag(number)))
      assert.equal(tag, contextTag(number), String(number))
    }
    for (const hex of ['bf1e00', 'bf801f00', 'bf80', 'bf', 'bf85808000']) refuses(hex)
  })

  it('refuses what only BER allows', () => {
    for (const hex of ['3080', '30800000', '048100', '04817f', '04820001ff', '0483000001ff'])
      refuses(hex)
  })

  it('ends where its bytes end', () => {
    for (const hex of ['', '04', '0401', '04820100', '040000', '0482ffff00']) refuses(hex)
    assert.throws(() => childrenOf(readDer(fromHex('3003020101')), tags.set), isFailure)
    assert.throws(() => childrenOf(readDer(fromHex('3003020201'))), isFailure)
    assert.throws(() => childrenOf(undefined), isFailure)
    assert.throws(() => readDer(writeDer(tags.octets, new Uint8Array(derBytesMax))), isFailure)
  })

  it('has one text for each element, whatever the bytes', () => {
    const { key } = makePerson('P-256')
    const certificate = newAuthority().issue({ key, subject: { '2.5.4.3': 'Example' } })
    let accepted = 0
    runs(5_000, (seed) => {
      const bytes = mutated(randomFrom(seed), certificate)
      const element = attempt(() => readDer(bytes))
      if (element === undefined) return
      accepted++
      assert.deepEqual(rewritten(element), bytes)
    })
    assert.ok(accepted > 100, 'hardly anything was accepted')
  })
})

/** From the leaves up, where an element is one of elements. */
function rewritten(element: Der): Uint8Array {
  const isConstructed = (element.tag & 0x20) !== 0
  const children = isConstructed ? attempt(() => childrenOf(element, element.tag)) : undefined
  const contents = children ? concatAll(children.map(rewritten)) : element.contents
  return writeDer(element.tag, contents)
}
