import { type Index, index, type Routine, type Step, word, type Word } from './assembler.ts'
import { advance, bitMask, parameter, pointers } from './scope.ts'

/** Bytes of a column of the extension, 768 bits, and of a row, 128. */
export const columnSize = 96
export const rowSize = 16
const wordSize = 8
const columnWords = columnSize / wordSize
/** Bits of a word, and so the side of the square that is turned at once. */
export const side = 64

/** Matrices of bits, least significant first, and the two passes of the hash that makes them. */
export const bitRoutines: readonly Routine[] = [
  receive(),
  send(),
  turn(),
  offset(),
  tweak(),
  whiten(),
]

/**
 * The receiver's side of the extension, tree by tree: the correction is the choice plus the streams
 * of all four leaves; each of the two columns is the sum of the leaves whose number has its bit.
 */
function receive(): Routine {
  return {
    name: 'receive',
    parameters: 5,
    write(scope) {
      const [columns, corrections, streams, trees, choice] = pointers(scope)
      const leaf = (number: number, w: number): Word =>
        word.load(streams, number * columnSize + w * wordSize)
      const sum = (w: number, ...numbers: readonly number[]): Word =>
        numbers.map((number) => leaf(number, w)).reduce(word.xor)
      const step = (w: number): Step => [
        ...word.store(
          corrections,
          w * wordSize,
          word.xor(word.load(choice, w * wordSize), sum(w, 0, 1, 2, 3)),
        ),
        ...word.store(columns, w * wordSize, sum(w, 1, 3)),
        ...word.store(columns, columnSize + w * wordSize, sum(w, 2, 3)),
      ]
      return [
        scope.repeat(
          trees,
          ...Array.from({ length: columnWords }, (_, w) => step(w)),
          advance(scope, [2 * columnSize, columnSize, 4 * columnSize]),
        ),
      ]
    },
  }
}

/** The sender's: three leaves, and the correction where Δ has the column's bit. */
function send(): Routine {
  return {
    name: 'send',
    parameters: 6,
    write(scope) {
      const [columns, corrections, streams, trees, delta, bit] = pointers(scope)
      const masks = scope.words(2)
      const leaf = (number: number, w: number): Word =>
        word.load(streams, (number - 1) * columnSize + w * wordSize)
      const column = (i: number, w: number): Step => {
        const kept = word.and(word.load(corrections, w * wordSize), masks[i]?.get ?? [])
        const sum = word.xor(leaf(i + 1, w), leaf(3, w))
        return word.store(columns, i * columnSize + w * wordSize, word.xor(sum, kept))
      }
      return [
        scope.repeat(
          trees,
          ...masks.map((mask, i) => mask.set(bitMask(delta, index.add(bit, index.constant(i))))),
          ...Array.from({ length: columnWords }, (_, w) => [...column(0, w), ...column(1, w)]),
          advance(scope, [2 * columnSize, columnSize, 3 * columnSize]),
          parameter(scope, 5).set(index.add(bit, index.constant(2))),
        ),
      ]
    },
  }
}

/** A square of 64 by 64 bits of columns becomes one of rows: Warren, Hacker's Delight, section 7-3. */
function turn(): Routine {
  return {
    name: 'turn',
    parameters: 2,
    write(scope) {
      const [rows, columns] = pointers(scope)
      const square = scope.words(side)
      const swap = scope.word()
      const steps: Step[] = square.map(({ set }, k) => set(word.load(columns, k * columnSize)))
      let kept = 0x00000000ffffffffn
      for (let step = side / 2; step > 0; step >>>= 1) {
        for (const [k, low] of square.entries()) {
          const high = square[k | step]
          if ((k & step) !== 0 || high === undefined) continue
          const difference = word.xor(word.right(low.get, step), high.get)
          steps.push(
            swap.set(word.and(difference, word.constant(BigInt.asIntN(64, kept)))),
            low.set(word.xor(low.get, word.left(swap.get, step))),
            high.set(word.xor(high.get, swap.get)),
          )
        }
        kept ^= BigInt.asUintN(64, kept << BigInt(step >>> 1))
      }
      return [...steps, ...square.map(({ get }, k) => word.store(rows, k * rowSize, get))]
    },
  }
}

/** Every row plus Δ. */
function offset(): Routine {
  return {
    name: 'offset',
    parameters: 3,
    write(scope) {
      const [rows, count, delta] = pointers(scope)
      return [scope.repeat(count, ...xorBlock(rows, rows, delta), advance(scope, [rowSize]))]
    },
  }
}

/** Inner blocks become the outer ones: each stands `blocks` times, plus its tweak (block, index). */
function tweak(): Routine {
  return {
    name: 'tweak',
    parameters: 6,
    write(scope) {
      const [out, inner, indices, each, blocks, at] = pointers(scope)
      const block = scope.index()
      const tweaked = word.or(word.of(block.get), word.left(word.of(at), 32))
      return [
        scope.repeat(
          indices,
          scope.repeat(
            each,
            block.set(index.constant(0)),
            scope.repeat(
              blocks,
              word.store(out, 0, word.xor(word.load(inner, 0), tweaked)),
              word.store(out, wordSize, word.load(inner, wordSize)),
              advance(scope, [rowSize]),
              block.set(index.add(block.get, index.constant(1))),
            ),
            parameter(scope, 1).set(index.add(inner, index.constant(rowSize))),
          ),
          parameter(scope, 5).set(index.add(at, index.constant(1))),
        ),
      ]
    },
  }
}

/** And after the second pass the inner ones are added again. */
function whiten(): Routine {
  return {
    name: 'whiten',
    parameters: 4,
    write(scope) {
      const [out, inner, inputs, blocks] = pointers(scope)
      return [
        scope.repeat(
          inputs,
          scope.repeat(blocks, ...xorBlock(out, out, inner), advance(scope, [rowSize])),
          parameter(scope, 1).set(index.add(inner, index.constant(rowSize))),
        ),
      ]
    },
  }
}

function xorBlock(out: Index, a: Index, b: Index): readonly Step[] {
  return [0, wordSize].map((at) =>
    word.store(out, at, word.xor(word.load(a, at), word.load(b, at))),
  )
}
