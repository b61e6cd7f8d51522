import { nameOf, type IdKind } from '@quorate/core/id'
import type { Json, JsonObject } from '@quorate/core/json'
import { isObject } from '@quorate/core/json'
import { encodeRecord, nameTable, recordKey, type Table, type Write } from '../records.ts'
import type { ItemOperation } from '../step.ts'
import { find, refuse, type Judging } from './judging.ts'

/** What an item comes to: its canonical form, and the records that it changes. */
export type Reduced = { readonly operation: ItemOperation; readonly writes: readonly Write[] }
export type { Write }

export function put<T>(
  table: Table<T>,
  name: readonly (Uint8Array | string | bigint)[],
  value: T,
): Write {
  return { key: recordKey(table, ...name), value: encodeRecord(table, value) }
}

/** Gives a new object its name on the wire. A second object of that name is invalid. */
export function putName(judging: Judging, kind: IdKind, id: Uint8Array): Write {
  const name = nameOf(kind, id)
  if (find(judging, nameTable, name) !== undefined) refuse(`${name} exists already`)
  return put(nameTable, [name], { id })
}

export function objectOf(value: Json | undefined): JsonObject {
  return isObject(value) ? value : refuse('the body is not an object')
}

export function textOf(body: JsonObject, name: string): string {
  const value: Json | undefined = body[name]
  return typeof value === 'string' ? value : refuse(`${name} is not a text`)
}

export function optionalText(body: JsonObject, name: string): string | undefined {
  return body[name] === undefined ? undefined : textOf(body, name)
}

/** Absent counts as false. */
export function flagOf(body: JsonObject, name: string): boolean {
  const value = body[name] ?? false
  return typeof value === 'boolean' ? value : refuse(`${name} is not true or false`)
}
