import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import { addToRows, receiveColumns, rowsOf, sendColumns, tweaked, whitened } from './bits.ts'
import { bitAt } from './testing/oracle.ts'

const trees = 64
const columnSize = 96
const random = (size: number): Uint8Array => new Uint8Array(randomBytes(size))

describe("the kernel's bits", () => {
  const choice = random(columnSize)
  const delta = random(16)
  const streams = random(4 * trees * columnSize)
  const { corrections, columns } = receiveColumns(streams, choice)
  const leaf = (tree: number, number: number): Uint8Array => piece(streams, 4 * tree + number)

  it('of the receiver are the choice under all streams, and the leaves of each column', () => {
    for (let tree = 0; tree < trees; tree++) {
      const [a, b, c, d] = [leaf(tree, 0), leaf(tree, 1), leaf(tree, 2), leaf(tree, 3)]
      assert.deepEqual(piece(corrections, tree), xor(choice, xor(xor(a, b), xor(c, d))))
      assert.deepEqual(piece(columns, 2 * tree), xor(b, d))
      assert.deepEqual(piece(columns, 2 * tree + 1), xor(c, d))
    }
  })

  it('of the sender are those of the receiver, plus the choice where Δ is set', () => {
    // By tree, and by number of the leaf XOR number of the missing one.
    const known = new Uint8Array(3 * trees * columnSize)
    for (let tree = 0; tree < trees; tree++)
      for (let place = 1; place < 4; place++) {
        const missing = Number(bitAt(delta, 2 * tree) + 2n * bitAt(delta, 2 * tree + 1))
        known.set(leaf(tree, place ^ missing), (3 * tree + place - 1) * columnSize)
      }
    const sent = sendColumns(known, corrections, delta)
    for (let column = 0; column < 2 * trees; column++) {
      const plus = bitAt(delta, column) === 1n ? choice : new Uint8Array(columnSize)
      assert.deepEqual(piece(sent, column), xor(piece(columns, column), plus))
    }
  })

  it('of column c, row r become those of row r, column c', () => {
    const rows = rowsOf(columns)
    for (let column = 0; column < 128; column++)
      for (let row = 0; row < 768; row++)
        assert.equal(bitAt(rows, row * 128 + column), bitAt(columns, column * 768 + row))
  })

  it('of every row are added to Δ', () => {
    const rows = random(512 * 16)
    const added = addToRows(rows, delta)
    for (let row = 0; row < 512; row++)
      assert.deepEqual(piece(added, row, 16), xor(piece(rows, row, 16), delta))
  })

  it('are tweaked by block and index, and whitened by what they are made of', () => {
    for (const [inputs, blocksEach, inputsPerIndex] of [
      [512, 9, 1],
      [512, 6, 1],
      [256, 6, 4],
      [192, 6, 3],
      [6, 4, 3],
    ] as const) {
      const inner = random(inputs * 16)
      const shape = { blocksEach, inputsPerIndex }
      const outer = tweaked(inner, shape)
      const white = whitened(outer, inner, shape)
      for (let at = 0; at < inputs * blocksEach; at++) {
        const input = Math.floor(at / blocksEach)
        const tweak = new Uint8Array(16)
        const view = new DataView(tweak.buffer)
        view.setUint32(0, at % blocksEach, true)
        view.setUint32(4, Math.floor(input / inputsPerIndex), true)
        assert.deepEqual(piece(outer, at, 16), xor(piece(inner, input, 16), tweak))
        assert.deepEqual(piece(white, at, 16), tweak)
      }
    }
  })

  it('come in their sizes, or not at all', () => {
    assert.throws(() => receiveColumns(streams.subarray(1), choice))
    assert.throws(() => sendColumns(streams, corrections, delta))
    assert.throws(() => rowsOf(columns.subarray(96)))
    assert.throws(() => addToRows(new Uint8Array(513 * 16), delta))
    assert.throws(() => tweaked(new Uint8Array(513 * 16), { blocksEach: 1, inputsPerIndex: 1 }))
    assert.throws(() => tweaked(new Uint8Array(16), { blocksEach: 10, inputsPerIndex: 1 }))
    const outer = new Uint8Array(16)
    assert.throws(() => whitened(outer, outer, { blocksEach: 2, inputsPerIndex: 1 }))
  })
})

function piece(bytes: Uint8Array, at: number, size = columnSize): Uint8Array {
  return new Uint8Array(bytes.slice(at * size, (at + 1) * size))
}

function xor(a: Uint8Array, b: Uint8Array): Uint8Array {
  return a.map((byte, i) => byte ^ (b[i] ?? 0))
}
