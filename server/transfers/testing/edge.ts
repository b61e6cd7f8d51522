import { randomBytes } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import type { Caller } from '../../auth/caller.ts'
import { buildHttp } from '../../http/app.ts'
import { openKeptAnswers } from '../../http/kept-answers.ts'
import type { Route } from '../../http/route.ts'
import { hashMsMax } from '../../transactions/routes.ts'
import { openQuota } from '../../usage/quota.ts'
import type { RequestDeps } from '../request.ts'
import type { Treasury } from './treasury.ts'

/**
 * What the routes of money need. No worker runs unless `wake` is one's: each step is a test's, and no
 * answer waits for one.
 */
export function moneyDeps(
  { deps, platform }: Pick<Treasury, 'deps' | 'platform'>,
  given: Partial<RequestDeps> = {},
): RequestDeps {
  const { coordinator } = platform
  const own = { quota: openQuota(undefined), life: new Uint8Array(randomBytes(16)) }
  const alone = { wake: () => undefined, hashWithinMs: given.wake === undefined ? 0 : hashMsMax }
  return { ...deps, coordinator, ...own, ...alone, ...given }
}

/** The HTTP edge before these routes, to be asked without a socket: whoever asks is the caller. */
export function openEdge(
  { caller, database, deps }: Pick<Treasury, 'caller' | 'database' | 'deps'>,
  routes: readonly Route<Caller>[],
): FastifyInstance {
  return buildHttp<Caller>({
    routes,
    authenticate: async () => caller,
    allowsOrigin: async () => false,
    keepAnswer: openKeptAnswers({ database, now: Date.now }),
    log: deps.log,
  })
}
