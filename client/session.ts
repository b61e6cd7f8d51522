import { createPrivateKey, createPublicKey, sign, type KeyObject } from 'node:crypto'
import { toBase64url } from '@quorate/core/bytes'
import { clientDataFor } from '@quorate/authority/client-data'
import type { Preimage } from '@quorate/authority/request'
import { bearerOf, checkBearer } from './bearer.ts'
import { checkChallenge, checkFee, Misled, type Challenge } from './check-request.ts'

/** A caller with a Key credential. `privateKey` is a PEM; it stays in this process. */
export type SessionOptions = {
  readonly baseUrl: string
  readonly authToken: string
  readonly credId: string
  readonly privateKey: string
  /** Full id, from `trustFrom` or `idOf(genesis, 'organization')`. */
  readonly organization: Uint8Array
  /**
   * The most that one request may let the server spend on fees, in the smallest unit of the
   * network's own asset. `maxFeeDefault` unless it is given.
   */
  readonly maxFee?: bigint
}

/**
 * A hundredth of an ether: a plain transfer at 476 gwei, twenty times a busy day's price. Who wants
 * larger transactions, or to pay more in a rush, says so.
 */
export const maxFeeDefault = 10n ** 16n

export type Session = {
  readonly get: (path: string) => Promise<unknown>
  /**
   * Asks for a challenge, checks that it is this very request, by this user, with bounded fees,
   * signs it, and sends the request.
   *
   * @throws Misled, and has signed nothing
   */
  readonly call: (
    method: 'POST' | 'PUT' | 'DELETE',
    path: string,
    body: unknown,
    /** Looks at what the server has added, and throws `Misled` when that will not do. */
    check?: (preimage: Preimage) => void,
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
  const { authToken, organization, maxFee = maxFeeDefault } = options
  const bearer = bearerOf(authToken)
  const key = createPrivateKey(options.privateKey)
  const send = (method: string, path: string, sent: Sent = {}) =>
    request(options.baseUrl, { method, path, token: authToken, ...sent })
  return {
    get: (path) => send('GET', path),
    call: async (method, path, body, check) => {
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
      const asked = { purpose: 'action', method, path, payload, organization } as const
      const preimage = checkChallenge(challenge, asked, Date.now())
      checkFee(preimage, maxFee)
      checkBearer(preimage, bearer)
      check?.(preimage)
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
