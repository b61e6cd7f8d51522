import { createLocalJWKSet, errors, type JWK, type JWTVerifyGetKey } from 'jose'
import { Failure } from '@quorate/core/failure'
import type { OutwardFetch, OutwardRequest } from '../net/outward.ts'

/** What an issuer says about itself: OpenID Connect Discovery 1.0, section 3. */
export type Discovery = {
  readonly issuer: string
  readonly jwksUri: string
  readonly authorizationEndpoint: string
  readonly tokenEndpoint: string
  readonly tokenAuthMethods: readonly string[]
  /** RFC 9207: whether a response without `iss` is a forgery. */
  readonly namesItselfInResponses: boolean
}

/** The largest of large providers is below 40 kB; a key set carries certificates. */
const answerBytesMax = 128 * 1024
/** Somebody waits for his login; a provider that needs longer is down. */
const timeoutMs = 5_000
/** Large providers publish about ten. */
const keysMax = 100

/**
 * Whether a text can name an issuer (OpenID Connect Core 1.0, section 2, `iss`). Where plain HTTP
 * may be spoken is for `OutwardFetch` to say.
 */
export function isIssuer(text: string): boolean {
  const url = URL.parse(text)
  return (
    url !== null &&
    (url.protocol === 'https:' || url.protocol === 'http:') &&
    !/[?#\s]/.test(text) &&
    url.username === ''
  )
}

/** @throws Failure `issuer.unavailable` */
export async function readDiscovery(fetch: OutwardFetch, issuer: string): Promise<Discovery> {
  if (!isIssuer(issuer)) throw unavailable(issuer, 'not an issuer')
  // Discovery 1.0, 4.1: a slash at the end of the issuer goes away.
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
  const document = await fetchJson(fetch, issuer, { method: 'GET', url })
  // Discovery 1.0, 4.3: or one issuer could speak for another.
  if (document['issuer'] !== issuer) throw unavailable(issuer, 'names another issuer')
  const methods = document['token_endpoint_auth_methods_supported']
  return {
    issuer,
    jwksUri: textOf(issuer, document, 'jwks_uri'),
    authorizationEndpoint: textOf(issuer, document, 'authorization_endpoint'),
    tokenEndpoint: textOf(issuer, document, 'token_endpoint'),
    tokenAuthMethods: Array.isArray(methods) ? methods.map(String) : ['client_secret_basic'],
    namesItselfInResponses: document['authorization_response_iss_parameter_supported'] === true,
  }
}

/**
 * Finds the key that a header names, among those that are for signatures and fit the algorithm.
 * @throws Failure `issuer.unavailable`
 */
export async function readKeySet(fetch: OutwardFetch, url: string): Promise<JWTVerifyGetKey> {
  const { keys } = await fetchJson(fetch, url, { method: 'GET', url })
  if (!Array.isArray(keys) || keys.length > keysMax) throw unavailable(url, 'not a key set')
  try {
    return createLocalJWKSet({ keys: keys as JWK[] }) // Which refuses what is no JWK.
  } catch (error) {
    if (error instanceof errors.JWKSInvalid) throw unavailable(url, 'not a key set')
    throw error
  }
}

/** @throws Failure `issuer.unavailable` unless the answer is 200 and a JSON object */
export async function fetchJson(
  fetch: OutwardFetch,
  issuer: string,
  ask: Pick<OutwardRequest, 'method' | 'url' | 'headers' | 'body'>,
): Promise<Readonly<Record<string, unknown>>> {
  const { status, document } = await fetchDocument(fetch, issuer, ask)
  if (status !== 200) throw unavailable(issuer, `status ${status}`)
  return document
}

/** @throws Failure `issuer.unavailable` unless the answer is a JSON object, whatever its status */
export async function fetchDocument(
  fetch: OutwardFetch,
  issuer: string,
  ask: Pick<OutwardRequest, 'method' | 'url' | 'headers' | 'body'>,
): Promise<{ status: number; document: Readonly<Record<string, unknown>> }> {
  const headers = { accept: 'application/json', ...ask.headers }
  const answer = await fetch({ ...ask, headers, timeoutMs, answerBytesMax })
  if (!answer.ok) throw unavailable(issuer, answer.why)
  const document = parse(answer.text)
  if (!isRecord(document)) throw unavailable(issuer, `status ${answer.status}, no JSON object`)
  return { status: answer.status, document }
}

export function unavailable(issuer: string, reason: string): Failure<'issuer.unavailable'> {
  return new Failure('issuer.unavailable', { issuer, reason })
}

/** Providers may say anything: fractions, members we do not know. Only few of them are read. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function textOf(issuer: string, document: Readonly<Record<string, unknown>>, name: string): string {
  const value = document[name]
  if (typeof value !== 'string') throw unavailable(issuer, `no ${name}`)
  return value
}
