import { createPrivateKey, sign as signBytes } from 'node:crypto'
import { clientDataFor } from '@quorate/authority/client-data'
import { toBase64url } from '@quorate/core/bytes'

/** Whoever speaks HTTP by hand, so that everything can be got wrong. */
/** As loose as JSON is: what it must hold is what the tests say. */
type Parsed = ReturnType<typeof JSON.parse>
export type Answer = { readonly status: number; readonly body: Parsed }
export type Speaker = {
  readonly authToken?: string
  readonly credId: string
  readonly privateKey: string
}

export function rawClient(baseUrl: string, { authToken, credId, privateKey }: Speaker) {
  const send = async (
    method: string,
    path: string,
    body?: unknown,
    userAction?: string,
  ): Promise<Answer> => {
    const response = await fetch(new URL(path, baseUrl), {
      method,
      headers: {
        ...(authToken === undefined ? {} : { authorization: `Bearer ${authToken}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(userAction === undefined ? {} : { 'x-dfns-useraction': userAction }),
      },
      ...(body === undefined ? {} : { body: asText(body) }),
    })
    return { status: response.status, body: await response.json() }
  }
  const init = (method: string, path: string, payload: unknown) =>
    send('POST', '/auth/action/init', {
      userActionPayload: asText(payload),
      userActionHttpMethod: method,
      userActionHttpPath: path,
    })
  const factor = (challenge: string) => ({
    kind: 'Key',
    credentialAssertion: { credId, ...assertionFor(challenge, privateKey) },
  })
  const sign = ({ body }: Answer) =>
    send('POST', '/auth/action', {
      challengeIdentifier: body.challengeIdentifier,
      firstFactor: factor(body.challenge),
    })
  /** @returns a user action for exactly this request */
  const act = async (path: string, payload: unknown): Promise<string> => {
    const signed = await sign(await init('POST', path, payload))
    if (signed.status !== 200) throw new Error(JSON.stringify(signed.body))
    return signed.body.userAction
  }
  const call = async (path: string, payload: unknown) =>
    send('POST', path, payload, await act(path, payload))
  return { send, init, factor, sign, act, call }
}
export type RawClient = ReturnType<typeof rawClient>

/** By an Ed25519 key. */
export function assertionFor(challenge: string, privateKey: string) {
  const clientData = clientDataFor(challenge)
  const signature = signBytes(null, clientData, createPrivateKey(privateKey))
  return { clientData: toBase64url(clientData), signature: signature.toString('base64url') }
}

function asText(body: unknown): string {
  return typeof body === 'string' ? body : JSON.stringify(body)
}
