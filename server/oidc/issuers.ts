import type { JWTVerifyGetKey } from 'jose'
import { outwardFetch, type OutwardFetch } from '../net/outward.ts'
import {
  askForIdToken,
  type AuthorizationRequest,
  type CodeExchange,
  urlToAuthorize,
} from './code-flow.ts'
import { type Discovery, readDiscovery, readKeySet } from './documents.ts'
import { type Fetched, openFetched } from './fetched.ts'
import { checkIdToken, type Identity } from './id-token.ts'

/** As an organization's settings name it. */
export type TrustedIssuer = {
  /** Exactly as it calls itself. */
  readonly issuer: string
  readonly audiences: readonly string[]
  /** For an issuer without a discovery document. */
  readonly jwksUri?: string | undefined
}

/** All throw Failure `issuer.unavailable`, the two that give an identity `identity_token.invalid`. */
export type Issuers = {
  verifyIdToken(ask: {
    readonly issuer: TrustedIssuer
    readonly idToken: string
    readonly nonce?: string
  }): Promise<Identity>
  /** Where to send a browser. */
  authorizationUrl(request: AuthorizationRequest): Promise<string>
  exchangeCode(exchange: CodeExchange): Promise<Identity>
}

/** Endpoints move rarely. */
const discoveryLifeMs = 60 * 60_000
/** How long a key that its issuer has withdrawn is still believed. */
const keySetLifeMs = 10 * 60_000

/** @param deps `fetch` reaches the public internet alone, unless it is given */
export function openIssuers(deps: {
  readonly fetch?: OutwardFetch
  readonly now: () => number
}): Issuers {
  const { fetch = outwardFetch, now } = deps
  const discoveries: Fetched<Discovery> = openFetched({
    read: (issuer) => readDiscovery(fetch, issuer),
    lifeMs: discoveryLifeMs,
    now,
  })
  // By their address and not by issuer: whose keys an organization believes is its own affair.
  const keySets: Fetched<JWTVerifyGetKey> = openFetched({
    read: (url) => readKeySet(fetch, url),
    lifeMs: keySetLifeMs,
    now,
  })
  const verifyIdToken: Issuers['verifyIdToken'] = async ({ issuer: trusted, idToken, nonce }) => {
    const { issuer, audiences } = trusted
    const jwksUri = trusted.jwksUri ?? (await discoveries.get(issuer)).jwksUri
    return checkIdToken({
      ...{ idToken, issuer, audiences, nonce, now: now() },
      keys: () => keySets.get(jwksUri),
      newerKeys: () => keySets.renew(jwksUri),
    })
  }
  return {
    verifyIdToken,
    authorizationUrl: async (request) =>
      urlToAuthorize(await discoveries.get(request.issuer), request),
    exchangeCode: async (exchange) => {
      const { issuer, clientId, nonce } = exchange
      const idToken = await askForIdToken(fetch, await discoveries.get(issuer), exchange)
      return verifyIdToken({ issuer: { issuer, audiences: [clientId] }, idToken, nonce })
    },
  }
}
