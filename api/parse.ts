import type { z } from 'zod'

import { Failure } from '@quorate/core/failure'

import { isUnsupported } from './unsupported.ts'

/** Enough to mend a body by; a hostile one gets no longer answer. */
const issuesMax = 20

/**
 * @param where of the request the value was found: `body`, `query` or `params`
 * @throws Failure `request.unsupported` for what the platform knows and does not serve, and
 *   `body.malformed` for everything else
 */
export function parse<T extends z.ZodType>(schema: T, value: unknown, where: string): z.output<T> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const { issues } = result.error
  const refused = issues.find(isUnsupported)
  if (refused !== undefined) {
    const name = refused.path.join('.') || where
    throw new Failure('request.unsupported', { reason: `${name} ${refused.message}` })
  }
  throw new Failure('body.malformed', {
    issues: issues.slice(0, issuesMax).map(({ path, message }) => ({
      path: [where, ...path].join('.'),
      message,
    })),
  })
}
