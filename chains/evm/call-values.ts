import { Failure } from '@quorate/core/failure'
import type { Json, JsonObject } from '@quorate/core/json'

/** A parameter of a contract's function, as its ABI has it. */
export type Parameter = {
  readonly name: string
  readonly type: string
  readonly components?: readonly Parameter[] | undefined
}

/** By the name that selectors are made of: a number of no width has 256 bits, also within a list or a struct. */
export function canonical(parameter: Parameter): Parameter {
  const { type, components } = parameter
  return {
    ...parameter,
    type: type.replace(/^u?int(?![0-9])/, (word) => `${word}256`),
    ...(components === undefined ? {} : { components: components.map(canonical) }),
  }
}

/** JSON as an encoder of ABIs takes it: whole numbers as such, bytes with their `0x`, structs by the names of their parts. */
export function valueIn(
  parameter: Parameter,
  value: Json | undefined,
  path = parameter.name,
): unknown {
  const element = elementOf(parameter)
  if (element !== undefined) {
    if (!Array.isArray(value)) throw unfit(path, 'not a list')
    return value.map((each: Json, i) => valueIn(element, each, `${path}.${i}`))
  }
  const { type, components = [] } = parameter
  if (type === 'tuple') return structIn(components, value, path)
  if (/^u?int/.test(type)) return wholeNumber(value, path)
  if (type.startsWith('bytes')) return wholeBytes(value, path)
  if (type === 'bool') return typeof value === 'boolean' ? value : unfits(path, 'not true or false')
  return typeof value === 'string' ? value : unfits(path, 'not text')
}

/** What a decoder of ABIs gives, as JSON: whole numbers of any size are text, so that none is rounded. */
export function valueOut(parameter: Parameter, value: unknown): Json {
  const element = elementOf(parameter)
  if (element !== undefined)
    return (value as readonly unknown[]).map((each) => valueOut(element, each))
  const { type, components = [] } = parameter
  if (type === 'tuple') return structOut(components, value)
  return typeof value === 'boolean' ? value : String(value)
}

function structIn(
  components: readonly Parameter[],
  value: Json | undefined,
  path: string,
): Record<string, unknown> {
  if (value === undefined || value === null || typeof value !== 'object')
    throw unfit(path, 'neither a list nor an object')
  const given = Array.isArray(value)
    ? new Map(value.map((each: Json, i) => [String(i), each]))
    : new Map(Object.entries(value as JsonObject))
  if (given.size !== components.length) throw unfit(path, `not ${components.length} values`)
  return Object.fromEntries(
    components.map((component, i) => {
      const at = Array.isArray(value) || component.name === '' ? String(i) : component.name
      return [component.name || String(i), valueIn(component, given.get(at), `${path}.${at}`)]
    }),
  )
}

/** viem gives a struct as an object, and as a list once one of its parts has no name. */
function structOut(components: readonly Parameter[], value: unknown): Json {
  if (Array.isArray(value)) return components.map((component, i) => valueOut(component, value[i]))
  const parts = new Map(Object.entries(Object(value)))
  return Object.fromEntries(
    components.map((component) => [component.name, valueOut(component, parts.get(component.name))]),
  )
}

/** The parameter within an array's brackets. */
function elementOf(parameter: Parameter): Parameter | undefined {
  const array = /^(.+)\[[0-9]*\]$/.exec(parameter.type)
  return array?.[1] === undefined ? undefined : { ...parameter, type: array[1] }
}

function wholeNumber(value: Json | undefined, path: string): bigint {
  const isText = typeof value === 'string' && /^(-?[0-9]{1,78}|0x[0-9a-fA-F]{1,64})$/.test(value)
  if (!isText && !Number.isSafeInteger(value)) throw unfit(path, 'not a whole number')
  return BigInt(value as string | number)
}

/** The encoder takes whatever it is given for hex behind a `0x`, and cuts or pads what is none. */
function wholeBytes(value: Json | undefined, path: string): string {
  const digits =
    typeof value === 'string' ? /^(?:0x)?((?:[0-9a-fA-F]{2})*)$/.exec(value)?.[1] : undefined
  if (digits === undefined) throw unfit(path, 'not whole bytes in hex')
  return `0x${digits}`
}

function unfits(path: string, message: string): never {
  throw unfit(path, message)
}

function unfit(path: string, message: string): Failure<'body.malformed'> {
  return new Failure('body.malformed', { issues: [{ path, message }] })
}
