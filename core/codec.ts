import { bigToBytes, bytesToBig, fromUtf8, toUtf8 } from './bytes.ts'
import { Failure } from './failure.ts'

/**
 * Canonical binary. One value has one encoding and every length is bounded before anything is
 * allocated. Integers are big-endian; variable parts carry a four-byte length; a list its count.
 */
export interface Codec<T> {
  write(out: Writer, value: T): void
  read(from: Reader): T
}
export type Decoded<C> = C extends Codec<infer T> ? T : never

export function encode<T>(codec: Codec<T>, value: T): Uint8Array {
  const out = idle.pop() ?? new Writer()
  codec.write(out, value)
  const encoded = out.done()
  idle.push(out)
  return encoded
}

/** As many as encodings ever lie within each other. One whose value was refused is not used again. */
const idle: Writer[] = []

/** @throws Failure `bytes.malformed` for anything but exactly one canonical value */
export function decode<T>(codec: Codec<T>, bytes: Uint8Array): T {
  const from = new Reader(bytes)
  const value = codec.read(from)
  from.end()
  return value
}

/** Where one part of an encoded value lies. A list's count and a length are parts of their own. */
export type Span = {
  /** Members and entries by name and number, such as `shares.0.accuser`; a union's begin with its kind. */
  readonly path: string
  readonly form: 'integer' | 'bytes'
  readonly start: number
  readonly end: number
}

/**
 * Every part of an encoded value in its order, without a gap, as the codec itself reads it: for tests
 * that must not forget any.
 *
 * @throws Failure `bytes.malformed`
 */
export function layoutOf(codec: Codec<unknown>, bytes: Uint8Array): readonly Span[] {
  const from = new TracingReader(bytes)
  codec.read(from)
  from.end()
  return from.spans
}

/** What most values fit in; the room for a larger one is given back. */
const roomUsual = 4_096

class Writer {
  private buffer = new Uint8Array(roomUsual)
  private at = 0

  put(bytes: Uint8Array): void {
    this.reserve(bytes.length)
    this.buffer.set(bytes, this.at)
    this.at += bytes.length
  }
  int(value: number, size: number): void {
    if (!Number.isSafeInteger(value) || value < 0 || value >= 2 ** (8 * size))
      throw malformed(`an integer of ${size} bytes`)
    this.reserve(size)
    // Bitwise operators see 32 bits: of eight bytes, the upper four are a number of their own.
    const upper = size > 4 ? Math.floor(value / 2 ** 32) : 0
    const last = this.at + size - 1
    for (let i = 0; i < size; i++)
      this.buffer[last - i] = i < 4 ? value >>> (8 * i) : upper >>> (8 * (i - 4))
    this.at += size
  }
  /** What was written, of which nothing stays: it may be a secret. */
  done(): Uint8Array {
    const written = this.buffer.slice(0, this.at)
    if (this.buffer.length > roomUsual) this.buffer = new Uint8Array(roomUsual)
    else this.buffer.fill(0, 0, this.at)
    this.at = 0
    return written
  }
  private reserve(size: number): void {
    if (this.at + size <= this.buffer.length) return
    const larger = new Uint8Array(Math.max(this.buffer.length * 2, this.at + size))
    larger.set(this.buffer)
    this.buffer = larger
  }
}

class Reader {
  private readonly bytes: Uint8Array
  protected at = 0

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }
  take(size: number): Uint8Array {
    if (size > this.bytes.length - this.at) throw malformed('more bytes')
    this.at += size
    return this.bytes.slice(this.at - size, this.at)
  }
  int(size: number): number {
    if (size > this.bytes.length - this.at) throw malformed('more bytes')
    let value = 0
    for (const end = this.at + size; this.at < end; this.at++)
      value = value * 256 + (this.bytes[this.at] ?? 0)
    if (!Number.isSafeInteger(value)) throw malformed('a safe integer')
    return value
  }
  end(): void {
    if (this.at !== this.bytes.length) throw malformed('no further bytes')
  }
  /** A part that has a name within the value. */
  member<T>(_name: string | number, inner: Codec<T>): T {
    return inner.read(this)
  }
}

class TracingReader extends Reader {
  readonly spans: Span[] = []
  private path: readonly (string | number)[] = []

  override take(size: number): Uint8Array {
    return this.trace('bytes', () => super.take(size))
  }
  override int(size: number): number {
    return this.trace('integer', () => super.int(size))
  }
  override member<T>(name: string | number, inner: Codec<T>): T {
    const outer = this.path
    this.path = [...outer, name]
    const value = super.member(name, inner)
    this.path = outer
    return value
  }
  private trace<T>(form: Span['form'], read: () => T): T {
    const start = this.at
    const value = read()
    this.spans.push({ path: this.path.join('.'), form, start, end: this.at })
    return value
  }
}

function integer(size: number): Codec<number> {
  return { write: (out, value) => out.int(value, size), read: (from) => from.int(size) }
}
export const u8 = integer(1)
export const u16 = integer(2)
export const u32 = integer(4)
/** Eight bytes on the wire, of which JavaScript's 53 bits may be used. */
export const u64 = integer(8)

export const bool: Codec<boolean> = {
  write: (out, value) => out.int(value ? 1 : 0, 1),
  read: (from) => {
    const byte = from.int(1)
    if (byte > 1) throw malformed('0 or 1')
    return byte === 1
  },
}

/** Exactly `size` bytes, with no length before them. */
export function fixed(size: number): Codec<Uint8Array> {
  return {
    write: (out, value) => {
      if (value.length !== size) throw malformed(`${size} bytes`)
      out.put(value)
    },
    read: (from) => from.take(size),
  }
}
export const hash32 = fixed(32)

export function bytes(sizeMax: number): Codec<Uint8Array> {
  return {
    write: (out, value) => {
      if (value.length > sizeMax) throw malformed(`at most ${sizeMax} bytes`)
      out.int(value.length, 4)
      out.put(value)
    },
    read: (from) => {
      const size = from.int(4)
      if (size > sizeMax) throw malformed(`at most ${sizeMax} bytes`)
      return from.take(size)
    },
  }
}

/** UTF-8. Text with a lone surrogate has no encoding and is refused. */
export function text(sizeMax: number): Codec<string> {
  const inner = bytes(sizeMax)
  return {
    write: (out, value) => {
      if (!value.isWellFormed()) throw malformed('well-formed text')
      inner.write(out, toUtf8(value))
    },
    read: (from) => fromUtf8(inner.read(from)),
  }
}

/** A natural number below 2^256: its shortest big-endian bytes, none for zero. */
export const natural: Codec<bigint> = {
  write: (out, value) => {
    const size = value === 0n ? 0 : Math.ceil(value.toString(16).length / 2)
    if (value < 0n || size > 32) throw malformed('a natural number below 2^256')
    out.int(size, 1)
    out.put(bigToBytes(value, size))
  },
  read: (from) => {
    const size = from.int(1)
    if (size > 32) throw malformed('a natural number below 2^256')
    const digits = from.take(size)
    if (digits[0] === 0) throw malformed('the shortest form of a number')
    return bytesToBig(digits)
  },
}

export function option<T>(inner: Codec<T>): Codec<T | undefined> {
  return {
    write: (out, value) => {
      bool.write(out, value !== undefined)
      if (value !== undefined) inner.write(out, value)
    },
    read: (from) => (bool.read(from) ? inner.read(from) : undefined),
  }
}

export function list<T>(inner: Codec<T>, countMax: number, countMin = 0): Codec<readonly T[]> {
  const check = (count: number): void => {
    if (count < countMin || count > countMax) throw malformed(`${countMin} to ${countMax} entries`)
  }
  return {
    write: (out, values) => {
      check(values.length)
      out.int(values.length, 4)
      for (const value of values) inner.write(out, value)
    },
    read: (from) => {
      const count = from.int(4)
      check(count)
      const values: T[] = []
      for (let i = 0; i < count; i++) values.push(from.member(i, inner))
      return values
    },
  }
}

/** Tags are written and checked, but are no member of the value. */
type StructOf<F> = {
  readonly [K in keyof F as [Decoded<F[K]>] extends [undefined] ? never : K]: Decoded<F[K]>
}

/** Members in the order in which they are declared. */
export function struct<F extends { readonly [K in keyof F]: Codec<any> }>(
  fields: F,
): Codec<StructOf<F>> {
  const members = Object.entries<Codec<any>>(fields).map(([name, inner]) => ({
    name,
    inner,
    isTag: tags.has(inner),
  }))
  const fill: Fill = (from, value) => {
    for (let i = 0; i < members.length; i++) {
      const { name, inner, isTag } = members[i] as (typeof members)[number]
      const member = from.member(name, inner)
      if (!isTag) value[name] = member
    }
    return value
  }
  const codec: Codec<StructOf<F>> = {
    write: (out, value) => {
      const all = value as Readonly<Record<string, unknown>>
      for (let i = 0; i < members.length; i++) {
        const { name, inner } = members[i] as (typeof members)[number]
        inner.write(out, all[name])
      }
    },
    read: (from) => fill(from, {}) as StructOf<F>,
  }
  fills.set(codec, fill)
  return codec
}

/** Reads members into a value that has some already: a copy of all of them would take longer than reading. */
type Fill = (from: Reader, value: Record<string, unknown>) => Record<string, unknown>
const fills = new WeakMap<Codec<any>, Fill>()

/** A text that never changes: a domain tag, or the name of a format with its version. */
export function tag(name: string): Codec<undefined> {
  const inner = text(64)
  const codec: Codec<undefined> = {
    write: (out) => inner.write(out, name),
    read: (from) => {
      if (inner.read(from) !== name) throw malformed(`the tag ${name}`)
      return undefined
    },
  }
  tags.add(codec)
  return codec
}
const tags = new WeakSet<Codec<unknown>>()

/** One of several names, written as its number in the table. Numbers are never reused. */
export function oneOf<const T extends Readonly<Record<string, number>>>(
  numbers: T,
): Codec<keyof T & string> {
  const names = new Map(Object.entries(numbers).map(([name, number]) => [number, name]))
  return {
    write: (out, value) => out.int(numbers[value] ?? -1, 1),
    read: (from) => {
      const name = names.get(from.int(1))
      if (name === undefined) throw malformed('a known kind')
      return name
    },
  }
}

type Variants = Readonly<Record<string, readonly [number, Codec<any>]>>
type UnionOf<V extends Variants> = {
  readonly [K in keyof V & string]: { readonly kind: K } & Decoded<V[K][1]>
}[keyof V & string]

/** A union by `kind`: the variant's number, then its members. Numbers are never reused. */
export function union<const V extends Variants>(variants: V): Codec<UnionOf<V>> {
  const byNumber = new Map(
    Object.entries(variants).map(([kind, [number, inner]]) => [number, variantOf(kind, inner)]),
  )
  return {
    write: (out, value) => {
      const variant = Object.hasOwn(variants, value.kind) ? variants[value.kind] : undefined
      if (variant === undefined) throw malformed('a known kind')
      out.int(variant[0], 1)
      variant[1].write(out, value)
    },
    read: (from) => {
      const variant = byNumber.get(from.int(1))
      if (variant === undefined) throw malformed('a known kind')
      return from.member(variant.kind, variant.codec) as UnionOf<V>
    },
  }
}

function variantOf(kind: string, inner: Codec<any>) {
  const fill = fills.get(inner)
  const read = (from: Reader) =>
    fill === undefined ? { kind, ...inner.read(from) } : fill(from, { kind })
  return { kind, codec: { ...inner, read } }
}

function malformed(expected: string): Failure {
  return new Failure('bytes.malformed', { expected })
}
