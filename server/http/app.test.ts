import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type IncomingMessage, request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { Failure } from '@quorate/core/failure'
import { getHealth } from '@quorate/api/health'
import { getKey, listKeys } from '@quorate/api/keys'
import { generateKeySignature } from '@quorate/api/signatures'

import { bodyBytesMax, buildHttp } from './app.ts'
import type { Edge } from './app.ts'
import { csvOf } from './csv.ts'
import { routing } from './route.ts'
import type { RawRequest } from './route.ts'

type Caller = { readonly userId: string }
const { route, openRoute } = routing<Caller>()

const seen: RawRequest[] = []
const logged: { id?: string; doing?: string; err?: unknown }[] = []
const key = {
  id: 'key-1',
  scheme: 'EdDSA',
  curve: 'ed25519',
  publicKey: '00',
  status: 'Active',
  custodial: true,
  dateCreated: '2026-01-31T12:00:00.000Z',
  certificate: '00',
} as const

let pagesMade = 0
/** So many, and then none because of an error; no page is small. */
async function* pagesOf(count: number) {
  for (let i = 1; i <= count; i++) {
    pagesMade = i
    yield [['x'.repeat(250_000)]]
  }
  throw new Error('no more pages')
}

const allowedOrigin = 'https://app.example'
const edge: Edge<Caller> = {
  authenticate: async ({ authorization }) => {
    if (authorization !== 'Bearer good') throw new Failure('token.invalid', {})
    return { userId: 'us-1' }
  },
  allowsOrigin: async (from) => {
    if (from === 'https://broken.example') throw new Error('the database is away')
    assert.match(from, /^https?:/)
    return from === allowedOrigin
  },
  keepAnswer: async () => assert.fail('no answer here is kept'),
  log: { error: (context) => void logged.push(context) },
  routes: [
    openRoute(getHealth, async () => ({ status: 'ok' })),
    route(getKey, async ({ params: { keyId } }) => {
      if (keyId === 'key-bug') throw new Error('password is hunter2')
      if (keyId === 'key-hole') return { ...key, status: 'Melted' as 'Active', wallets: [], store }
      if (keyId !== 'key-1') throw new Failure('key.not_found', { keyId })
      return { ...key, wallets: [], store, shareSealedUnder: 'not for the world' }
    }),
    route(listKeys, async ({ query, raw }) =>
      raw.wantsCsv === true
        ? csvOf(['id'], pagesOf(query.limit))
        : { items: [], nextPageToken: String(query.limit) },
    ),
    route(generateKeySignature, async ({ params, body, caller, raw }) => {
      seen.push(raw)
      return {
        id: 'sig-1',
        keyId: params.keyId,
        requester: caller,
        requestBody: body,
        status: 'Signed',
        dateRequested: key.dateCreated,
      }
    }),
  ],
}
const store = { id: 'ks-1', kind: 'Mpc', keyId: 'key-1' } as const
const app = buildHttp(edge)
let origin = ''

before(async () => {
  await app.listen({ port: 0, host: '127.0.0.1' })
  origin = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
})
after(() => app.close())

/** What these tests look at, of whatever was answered. */
type Body = {
  readonly message?: string
  readonly error?: {
    readonly id: string
    readonly status: number
    readonly message: string
    readonly details: unknown
  }
  readonly requestBody?: unknown
  readonly nextPageToken?: string
}
type Answer = { readonly status: number; readonly body: Body; readonly headers: Headers }

async function ask(path: string, init: RequestInit = {}): Promise<Answer> {
  const headers = { authorization: 'Bearer good', ...(init.headers as Record<string, string>) }
  const response = await fetch(`${origin}${path}`, { ...init, headers })
  return {
    status: response.status,
    body: (await response.json()) as Body,
    headers: response.headers,
  }
}
function post(
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const all = { 'content-type': 'application/json', ...headers }
  return ask('/keys/key-1/signatures', { method: 'POST', body, headers: all })
}
function assertEnvelope(
  { body, status, headers }: Answer,
  expected: number,
  message?: string,
): void {
  assert.equal(status, expected, JSON.stringify(body))
  assert.match(headers.get('content-type') ?? '', /^application\/json/)
  assert.ok(body.error)
  assert.match(body.error.id, /^[1-9][0-9]{18}$/)
  assert.equal(body.error.status, expected)
  assert.equal(body.error.message, body.message)
  assert.equal(typeof body.error.details, 'object')
  if (message !== undefined) assert.equal(body.message, message)
}
const hash = { kind: 'Hash', hash: 'ab'.repeat(32) }

test('an answer consists of what the endpoint names', async () => {
  const { status, body } = await ask('/keys/key-1')
  assert.equal(status, 200)
  assert.deepEqual(body, { ...key, wallets: [], store })
})

test('a handler gets the text of the body besides its value, and the user action', async () => {
  const text = `{ "hash": "${hash.hash}", "kind": "Hash" }`
  const { status, body } = await post(text, { 'X-DFNS-USERACTION': 'token' })
  assert.equal(status, 200)
  assert.deepEqual(body.requestBody, hash)
  assert.deepEqual(seen.at(-1), {
    method: 'POST',
    url: '/keys/key-1/signatures',
    body: text,
    userAction: 'token',
  })
})

test('no token, no answer, and no word about the body', async () => {
  for (const authorization of ['', 'Bearer bad', 'good'])
    assertEnvelope(await post('{"nonsense', { authorization }), 401, 'Not Authorized.')
})

test('an open route asks for no token', async () => {
  const { status, body } = await ask('/health', { headers: { authorization: '' } })
  assert.equal(status, 200)
  assert.deepEqual(body, { status: 'ok' })
})

test('what is not there is not found, whatever the method or the spelling', async () => {
  const paths = ['/', '/nowhere', '/keys/key-1/nothing', '/%6beys', '/keys//', '/keys/%zz']
  for (const path of paths) assertEnvelope(await ask(path), 404, 'route not found')
  for (const method of ['PUT', 'DELETE', 'PATCH', 'PROPFIND'])
    assertEnvelope(await ask('/keys', { method }), 404, 'route not found')
  assertEnvelope(await ask('/permissions'), 404, 'route not found')
})

test('a path that URL parsers would resolve is served to nobody', async () => {
  assert.match(await rawly('GET /keys/../health HTTP/1.1'), /^HTTP\/1\.1 404 /)
  assert.match(await rawly('GET /./health HTTP/1.1'), /^HTTP\/1\.1 404 /)
  assert.match(await rawly('GET /%ff HTTP/1.1'), /^HTTP\/1\.1 404 /)
})

test('one slash at the end of a path is forgiven', async () => {
  assert.equal((await ask('/keys/')).status, 200)
})

test('a failure is told with its status, message and details', async () => {
  const answer = await ask('/keys/key-2')
  assertEnvelope(answer, 404, 'key not found')
  assert.deepEqual(answer.body.error?.details, { keyId: 'key-2' })
})

test('an unexpected error tells the client an id and the log the rest', async () => {
  const answer = await ask('/keys/key-bug')
  assertEnvelope(answer, 500, 'Internal Server Error')
  assert.deepEqual(answer.body.error?.details, {})
  const entry = logged.find(({ id }) => id === answer.body.error?.id)
  assert.match(String(entry?.err), /hunter2/)
})

test('an answer that breaks its promise is our error, not the client’s', async () => {
  assertEnvelope(await ask('/keys/key-hole'), 500, 'Internal Server Error')
})

const csv = { accept: 'text/csv', authorization: 'Bearer good' }

test('a table that fails once it is under way has its connection cut, and the log knows why', async () => {
  const response = await fetch(`${origin}/keys?limit=2`, { headers: csv })
  assert.equal(response.status, 200)
  await assert.rejects(response.text())
  const entry = logged.at(-1)
  assert.deepEqual([entry?.doing, String(entry?.err)], ['GET /keys', 'Error: no more pages'])
  // Another connection is another matter.
  assert.equal((await ask('/keys')).status, 200)
})

test('no more of a table is made than somebody reads', async () => {
  const asked = httpRequest(`${origin}/keys?limit=500`, { headers: csv })
  asked.end()
  const [answer] = (await once(asked, 'response')) as [IncomingMessage]
  answer.pause()
  for (let before = -1; before !== pagesMade; await sleep(300)) before = pagesMade
  assert.ok(pagesMade < 250, `${pagesMade} pages`)
  const made = pagesMade
  answer.destroy()
  await sleep(100)
  assert.ok(pagesMade <= made + 1)
})

test('a query may hold anything; of a name given twice the first counts', async () => {
  const { body } = await ask('/keys?limit=7&limit=9&__proto__=1&constructor=x&colour=blue')
  assert.deepEqual(body, { items: [], nextPageToken: '7' })
  assertEnvelope(await ask('/keys?limit=501'), 400)
  assertEnvelope(await ask('/keys?limit=x'), 400)
  assert.equal((await ask('/keys')).body.nextPageToken, '50')
})

test('a body that is not strict JSON is refused', async () => {
  const bodies = [
    '{',
    'null',
    '[]',
    '"Hash"',
    '{"kind":"Hash"',
    `{"kind":"Hash","kind":"Hash","hash":"${hash.hash}"}`,
    `${JSON.stringify(hash)} `.concat('x'),
    '\u{feff}{}',
    '{"kind":"Hash","hash":1e400}',
  ]
  for (const body of bodies) assertEnvelope(await post(body), 400)
  assertEnvelope(await post(new Uint8Array([0x7b, 0xff, 0x7d])), 400)
})

test('keys that reach for a prototype are refused, and change nothing', async () => {
  const bodies = [
    `{"kind":"Hash","hash":"${hash.hash}","__proto__":{"polluted":1}}`,
    `{"kind":"Hash","hash":"${hash.hash}","constructor":{"prototype":{"polluted":1}}}`,
    '{"kind":"__proto__"}',
    '{"__proto__":{"kind":"Hash"}}',
  ]
  for (const body of bodies) assertEnvelope(await post(body), 400)
  assert.equal(({} as { polluted?: unknown }).polluted, undefined)
})

test('deep nesting is refused and does not end the process', async () => {
  const depth = 100_000
  const deep = `${'['.repeat(depth)}${']'.repeat(depth)}`
  assertEnvelope(await post(`{"kind":"Eip712","message":${deep}}`), 400)
  assertEnvelope(await post('{"a":'.repeat(depth)), 400)
  assert.equal((await ask('/health')).status, 200)
})

test('a body over the limit is refused by its size alone', async () => {
  const answer = await post('x'.repeat(bodyBytesMax + 1))
  assertEnvelope(answer, 413)
  assert.deepEqual(answer.body.error?.details, { bytesMax: bodyBytesMax })
})

test('a body over the limit that hides its size is refused as well', async () => {
  const { status, text } = await chunked(bodyBytesMax + 1)
  assert.equal(status, 413)
  assert.equal(JSON.parse(text).error.status, 413)
})

test('a body of another type is refused, an empty one has no type', async () => {
  const types = ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp', 'nonsense']
  for (const type of types)
    assertEnvelope(await post(JSON.stringify(hash), { 'content-type': type }), 400)
  assertEnvelope(await post('{}', { 'content-type': 'application/json; charset=utf-16' }), 400)
  const utf8 = { 'content-type': 'application/json; charset=UTF-8' }
  assert.equal((await post(JSON.stringify(hash), utf8)).status, 200)
  const empty = await ask('/keys/key-1/signatures', { method: 'POST' })
  assertEnvelope(empty, 400, 'the request is not valid')
})

test('a body without a type is refused', async () => {
  const text = await rawly(
    'POST /keys/key-1/signatures HTTP/1.1',
    'authorization: Bearer good',
    'content-length: 2',
    '',
    '{}',
  )
  assert.match(text, /^HTTP\/1\.1 400 /)
  assert.match(text, /must be application\/json/)
})

test('HEAD is answered without a body, as not found', async () => {
  const response = await fetch(`${origin}/keys`, { method: 'HEAD' })
  assert.equal(response.status, 404)
  assert.equal(await response.text(), '')
})

const preflight = (from: string, path = '/keys') =>
  fetch(`${origin}${path}`, {
    method: 'OPTIONS',
    headers: {
      origin: from,
      'access-control-request-method': 'DELETE',
      'access-control-request-headers': official.join(','),
    },
  })
const official = [
  ...['authorization', 'content-type', 'x-dfns-useraction', 'x-dfns-sdk-version'],
  'idempotency-key',
]
const allowedIn = (headers: Headers) => [
  headers.get('access-control-allow-origin'),
  headers.get('access-control-allow-credentials'),
  headers.get('vary'),
]

test('a page of an allowed origin may ask with the headers that official clients send', async () => {
  const { status, headers } = await preflight(allowedOrigin)
  assert.equal(status, 204)
  assert.deepEqual(allowedIn(headers), [allowedOrigin, null, 'Origin'])
  const names = headers.get('access-control-allow-headers') ?? ''
  for (const name of official) assert.ok(names.includes(name), name)
  for (const method of ['GET', 'POST', 'PUT', 'DELETE'])
    assert.ok(headers.get('access-control-allow-methods')?.includes(method), method)
})

test('a page of an allowed origin may read errors too', async () => {
  const headers = { origin: allowedOrigin }
  const paths = ['/nowhere', '/keys/key-2', '/keys/key-bug', '/keys/key-1', '/keys?limit=x']
  for (const path of [...paths, '/%zz']) {
    const answer = await ask(path, { headers })
    assert.deepEqual(allowedIn(answer.headers), [allowedOrigin, null, 'Origin'], path)
    assert.equal(answer.headers.get('access-control-expose-headers'), 'idempotent-replayed')
  }
  const refused = await ask('/keys/key-1', { headers: { ...headers, authorization: 'Bearer bad' } })
  assert.equal(refused.status, 401)
  assert.deepEqual(allowedIn(refused.headers), [allowedOrigin, null, 'Origin'])
  const large = new Uint8Array(bodyBytesMax + 1)
  assert.deepEqual(allowedIn((await post(large, headers)).headers), [allowedOrigin, null, 'Origin'])
})

test('no page of another origin may, however alike it looks, and none without an origin', async () => {
  for (const other of [
    ...[
      'null',
      '*',
      'https://evil.example',
      `${allowedOrigin}.evil.example`,
      `${allowedOrigin}:444`,
    ],
    ...[`${allowedOrigin}/`, allowedOrigin.toUpperCase(), `${allowedOrigin}, ${allowedOrigin}`],
    ...['http://app.example', 'https://sub.app.example', 'file://', `https://${'a'.repeat(300)}`],
  ]) {
    const refused = await preflight(other)
    assert.deepEqual([refused.status, ...allowedIn(refused.headers)], [404, null, null, 'Origin'])
    assert.equal(refused.headers.get('access-control-allow-methods'), null)
    const { status, headers } = await ask('/keys/key-1', { headers: { origin: other } })
    assert.deepEqual([status, ...allowedIn(headers)], [200, null, null, 'Origin'], other)
  }
  assert.deepEqual(allowedIn((await ask('/keys/key-1')).headers), [null, null, 'Origin'])
})

test('whoever could not be asked about an origin leaves an error and lets nobody in', async () => {
  for (const path of ['/keys/key-1', '/%zz']) {
    const answer = await ask(path, { headers: { origin: 'https://broken.example' } })
    assertEnvelope(answer, 500, 'Internal Server Error')
    assert.deepEqual(allowedIn(answer.headers), [null, null, 'Origin'])
  }
})

test('a connection is open for longer than clients are told', async () => {
  const { server } = app
  const usual = server.keepAliveTimeout
  server.keepAliveTimeout = 1_000
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').setEncoding('utf8')
  const closed = once(socket, 'close').then(() => ['it is closed'])
  const get = async (): Promise<string> => {
    socket.write('GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n')
    const [text] = await Promise.race([once(socket, 'data'), closed])
    return String(text)
  }
  try {
    assert.match(await get(), /^HTTP\/1\.1 200 [^]*keep-alive: timeout=1\r\n/i)
    // A second more than Node adds by itself.
    await sleep(3_000)
    assert.match(await get(), /^HTTP\/1\.1 200 /)
  } finally {
    socket.destroy()
    server.keepAliveTimeout = usual
  }
})

test('bytes that are no HTTP get the envelope too', async () => {
  const text = await rawly('MAKE IT SO')
  assert.match(text, /^HTTP\/1\.1 400 /)
  assert.match(JSON.parse(text.slice(text.indexOf('\r\n\r\n'))).error.id, /^[0-9]{19}$/)
  assert.match(await rawly(`GET /${'a'.repeat(20_000)} HTTP/1.1`), /^HTTP\/1\.1 431 /)
})

test('whoever takes too long to send a request is told so in the envelope, and hung up on', async () => {
  assert.equal(app.server.requestTimeout, 30_000)
  const hasty = buildHttp(edge, { requestTimeoutMs: 200 })
  await hasty.listen({ port: 0, host: '127.0.0.1' })
  try {
    const { port } = hasty.server.address() as AddressInfo
    const length = 'content-type: application/json\r\ncontent-length: 9\r\n\r\n{"'
    for (const start of ['GET /health HTTP/1.1', `POST /keys HTTP/1.1\r\nhost: a\r\n${length}`]) {
      const text = await answerTo(port, start)
      assert.match(text, /^HTTP\/1\.1 408 /)
      const { error } = JSON.parse(text.slice(text.indexOf('\r\n\r\n')))
      assert.deepEqual([error.status, error.message], [408, 'the request cannot be read'])
    }
  } finally {
    await hasty.close()
  }
})

test('an answer is nobody’s to keep, nor to take for another type', async () => {
  const answers = [await ask('/keys/key-1'), await ask('/keys/key-2'), await ask('/nowhere')]
  for (const { headers } of [...answers, await ask('/keys/key-bug'), await post('{')]) {
    assert.equal(headers.get('cache-control'), 'no-store')
    assert.equal(headers.get('x-content-type-options'), 'nosniff')
  }
})

test('a route without a token check cannot be made by mistake, nor one served twice', () => {
  assert.throws(
    () => openRoute(getKey, async () => ({ ...key, wallets: [], store })),
    /served by route/,
  )
  assert.throws(() => route(getHealth, async () => ({ status: 'ok' })), /served by openRoute/)
  const twice = [...edge.routes, ...edge.routes]
  assert.throws(() => buildHttp({ ...edge, routes: twice }), /served twice/)
})

/** Past every client's own care for what it sends. */
function rawly(start: string, ...rest: readonly string[]): Promise<string> {
  const { port } = app.server.address() as AddressInfo
  const lines = [
    start,
    'host: localhost',
    'connection: close',
    ...(rest.length > 0 ? rest : ['', '']),
  ]
  return answerTo(port, lines.join('\r\n'))
}

function answerTo(port: number, request: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  let text = ''
  connect(port, '127.0.0.1')
    .setEncoding('utf8')
    .on('data', (chunk) => (text += String(chunk)))
    .on('error', reject)
    .on('close', () => resolve(text))
    .write(request)
  return promise
}

function chunked(size: number): Promise<{ status: number; text: string }> {
  const { promise, resolve } = Promise.withResolvers<{ status: number; text: string }>()
  const headers = { authorization: 'Bearer good', 'content-type': 'application/json' }
  const sent = httpRequest(`${origin}/keys/key-1/signatures`, { method: 'POST', headers })
  sent.on('response', (response) => {
    let text = ''
    response.setEncoding('utf8').on('data', (chunk) => (text += String(chunk)))
    response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
  })
  // The server hangs up on the rest; that it answered first is what counts.
  sent.on('error', () => undefined)
  for (let at = 0; at < size; at += 65_536) sent.write('x'.repeat(65_536))
  sent.end()
  return promise
}
