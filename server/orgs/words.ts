import type { Evidence } from '@quorate/authority/step'
import { isObject, parseJson } from '@quorate/core/json'

/**
 * A word of a body in the log, which no rule has read. Empty (`null`): it was said, and is erased, or
 * was taken back, by an empty text too; nothing at all: it was not said.
 */
export function wordIn(
  { payload, traces = [] }: Pick<Evidence, 'payload' | 'traces'>,
  member: string,
): string | null | undefined {
  const body = payload === '' ? {} : parseJson(payload)
  const value = isObject(body) ? body[member] : undefined
  if (value === '' || value === null) return null
  if (typeof value === 'string') return value
  return traces.some((trace) => trace.kind === 'erased' && trace.name === member) ? null : undefined
}
