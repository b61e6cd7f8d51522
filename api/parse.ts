import type { z } from 'zod'

import { Failure } from '@quorate/core/failure'

import { isUnsupported } from './unsupported.ts'

/** Enough to mend a body by; a hostile one gets no longer answer. */
const issuesMax = 20

/** Deeper than any body is read. */
const depthMax = 64

/**
 * @param where of the request the value was found: `body`, `query` or `params`
 * @throws Failure `request.unsupported` for what the platform knows and does not serve, and
 *   `body.malformed` for everything else
 */
export function parse<T extends z.ZodType>(schema: T, value: unknown, where: string): z.output<T> {
  const path = pathOfNul(value)
  if (path !== undefined)
    throw malformed([{ path: [where, ...path].join('.'), message: 'has the character U+0000' }])
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const { issues } = result.error
  const refused = issues.find(isUnsupported)
  if (refused !== undefined) {
    const name = refused.path.join('.') || where
    throw new Failure('request.unsupported', { reason: `${name} ${refused.message}` })
  }
  throw malformed(
    issues.map(({ path: of, message }) => ({ path: [where, ...of].join('.'), message })),
  )
}

type Issue = { readonly path: string; readonly message: string }

function malformed(issues: readonly Issue[]): Failure {
  return new Failure('body.malformed', { issues: issues.slice(0, issuesMax) })
}

/** Where a text, or the name of a member, has the one character that PostgreSQL keeps in no text. */
function pathOfNul(value: unknown, depth = 0): readonly string[] | undefined {
  if (typeof value === 'string') return value.includes('\0') ? [] : undefined
  if (typeof value !== 'object' || value === null || depth > depthMax) return undefined
  for (const [name, member] of Object.entries(value)) {
    if (name.includes('\0')) return []
    const path = pathOfNul(member, depth + 1)
    if (path !== undefined) return [name, ...path]
  }
  return undefined
}
