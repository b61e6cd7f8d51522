import { idempotencyKeyHeader, replayedHeader } from '@quorate/api/idempotency'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

/** As browsers write an origin (RFC 6454, section 6.2); what is `null` is nobody's. */
const form = /^https?:\/\/(?:[a-z0-9.-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::[0-9]{1,5})?$/
/** How long a browser may remember an answer: an origin that was taken away is soon away. */
const preflightSeconds = 600
/** Older and newer official clients send all of these. */
const requestHeaders = [
  'authorization',
  'content-type',
  'x-dfns-useraction',
  'x-dfns-sdk-version',
  'x-dfns-appid',
  'x-dfns-nonce',
  idempotencyKeyHeader,
]

/** May pages of this origin read our answers? */
export type AllowsOrigin = (origin: string) => Promise<boolean>

/** To be called before anything is answered, whatever the answer will be. */
export type Greet = (request: FastifyRequest, reply: FastifyReply) => Promise<void>

/**
 * Lets pages of allowed origins read what is answered, errors as well (Fetch standard, section
 * 3.2). Others get the same answers, which their browsers keep from them.
 */
export function greetWith(allowsOrigin: AllowsOrigin): Greet {
  return async ({ headers: { origin } }, reply) => {
    // Also where there is none: no cache may give the answer to somebody who has one.
    reply.header('vary', 'Origin')
    if (origin === undefined || !form.test(origin) || !(await allowsOrigin(origin))) return
    reply.headers({
      'access-control-allow-origin': origin,
      'access-control-expose-headers': replayedHeader,
    })
  }
}

/** A browser's question before a page's request, of which it names nothing but its form. */
export function servePreflights(app: FastifyInstance, methods: readonly string[]): void {
  app.options('*', (_request, reply) => {
    if (!reply.hasHeader('access-control-allow-origin')) return void reply.callNotFound()
    return reply
      .code(204)
      .headers({
        'access-control-allow-methods': methods.join(', '),
        'access-control-allow-headers': requestHeaders.join(', '),
        'access-control-max-age': String(preflightSeconds),
      })
      .send()
  })
}
