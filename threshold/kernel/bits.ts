import assert from 'node:assert/strict'
import { bitRoutines, columnSize, rowSize, side } from './bit-routines.ts'
import { type Engine, engineOf } from './engine.ts'

const trees = 64
const columnCount = 2 * trees
const columnBits = columnSize * 8
/** As many inputs and outputs of the hash as there ever are: 512 rows of nine blocks each. */
const inputsMax = 512
const blocksMax = 9

/** Where things lie while a routine runs. */
const columnsAt = 0
const correctionsAt = columnsAt + columnCount * columnSize
const choiceAt = correctionsAt + trees * columnSize
const streamsAt = choiceAt + columnSize
const size = Math.max(
  streamsAt + 4 * trees * columnSize,
  inputsMax * rowSize + inputsMax * blocksMax * rowSize,
)
const rowsAt = columnsAt + columnCount * columnSize
const outerAt = inputsMax * rowSize

let started: Engine | undefined
const engine = (): Engine => (started ??= engineOf(bitRoutines, size))

/** What a routine has worked on does not stay. */
function wiping<T>(result: T): T {
  engine().data.fill(0)
  return result
}

const put = (bytes: Uint8Array, at: number): void => engine().data.set(bytes, at)
const take = (at: number, length: number): Uint8Array<ArrayBuffer> =>
  engine().data.slice(at, at + length)

/**
 * The receiver's corrections and columns of the extension, of streams by tree and leaf.
 * @param choice 768 bits
 */
export function receiveColumns(streams: Uint8Array, choice: Uint8Array) {
  assert(streams.length === 4 * trees * columnSize && choice.length === columnSize)
  put(streams, streamsAt)
  put(choice, choiceAt)
  engine().run('receive', columnsAt, correctionsAt, streamsAt, trees, choiceAt)
  return wiping({
    corrections: take(correctionsAt, trees * columnSize),
    columns: take(columnsAt, columnCount * columnSize),
  })
}

/** The sender's columns, of the streams of the three leaves that it has, and of Δ. */
export function sendColumns(
  streams: Uint8Array,
  corrections: Uint8Array,
  delta: Uint8Array,
): Uint8Array<ArrayBuffer> {
  assert(streams.length === 3 * trees * columnSize && delta.length === rowSize)
  assert(corrections.length === trees * columnSize)
  put(streams, streamsAt)
  put(corrections, correctionsAt)
  put(delta, choiceAt)
  engine().run('send', columnsAt, correctionsAt, streamsAt, trees, choiceAt, 0)
  return wiping(take(columnsAt, columnCount * columnSize))
}

/** 128 columns of 768 bits become 768 rows of 128 bits. */
export function rowsOf(columns: Uint8Array): Uint8Array<ArrayBuffer> {
  assert(columns.length === columnCount * columnSize)
  put(columns, columnsAt)
  const { run } = engine()
  for (let across = 0; across < columnCount / side; across++)
    for (let down = 0; down < columnBits / side; down++)
      run(
        'turn',
        rowsAt + down * side * rowSize + across * 8,
        columnsAt + across * side * columnSize + down * 8,
      )
  return wiping(take(rowsAt, columnBits * rowSize))
}

/** Every row plus Δ. */
export function addToRows(rows: Uint8Array, delta: Uint8Array): Uint8Array<ArrayBuffer> {
  assert(rows.length <= outerAt && rows.length % rowSize === 0 && delta.length === rowSize)
  put(rows, 0)
  put(delta, outerAt)
  engine().run('offset', 0, rows.length / rowSize, outerAt)
  return wiping(take(0, rows.length))
}

export type Shape = {
  readonly blocksEach: number
  /** How many inputs, one after the other, share an index. */
  readonly inputsPerIndex: number
}

/** π(x) ⊕ (block, index), for every block that is made of every input. */
export function tweaked(
  inner: Uint8Array,
  { blocksEach, inputsPerIndex }: Shape,
): Uint8Array<ArrayBuffer> {
  const inputs = inputsIn(inner, blocksEach)
  assert(inputs % inputsPerIndex === 0)
  put(inner, 0)
  const counts = [inputs / inputsPerIndex, inputsPerIndex, blocksEach]
  engine().run('tweak', outerAt, 0, ...counts, 0)
  return wiping(take(outerAt, inner.length * blocksEach))
}

/** Adds to every block the inner one that it was made of. */
export function whitened(
  outer: Uint8Array,
  inner: Uint8Array,
  { blocksEach }: Shape,
): Uint8Array<ArrayBuffer> {
  const inputs = inputsIn(inner, blocksEach)
  assert(outer.length === inner.length * blocksEach)
  put(inner, 0)
  put(outer, outerAt)
  engine().run('whiten', outerAt, 0, inputs, blocksEach)
  return wiping(take(outerAt, outer.length))
}

function inputsIn(inner: Uint8Array, blocksEach: number): number {
  const inputs = inner.length / rowSize
  assert(Number.isInteger(inputs) && inputs > 0 && inputs <= inputsMax && blocksEach <= blocksMax)
  return inputs
}
