import { Failure, isFailure } from './failure.ts'

/**
 * The one JSON parser behind everything that is signed. Stricter than `JSON.parse`, so that no two
 * implementations can read one text differently: no duplicate member, no `__proto__`, no lone
 * surrogate, numbers only as integers that JavaScript holds exactly, nothing after the value.
 */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject
export type JsonObject = { readonly [name: string]: Json }

/** A top-level member as it stands in the text: `raw` is the value's exact characters. */
export type Member = { readonly name: string; readonly raw: string }

/** Deeper than any body of the API; keeps recursion off the end of the stack. */
const depthMax = 32
const integerForm = /-?(?:0|[1-9][0-9]*)/y
const decimalForm = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?/y
/** Every decimal of so many digits is told from every other by a double (IEEE 754, binary64). */
const decimalDigitsMax = 15
/** What stands for itself in a string: from the space on everything but quote and backslash. */
const plainRun = /[ !#-[\]-\uffff]*/y
const escapeForm = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y

/** @throws Failure `json.malformed` */
export function parseJson(text: string): Json {
  return new Parser(text).whole().value
}

/**
 * For the few bodies that hold fractions, limits in a currency: as `parseJson`, and takes decimals of
 * at most fifteen digits too, without exponent, so that a number still is what was written.
 * @throws Failure `json.malformed`
 */
export function parseJsonWithDecimals(text: string): Json {
  return new Parser(text, decimalForm).whole().value
}

/**
 * @returns the top-level members in order of appearance, or none when the text is not an object
 * @throws Failure `json.malformed`, for more than `countMax` of them too
 */
export function membersOf(text: string, countMax: number): readonly Member[] {
  // What is cut out stays the text it was, so that decimals lose nothing here.
  const { members } = new Parser(text, decimalForm).whole()
  if (members.length > countMax) throw malformed(`more than ${countMax} members`)
  return members
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

class Parser {
  private readonly text: string
  private at = 0
  private readonly members: Member[] = []
  private readonly numberForm: RegExp

  constructor(text: string, numberForm = integerForm) {
    this.text = text
    this.numberForm = numberForm
  }

  whole(): { value: Json; members: readonly Member[] } {
    if (!this.text.isWellFormed()) throw malformed('a lone surrogate')
    const value = this.value(0)
    this.space()
    if (this.at !== this.text.length) throw malformed('text after the value')
    return { value, members: this.members }
  }

  private value(depth: number): Json {
    if (depth > depthMax) throw malformed('nested too deep')
    this.space()
    const first = this.text[this.at]
    if (first === '{') return this.object(depth)
    if (first === '[') return this.array(depth)
    if (first === '"') return this.string()
    if (first === 't') return this.word('true', true)
    if (first === 'f') return this.word('false', false)
    if (first === 'n') return this.word('null', null)
    return this.number()
  }

  private object(depth: number): JsonObject {
    const entries = new Map<string, Json>()
    this.at++
    this.space()
    if (this.taken('}')) return {}
    do {
      this.space()
      const name = this.string()
      if (entries.has(name)) throw malformed('a member given twice')
      if (name === '__proto__') throw malformed('a member named __proto__')
      this.space()
      this.expect(':')
      this.space()
      const from = this.at
      entries.set(name, this.value(depth + 1))
      if (depth === 0) this.members.push({ name, raw: this.text.slice(from, this.at) })
      this.space()
    } while (this.taken(','))
    this.expect('}')
    return Object.fromEntries(entries)
  }

  private array(depth: number): readonly Json[] {
    const values: Json[] = []
    this.at++
    this.space()
    if (this.taken(']')) return values
    do {
      values.push(this.value(depth + 1))
      this.space()
    } while (this.taken(','))
    this.expect(']')
    return values
  }

  private string(): string {
    const from = this.at
    this.expect('"')
    this.skip(plainRun)
    while (this.text[this.at] === '\\') {
      if (!this.skip(escapeForm)) throw malformed('an escape')
      this.skip(plainRun)
    }
    if (this.at === this.text.length) throw malformed('a string without end')
    if (!this.taken('"')) throw malformed('a control character in a string')
    // A string of its own: a part of the text would keep all of the text in memory with it.
    const out = JSON.parse(this.text.slice(from, this.at)) as string
    if (!out.isWellFormed()) throw malformed('a lone surrogate')
    return out
  }

  private skip(form: RegExp): boolean {
    form.lastIndex = this.at
    if (!form.test(this.text)) return false
    this.at = form.lastIndex
    return true
  }

  private number(): number {
    this.numberForm.lastIndex = this.at
    const digits = this.numberForm.exec(this.text)?.[0]
    if (digits === undefined || !isExact(digits))
      throw malformed('not a JSON value with exact numbers')
    this.at += digits.length
    return Number(digits)
  }

  private word<T extends Json>(word: string, value: T): T {
    if (!this.text.startsWith(word, this.at)) throw malformed('an unknown word')
    this.at += word.length
    return value
  }

  private space(): void {
    while (' \t\n\r'.includes(this.text[this.at] ?? '.')) this.at++
  }

  private taken(character: string): boolean {
    const here = this.text[this.at] === character
    if (here) this.at++
    return here
  }

  private expect(character: string): void {
    if (!this.taken(character)) throw malformed(`${character} expected`)
  }
}

function malformed(reason: string): Failure {
  return new Failure('json.malformed', { reason })
}

function isExact(digits: string): boolean {
  const value = Number(digits)
  if (Object.is(value, -0)) return false
  if (!digits.includes('.')) return Number.isSafeInteger(value)
  return digits.replace(/[-.]/g, '').length <= decimalDigitsMax
}

/**
 * For a file that a person has written.
 * @param what as in "the file of nodes"
 * @throws Error that says what is wrong, in words for whoever has written it
 */
export function parseFile(text: string, what: string): JsonObject {
  const value = wellFormed(text, what)
  if (!isObject(value)) throw new Error(`The ${what} is not a JSON object.`)
  return value
}

function wellFormed(text: string, what: string): Json {
  try {
    return parseJson(text)
  } catch (error) {
    if (!isFailure(error, 'json.malformed')) throw error
    throw new Error(`The ${what} is not JSON: ${error.context.reason}.`)
  }
}
