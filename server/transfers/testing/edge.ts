import type { FastifyInstance } from 'fastify'
import type { Caller } from '../../auth/caller.ts'
import { buildHttp } from '../../http/app.ts'
import { openKeptAnswers } from '../../http/kept-answers.ts'
import type { Route } from '../../http/route.ts'
import type { Treasury } from './treasury.ts'

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
