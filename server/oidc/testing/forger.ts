import type { IncomingMessage, ServerResponse } from 'node:http'
import { exportJWK, generateKeyPair, type JWK } from 'jose'
import { serve, type Served } from './served.ts'

export type Page = (response: ServerResponse, request: IncomingMessage) => void

/** An issuer that answers whatever a test wants; a page by its path. */
export type Forger = Served & { readonly pages: Map<string, Page> }

export const discoveryPath = '/.well-known/openid-configuration'

export async function startForger(keys: readonly JWK[]): Promise<Forger> {
  const pages = new Map<string, Page>()
  const served = await serve((url) => {
    pages.set(discoveryPath, json(discoveryOf(url)))
    pages.set('/jwks', json({ keys }))
    return (request, response) => {
      const page = pages.get(request.url ?? '')
      if (page === undefined) response.writeHead(404).end('{}')
      else page(response, request)
    }
  })
  return { ...served, pages }
}

export function discoveryOf(url: string) {
  return {
    issuer: url,
    jwks_uri: `${url}/jwks`,
    authorization_endpoint: `${url}/authorize`,
    token_endpoint: `${url}/token`,
  }
}

export function json(value: unknown, status = 200): Page {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
  }
}

export async function makeKey(kid: string, algorithm = 'ES256') {
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true })
  const jwk: JWK = { ...(await exportJWK(publicKey)), kid, alg: algorithm, use: 'sig' }
  return { kid, algorithm, privateKey, publicKey, jwk }
}
