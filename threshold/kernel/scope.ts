import {
  type Index,
  index,
  type Scope,
  type Step,
  unreachable,
  type Variable,
  word,
  type Word,
} from './assembler.ts'

/** Moves the first parameters on, each by its number of bytes. */
export function advance(scope: Scope, sizes: readonly number[]): Step {
  return sizes.flatMap((size, i) => {
    const { get, set } = parameter(scope, i)
    return set(index.add(get, index.constant(size)))
  })
}

type Nine = readonly [Index, Index, Index, Index, Index, Index, Index, Index, Index]

/** The parameters as they are; whoever uses one that is not there stops in the engine. */
export function pointers({ parameters }: Scope): Nine {
  const at = (i: number): Index => parameters[i]?.get ?? unreachable
  return [at(0), at(1), at(2), at(3), at(4), at(5), at(6), at(7), at(8)]
}

export function parameter({ parameters }: Scope, at: number): Variable<Index> {
  const found = parameters[at]
  if (found === undefined) throw new Error('a parameter more than there are')
  return found
}

/** All ones if the bit at `at` of the bits at `from` is set, else zero. `at` is a row's number. */
export function bitMask(from: Index, at: Index): Word {
  // Bits lie least significant first: byte at / 8, bit at % 8. Both are public; the byte is not.
  const byte = index.add(from, index.right(at, 3))
  const low = word.and(
    word.rightBy(word.load8(byte, 0), index.and(at, index.constant(7))),
    word.constant(1n),
  )
  return word.subtract(word.constant(0n), low)
}
