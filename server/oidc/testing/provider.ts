import { randomBytes } from 'node:crypto'
import { exportJWK, generateKeyPair } from 'jose'
import { Provider } from 'oidc-provider'
import { serve, type Served } from './served.ts'

export const client = {
  clientId: 'quorate',
  // With characters that mean something in a form and in a header.
  clientSecret: 'a secret: 100% & more+/=',
  redirectUri: 'https://wallet.example.com/signed-in',
} as const

/** An identity provider that others wrote. Whoever types a name is that person. */
export async function startProvider(
  options: { readonly authMethod?: string; readonly algorithm?: string } = {},
): Promise<Served> {
  const { authMethod = 'client_secret_basic', algorithm = 'ES256' } = options
  const { privateKey } = await generateKeyPair(algorithm, { extractable: true })
  const key = { ...(await exportJWK(privateKey)), kid: 'one', use: 'sig', alg: algorithm }
  const { clientId, clientSecret, redirectUri } = client
  return serve((url) =>
    new Provider(url, {
      clients: [
        {
          client_id: clientId,
          ...(authMethod === 'none' ? {} : { client_secret: clientSecret }),
          redirect_uris: [redirectUri],
          token_endpoint_auth_method: authMethod,
          id_token_signed_response_alg: algorithm,
        },
      ],
      clientAuthMethods: [authMethod],
      enabledJWA: { idTokenSigningAlgValues: [algorithm] },
      jwks: { keys: [key] },
      cookies: { keys: [randomBytes(16).toString('hex')] },
      claims: { openid: ['sub'], email: ['email', 'email_verified'] },
      conformIdTokenClaims: false,
      features: { devInteractions: { enabled: true } },
      findAccount: (_: unknown, name: string) => ({
        accountId: name,
        claims: () => ({
          sub: name,
          email: `${name}@example.com`,
          email_verified: name !== 'unverified',
        }),
      }),
    }).callback(),
  )
}

/** More pages than a login has. */
const stepsMax = 12

/** A browser in which `name` logs in and agrees to all. @returns where it was sent in the end */
export async function logIn(authorizationUrl: string, name: string): Promise<URL> {
  const cookies = new Map<string, string>()
  const visit = async (url: string, form?: Readonly<Record<string, string>>) => {
    const cookie = [...cookies].map((pair) => pair.join('=')).join('; ')
    const sent = form === undefined ? {} : { method: 'POST', body: new URLSearchParams(form) }
    const response = await fetch(url, { ...sent, redirect: 'manual', headers: { cookie } })
    for (const line of response.headers.getSetCookie()) {
      const [, key = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      cookies.set(key, value)
    }
    return response
  }
  let response = await visit(authorizationUrl)
  let at = authorizationUrl
  for (let step = 0; step < stepsMax; step++) {
    const location = response.headers.get('location')
    if (location === null) {
      const page = await response.text()
      const prompt = /name="prompt" value="([a-z]+)"/.exec(page)?.[1]
      if (prompt === undefined) throw new Error(`${response.status}: ${page}`)
      response = await visit(at, { prompt, login: name, password: 'any' })
      continue
    }
    const next = new URL(location, at)
    if (next.href.startsWith(client.redirectUri)) return next
    at = next.href
    response = await visit(at)
  }
  throw new Error('The login has no end.')
}
