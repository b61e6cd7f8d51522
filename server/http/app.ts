import { Readable } from 'node:stream'
import Fastify from 'fastify'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import type { Endpoint } from '@quorate/api/endpoint'
import { replayedHeader } from '@quorate/api/idempotency'
import { parse } from '@quorate/api/parse'
import {
  matchOperation,
  withoutTrailingSlash,
  readRequestBody,
} from '@quorate/authority/operations'
import type { OperationName } from '@quorate/authority/operations'
import type { Operation } from '@quorate/authority/operations/operation'
import { payloadBytesMax } from '@quorate/authority/request'
import { fromUtf8 } from '@quorate/core/bytes'
import { Failure } from '@quorate/core/failure'

import { type AllowsOrigin, greetWith, servePreflights } from './cors.ts'
import { envelopeOf, envelopeOfError } from './envelope.ts'
import type { Envelope, Log } from './envelope.ts'
import { Csv } from './csv.ts'
import { keyOf, requestHashOf, type KeepAnswer, type Written } from './repeatable.ts'
import { Held, type OpenInput, type RawRequest, type Route } from './route.ts'

/**
 * A payload comes a second time as a string inside of JSON, where each quote and backslash is
 * escaped: no honest one grows fourfold.
 */
export const bodyBytesMax = 4 * payloadBytesMax
/** To send a whole request in; answers may take longer. It is looked at as often, so that two may pass. */
const usualRequestTimeoutMs = 30_000
/** Longer than the idle time of usual proxies, so that it is they who close. */
const keepAliveTimeoutMs = 75_000
/**
 * Clients are told that time and ask until shortly before its end. Whoever asks as the connection is
 * closed has no answer and cannot tell why: here it is open for so long beyond, even if one of the two
 * is busy for seconds.
 */
const keepAliveBufferMs = 15_000
/** To read a table in: some ten megabytes. */
const tableMsMax = 5 * 60_000
const methods = ['GET', 'POST', 'PUT', 'DELETE']

/** @throws Failure `token.invalid` or what else the token is not good for */
export type Authenticate<Caller> = (ask: {
  readonly name: OperationName
  readonly operation: Operation
  /** The header as it came. */
  readonly authorization: string | undefined
}) => Promise<Caller>

export type Edge<Caller> = {
  readonly routes: readonly Route<Caller>[]
  readonly authenticate: Authenticate<Caller>
  readonly allowsOrigin: AllowsOrigin
  readonly keepAnswer: KeepAnswer<Caller>
  readonly log: Log
}

/**
 * The HTTP edge: limits, JSON in and out, one envelope for all that goes wrong. Routing is not
 * Fastify's but the table's own, the same function that signers read signed paths with.
 */
export function buildHttp<Caller>(
  edge: Edge<Caller>,
  { requestTimeoutMs = usualRequestTimeoutMs }: { readonly requestTimeoutMs?: number } = {},
): FastifyInstance {
  const serve = server(edge)
  const greet = greetWith(edge.allowsOrigin)
  const fail = (error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply =>
    send(reply, envelopeOfError(translated(error, request), doing(request), edge.log))

  const app = Fastify({
    bodyLimit: bodyBytesMax,
    requestTimeout: requestTimeoutMs,
    http: { connectionsCheckingInterval: requestTimeoutMs },
    keepAliveTimeout: keepAliveTimeoutMs,
    exposeHeadRoutes: false,
    // These come before every hook.
    frameworkErrors: (error, request, reply) =>
      void greet(request, reply).then(
        () => fail(error, request, reply),
        (other) => fail(other, request, reply),
      ),
    clientErrorHandler: (error, socket) => socket.end(malformedRequest(error.code)),
  })
  app.server.keepAliveTimeoutBuffer = keepAliveBufferMs
  app.addHook('onRequest', greet)
  servePreflights(app, methods)
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  app.setErrorHandler(fail)
  app.setNotFoundHandler((request, reply) => fail(notFound(request), request, reply))
  app.route({
    method: methods,
    url: '*',
    handler: async (request, reply) => {
      const answer = await serve(request, reply)
      if (!(answer instanceof Csv)) return sendJson(reply, answer)
      return sendTable(reply, answer, (err) =>
        edge.log.error({ doing: doing(request), err }, 'a table was not sent whole'),
      )
    },
  })
  return app
}

function server<Caller>({ routes, authenticate, keepAnswer }: Edge<Caller>) {
  const routesByName = new Map(routes.map((route) => [route.endpoint.name, route]))
  if (routesByName.size !== routes.length) throw new Error('one operation is served twice')

  return async (request: FastifyRequest, reply: FastifyReply): Promise<Csv | Written> => {
    const [path = '', search = ''] = splitOnce(request.raw.url ?? '', '?')
    const match = matchOperation(request.method, withoutTrailingSlash(path))
    const route = match && routesByName.get(match.name)
    if (match === undefined || route === undefined) throw notFound(request)
    const { name, operation } = match
    const { authorization } = request.headers
    // Whoever has no token learns nothing about what a right body would be.
    const caller = route.open ? undefined : await authenticate({ name, operation, authorization })
    const { endpoint } = route
    const raw = rawOf(request)
    // Each value is by its own endpoint's schema, which is what the handler was tied to.
    const input = {
      params: parse(endpoint.params, match.params, 'params'),
      query: parse(endpoint.query, queryOf(search), 'query'),
      body: parse(endpoint.body, readRequestBody(match, raw.body), 'body'),
      raw,
    } as OpenInput<never, never, never>
    if (route.open) return served(endpoint, await route.handle(input))
    const { handle } = route
    const by = { ...input, caller: caller as Caller }
    const key = keyOf(match, request.headers)
    if (key === undefined) return served(endpoint, await handle(by))
    const asked = { ...by, key, request: requestHashOf(raw), userAction: raw.userAction }
    // It stays on whatever is thrown from here on: the key was looked at.
    reply.header(replayedHeader, 'false')
    const kept = await keepAnswer(asked, async (action) => {
      const given = action === undefined ? by : { ...by, raw: { ...raw, action } }
      const answer = served(endpoint, await handle(given))
      if (answer instanceof Csv) throw new TypeError('no table is kept')
      return answer
    })
    if (kept.isRepeated) reply.header(replayedHeader, 'true')
    return kept
  }
}

function served(endpoint: Endpoint, answer: unknown): Csv | Written {
  if (answer instanceof Csv) return answer
  const [status, value] = answer instanceof Held ? [202, answer.answer] : [200, answer]
  return { status, text: JSON.stringify(endpoint.returns.parse(value)) }
}

function rawOf({ method, headers, raw, body }: FastifyRequest): RawRequest {
  const userAction = headers['x-dfns-useraction']
  return {
    method,
    url: raw.url ?? '',
    body: Buffer.isBuffer(body) ? textOf(body, headers['content-type']) : '',
    userAction: typeof userAction === 'string' ? userAction : undefined,
    ...(/^text\/csv\b/i.test(headers.accept ?? '') ? { wantsCsv: true } : {}),
  }
}

function textOf(body: Buffer, contentType: string | undefined): string {
  if (body.length === 0) return ''
  if (!/^application\/json *(; *charset=utf-8 *)?$/i.test(contentType ?? '')) {
    const message = 'must be application/json'
    throw new Failure('body.malformed', { issues: [{ path: 'content-type', message }] })
  }
  return fromUtf8(body)
}

/** Of a name given twice the first value counts; `Object.fromEntries` never sets a prototype. */
function queryOf(search: string): Readonly<Record<string, string>> {
  return Object.fromEntries([...new URLSearchParams(search)].toReversed())
}

function splitOnce(text: string, at: string): readonly [string, string] {
  const index = text.indexOf(at)
  return index < 0 ? [text, ''] : [text.slice(0, index), text.slice(index + 1)]
}

function notFound({ method, raw }: FastifyRequest): Failure {
  return new Failure('route.not_found', { method, path: raw.url ?? '' })
}

/** What Fastify itself finds wrong with a request, in our words. */
function translated(error: unknown, request: FastifyRequest): unknown {
  const { code, statusCode = 500 } = error as Partial<FastifyError>
  if (code === 'FST_ERR_BAD_URL') return notFound(request)
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE')
    return new Failure('body.too_large', { bytesMax: bodyBytesMax }, { cause: error })
  if (code?.startsWith('FST_ERR_') !== true || statusCode >= 500) return error
  const issues = [{ path: 'request', message: 'cannot be read' }]
  return new Failure('body.malformed', { issues }, { cause: error })
}

function doing({ method, raw }: FastifyRequest): string {
  return `${method} ${splitOnce(raw.url ?? '', '?')[0]}`
}

function send(reply: FastifyReply, envelope: Envelope): FastifyReply {
  return sendJson(reply, { status: envelope.error.status, text: JSON.stringify(envelope) })
}

const answerHeaders = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' }

/**
 * To be saved: a browser shows nothing of what strangers have written into it. No more is made of it than
 * somebody reads, and whoever reads too slowly has the connection cut, as has one that cannot be told of an
 * error any more.
 */
function sendTable(
  reply: FastifyReply,
  { pieces }: Csv,
  failed: (error: Error) => void,
): FastifyReply {
  const disposition = { 'content-disposition': 'attachment; filename="history.csv"' }
  const signal = AbortSignal.timeout(tableMsMax)
  const text = Readable.from(pieces, { objectMode: false, signal }).once('error', failed)
  return reply
    .code(200)
    .headers({ ...answerHeaders, ...disposition })
    .type('text/csv; charset=utf-8')
    .send(text)
}

function sendJson(reply: FastifyReply, { status, text }: Written): FastifyReply {
  return reply
    .code(status)
    .headers(answerHeaders)
    .type('application/json; charset=utf-8')
    .send(text)
}

/** For bytes that never became a request: there is only a socket to answer on. */
function malformedRequest(code: string): string {
  const status =
    code === 'HPE_HEADER_OVERFLOW' ? 431 : code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400
  const body = JSON.stringify(envelopeOf({ status, message: 'the request cannot be read' }))
  return [
    `HTTP/1.1 ${status} Bad Request`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
    '',
    body,
  ].join('\r\n')
}
