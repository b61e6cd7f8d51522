import { createPrivateKey, createPublicKey, sign, type KeyObject } from 'node:crypto'
import { toBase64url } from '@quorate/core/bytes'
import { clientDataFor } from '@quorate/authority/credential'
import { checkChallenge, Misled, type Challenge } from './check-request.ts'

/** A caller with a Key credential. `privateKey` is a PEM; it stays in this process. */
export type SessionOptions = {
  readonly baseUrl: string
  readonly authToken: string
  readonly credId: string
  readonly privateKey: string
  /** Full id, from `trustFrom` or `idOf(genesis, 'organization')`. */
  readonly organization: Uint8Array
}

export type Session = {
  readonly get: (path: string) => Promise<unknown>
  /** Asks for a challenge, checks that it is this very request, signs it, and sends the request. */
  readonly call: (
    method: 'POST' | 'PUT' | 'DELETE',
    path: string,
    body: unknown,
  ) => Promise<unknown>
}

/** The API said no, in its own words. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** No request of this API takes longer; a key generation with a slow signer comes closest. */
const timeoutMs = 60_000

export function openSession(options: SessionOptions): Session {
  const { authToken, organization } = options
  const key = createPrivateKey(options.privateKey)
  const send = (method: string, path: string, sent: Sent = {}) =>
    request(options.baseUrl, { method, path, token: authToken, ...sent })
  return {
    get: (path) => send('GET', path),
    call: async (method, path, body) => {
      const payload = JSON.stringify(body)
      const challenge = asChallenge(
        await send('POST', '/auth/action/init', {
          body: JSON.stringify({
            userActionPayload: payload,
            userActionHttpMethod: method,
            userActionHttpPath: path,
            userActionServerKind: 'Api',
          }),
        }),
      )
      checkChallenge(
        challenge,
        { purpose: 'action', method, path, payload, organization },
        Date.now(),
      )
      const signed = await send('POST', '/auth/action', {
        body: JSON.stringify({
          challengeIdentifier: challenge.challengeIdentifier,
          firstFactor: {
            kind: 'Key',
            credentialAssertion: {
              credId: options.credId,
              ...assertionFor(challenge.challenge, key),
            },
          },
        }),
      })
      return send(method, path, { body: payload, userAction: memberOf(signed, 'userAction') })
    },
  }
}

/** What a Key credential answers to a challenge, encoded as the API takes it. */
export function assertionFor(
  challenge: string,
  key: KeyObject,
): { clientData: string; signature: string } {
  const clientData = clientDataFor(challenge)
  const algorithm = createPublicKey(key).asymmetricKeyType === 'ed25519' ? null : 'sha256'
  return {
    clientData: toBase64url(clientData),
    signature: toBase64url(new Uint8Array(sign(algorithm, clientData, key))),
  }
}

type Sent = { readonly body?: string; readonly userAction?: string }
type Wanted = Sent & { readonly method: string; readonly path: string; readonly token?: string }

/** @throws ApiError with the message of the API's envelope */
export async function request(baseUrl: string, wanted: Wanted): Promise<unknown> {
  const { method, path, token, body, userAction } = wanted
  const response = await fetch(new URL(path, baseUrl), {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(userAction === undefined ? {} : { 'x-dfns-useraction': userAction }),
    },
    ...(body === undefined ? {} : { body }),
    signal: AbortSignal.timeout(timeoutMs),
  })
  const answer: unknown = await response.json()
  if (response.ok) return answer
  const message = memberOf(answer, 'message')
  throw new ApiError(response.status, message)
}

export function asChallenge(answer: unknown): Challenge & { readonly challengeIdentifier: string } {
  return {
    challenge: memberOf(answer, 'challenge'),
    preimage: memberOf(answer, 'preimage'),
    salt: memberOf(answer, 'salt'),
    challengeIdentifier: memberOf(answer, 'challengeIdentifier'),
  }
}

/** @throws Misled when the server has left it out */
export function memberOf(answer: unknown, name: string): string {
  const value =
    typeof answer === 'object' && answer !== null && Object.hasOwn(answer, name)
      ? (answer as Readonly<Record<string, unknown>>)[name]
      : undefined
  if (typeof value !== 'string') throw new Misled(`The answer has no ${name}.`)
  return value
}
