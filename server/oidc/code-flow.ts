import { toBase64url, toUtf8 } from '@quorate/core/bytes'
import { Failure } from '@quorate/core/failure'
import { sha256 } from '@quorate/core/hash'
import type { OutwardFetch } from '../net/outward.ts'
import { type Discovery, fetchDocument, unavailable } from './documents.ts'

/** OpenID Connect Core 1.0, 3.1.2.1, and RFC 7636, 4.3. */
export type AuthorizationRequest = {
  readonly issuer: string
  readonly clientId: string
  readonly redirectUri: string
  readonly state: string
  readonly nonce: string
  readonly codeVerifier: string
}

export type CodeExchange = {
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret?: string | undefined
  readonly redirectUri: string
  readonly code: string
  readonly codeVerifier: string
  readonly nonce: string
  /** `iss` of the response that brought the code. */
  readonly responseIssuer?: string | undefined
}

/** Some providers put a whole sealed session into a code. */
const codeLengthMax = 8 * 1024

/** @throws Failure `issuer.unavailable` when its endpoint is none that a browser should go to */
export function urlToAuthorize(discovery: Discovery, request: AuthorizationRequest): string {
  const { issuer, authorizationEndpoint } = discovery
  const url = URL.parse(authorizationEndpoint)
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && isPlain(issuer))
  if (url === null || !isSafe) throw unavailable(issuer, 'no authorization endpoint')
  const parameters = {
    response_type: 'code',
    scope: 'openid email',
    client_id: request.clientId,
    redirect_uri: request.redirectUri,
    state: request.state,
    nonce: request.nonce,
    code_challenge: challengeOf(request.codeVerifier),
    code_challenge_method: 'S256',
  }
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
  return url.href
}

/** Then it is on loopback: nobody else's document would have been fetched. */
function isPlain(issuer: string): boolean {
  return issuer.startsWith('http:')
}

function challengeOf(codeVerifier: string): string {
  return toBase64url(sha256(toUtf8(codeVerifier)))
}

/**
 * OpenID Connect Core 1.0, 3.1.3. The token is not verified yet.
 * @throws Failure `identity_token.invalid` for a code that is not good, `issuer.unavailable`
 */
export async function askForIdToken(
  fetch: OutwardFetch,
  discovery: Discovery,
  exchange: CodeExchange,
): Promise<string> {
  const { code, responseIssuer } = exchange
  if (!isFrom(discovery, responseIssuer) || code.length > codeLengthMax)
    throw new Failure('identity_token.invalid', {})
  const { headers, fields } = authentication(discovery, exchange)
  const body = new URLSearchParams({
    grant_type: 'authorization_code',
    code,
    redirect_uri: exchange.redirectUri,
    code_verifier: exchange.codeVerifier,
    ...fields,
  })
  const { status, document } = await fetchDocument(fetch, discovery.issuer, {
    method: 'POST',
    url: discovery.tokenEndpoint,
    headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' },
    body: body.toString(),
  })
  if (status === 400 && document['error'] === 'invalid_grant')
    throw new Failure('identity_token.invalid', {})
  const idToken = document['id_token']
  if (status !== 200 || typeof idToken !== 'string')
    throw unavailable(discovery.issuer, `token endpoint: ${status}, ${reasonOf(document)}`)
  return idToken
}

/** RFC 9207, 2.4: a code of one issuer is not carried to another. */
function isFrom(discovery: Discovery, responseIssuer: string | undefined): boolean {
  if (responseIssuer === undefined) return !discovery.namesItselfInResponses
  return responseIssuer === discovery.issuer
}

type Authentication = {
  readonly headers: Readonly<Record<string, string>>
  readonly fields: Readonly<Record<string, string>>
}

/** OpenID Connect Core 1.0, section 9; the header wherever there is a choice, as it is logged less. */
function authentication(
  { issuer, tokenAuthMethods }: Discovery,
  { clientId, clientSecret }: CodeExchange,
): Authentication {
  if (clientSecret === undefined) return { headers: {}, fields: { client_id: clientId } }
  if (tokenAuthMethods.includes('client_secret_basic')) {
    const pair = Buffer.from(`${formEncoded(clientId)}:${formEncoded(clientSecret)}`)
    return { headers: { authorization: `Basic ${pair.toString('base64')}` }, fields: {} }
  }
  if (!tokenAuthMethods.includes('client_secret_post'))
    throw unavailable(issuer, 'takes no client secret')
  return { headers: {}, fields: { client_id: clientId, client_secret: clientSecret } }
}

/** RFC 6749, 2.3.1: both halves as in a form before they are joined. */
function formEncoded(text: string): string {
  return new URLSearchParams({ '': text }).toString().slice(1)
}

/** RFC 6749, 5.2: one of a few words. Anything longer could be anything, a secret too. */
function reasonOf(document: Readonly<Record<string, unknown>>): string {
  const { error } = document
  return typeof error === 'string' && /^[a-z_]{1,40}$/.test(error) ? error : 'no reason'
}
