/**
 * A WebAssembly module from the few instructions that cannot leak what they work on.
 *
 * Data are words of 64 bits; addresses and counters are indices of 32 bits. Memory gives words only,
 * and there is no way from a word to an index: no narrowing, no comparison, no test for zero. What is
 * typed so here, WebAssembly's own validation checks once more before a module can run. So no branch
 * and no address depends on data, however a routine is put together; and there is no division.
 */

/** Bytes, and code made of code: flat only once a routine is complete. */
type Code = readonly (number | Code)[]
declare const kind: unique symbol
/** Code that leaves 64 bits of data. */
export type Word = Code & { readonly [kind]?: 'word' }
/** Code that leaves an address or a counter, which are public. */
export type Index = Code & { readonly [kind]?: 'index' }
/** Code that leaves nothing. */
export type Step = Code & { readonly [kind]?: 'step' }

/** A local variable. */
export type Variable<T extends Code> = { readonly get: T; readonly set: (value: T) => Step }

const types = { index: 0x7f, word: 0x7e } as const
type Kind = keyof typeof types

/** Instruction codes: WebAssembly specification 3.0, section 5.4. */
export const word = {
  constant: (value: bigint): Word => [0x42, signed(value)],
  add: (a: Word, b: Word): Word => [a, b, 0x7c],
  subtract: (a: Word, b: Word): Word => [a, b, 0x7d],
  multiply: (a: Word, b: Word): Word => [a, b, 0x7e],
  and: (a: Word, b: Word): Word => [a, b, 0x83],
  or: (a: Word, b: Word): Word => [a, b, 0x84],
  xor: (a: Word, b: Word): Word => [a, b, 0x85],
  left: (a: Word, bits: number): Word => [a, word.constant(BigInt(bits)), 0x86],
  /** With copies of the sign. */
  rightSigned: (a: Word, bits: number): Word => [a, word.constant(BigInt(bits)), 0x87],
  right: (a: Word, bits: number): Word => [a, word.constant(BigInt(bits)), 0x88],
  of: (number: Index): Word => [number, 0xad],
  rightBy: (a: Word, bits: Index): Word => [a, word.of(bits), 0x88],
  load: (at: Index, offset: number): Word => [at, 0x29, 3, unsigned(offset)],
  load8: (at: Index, offset: number): Word => [at, 0x31, 0, unsigned(offset)],
  store: (at: Index, offset: number, value: Word): Step => [at, value, [0x37, 3, unsigned(offset)]],
}

export const index = {
  constant: (value: number): Index => [0x41, signed(BigInt(value))],
  add: (a: Index, b: Index): Index => [a, b, 0x6a],
  subtract: (a: Index, b: Index): Index => [a, b, 0x6b],
  and: (a: Index, b: Index): Index => [a, b, 0x71],
  left: (a: Index, bits: number): Index => [a, index.constant(bits), 0x74],
  right: (a: Index, bits: number): Index => [a, index.constant(bits), 0x76],
}

export const unreachable: Index = [0x00]

/** What a function is written with: its locals, loops and calls. */
export type Scope = {
  readonly parameters: readonly Variable<Index>[]
  readonly word: () => Variable<Word>
  readonly words: (count: number) => readonly Variable<Word>[]
  readonly index: () => Variable<Index>
  /** Always as often as `times` says; at least once. */
  readonly repeat: (times: Index, ...body: readonly Step[]) => Step
  readonly call: (name: string, ...parameters: readonly Index[]) => Step
}

export type Routine = {
  readonly name: string
  readonly parameters: number
  readonly write: (scope: Scope) => readonly Step[]
}

/** @param pages of 64 KiB, of the memory that all routines work on */
export function assemble(routines: readonly Routine[], pages: number): Uint8Array<ArrayBuffer> {
  const names = routines.map(({ name }) => name)
  const signatures = routines.map(({ parameters }) => [
    0x60,
    list(Array.from({ length: parameters }, () => [types.index])),
    0,
  ])
  const bodies = routines.map((routine) => sized(bodyOf(routine, names)))
  const exported = [[text('data'), 2, 0], ...names.map((name, at) => [text(name), 0, unsigned(at)])]
  const memory = [1, unsigned(pages), unsigned(pages)]
  const section = (id: number, parts: readonly Code[]): Code => [id, sized(list(parts))]
  const sections = [
    section(1, signatures),
    section(
      3,
      routines.map((_, at) => unsigned(at)),
    ),
    section(5, [memory]),
    section(7, exported),
    section(10, bodies),
  ]
  return Uint8Array.from(flat([[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0], sections]))
}

function bodyOf({ parameters, write }: Routine, names: readonly string[]): Code {
  const locals: Kind[] = []
  const add = <T extends Code>(of: Kind): Variable<T> => {
    locals.push(of)
    return variable<T>(parameters + locals.length - 1)
  }
  const scope: Scope = {
    parameters: Array.from({ length: parameters }, (_, at) => variable<Index>(at)),
    word: () => add('word'),
    words: (count) => Array.from({ length: count }, () => add<Word>('word')),
    index: () => add('index'),
    repeat(times, ...body) {
      const left = add<Index>('index')
      const again = index.subtract(left.get, index.constant(1))
      return [left.set(times), [0x03, 0x40, body], [left.set(again), left.get, 0x0d, 0, 0x0b]]
    },
    call(name, ...given) {
      const at = names.indexOf(name)
      if (at < 0) throw new Error(`there is no routine ${name}`)
      return [given, 0x10, unsigned(at)]
    },
  }
  const code = write(scope)
  return [list(locals.map((of) => [1, types[of]])), code, 0x0b]
}

function variable<T extends Code>(at: number): Variable<T> {
  const get: Code = [0x20, unsigned(at)]
  return { get: get as T, set: (value) => [value, 0x21, unsigned(at)] }
}

function list(parts: readonly Code[]): Code {
  return [unsigned(parts.length), parts]
}

function sized(code: Code): Code {
  const bytes = flat(code)
  return [unsigned(bytes.length), bytes]
}

function text(name: string): Code {
  return sized([...new TextEncoder().encode(name)])
}

function flat(code: Code, into: number[] = []): readonly number[] {
  for (const part of code) {
    if (typeof part === 'number') into.push(part)
    else flat(part, into)
  }
  return into
}

/** LEB128, section 5.2.2. */
function unsigned(value: number): Code {
  return value < 128 ? [value] : [(value & 127) | 128, unsigned(value >>> 7)]
}

function signed(value: bigint): Code {
  const low = Number(value & 127n)
  const rest = value >> 7n
  const isLast = (rest === 0n && low < 64) || (rest === -1n && low >= 64)
  return isLast ? [low] : [low | 128, signed(rest)]
}
