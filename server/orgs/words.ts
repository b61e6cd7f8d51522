import type { Evidence } from '@quorate/authority/step'
import { isObject, parseJson } from '@quorate/core/json'

/**
 * A word of a body in the log, which no rule has read. Empty (`null`): it was said, and is erased, or
 * was taken back; nothing at all: it was not said.
 */
export function wordIn(
  { payload, traces = [] }: Pick<Evidence, 'payload' | 'traces'>,
  member: string,
): string | null | undefined {
  const body = payload === '' ? {} : parseJson(payload)
  const value = isObject(body) ? body[member] : undefined
  if (typeof value === 'string' || value === null) return value
  return traces.some((trace) => trace.kind === 'erased' && trace.name === member) ? null : undefined
}
