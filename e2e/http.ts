import assert from 'node:assert/strict'
import { BaseAuthApi } from '@dfns/sdk'
import { AsymmetricKeySigner } from '@dfns/sdk-keysigner'
import type { Credentials } from './checked-client.ts'

/** A request as no client of ours would send it. */
export type Raw = {
  readonly method?: string
  readonly path: string
  readonly token?: string | undefined
  readonly body?: string | Uint8Array<ArrayBuffer>
  readonly userAction?: string
  readonly contentType?: string
}
export type Answer = { readonly status: number; readonly body: unknown }

export async function send(baseUrl: string, raw: Raw): Promise<Answer> {
  const { method = 'POST', path, token, body, userAction, contentType = 'application/json' } = raw
  const response = await fetch(new URL(path, baseUrl), {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': contentType }),
      ...(userAction === undefined ? {} : { 'x-dfns-useraction': userAction }),
    },
    ...(body === undefined ? {} : { body }),
  })
  assert.match(response.headers.get('content-type') ?? '', /^application\/json/)
  return { status: response.status, body: await response.json() }
}

/** Every refusal looks like this, whatever it is about. @returns its message and its details */
export function refusal(answer: Answer, status: number): { message: string; details: unknown } {
  assert.equal(answer.status, status, JSON.stringify(answer.body))
  const { error, message } = Object(answer.body)
  const { id, status: told, message: inside, details } = Object(error)
  assert.match(String(id), /^[0-9]{19}$/)
  assert.equal(told, status)
  assert.ok(typeof message === 'string' && message.length > 0)
  assert.equal(inside, message)
  assert.ok(typeof details === 'object' && details !== null)
  return { message, details }
}

export type Signing = {
  readonly baseUrl: string
  readonly credentials: Credentials
  readonly method?: 'POST' | 'PUT' | 'DELETE'
  readonly path: string
  readonly body: string
}

/** What the official client's signer puts a signature under. */
export async function challengeFor({ baseUrl, credentials, ...asked }: Signing) {
  const { method = 'POST', path, body } = asked
  return BaseAuthApi.createUserActionChallenge(
    {
      userActionPayload: body,
      userActionHttpMethod: method,
      userActionHttpPath: path,
      userActionServerKind: 'Api',
    },
    { baseUrl, authToken: credentials.authToken },
  )
}

/** The token that carries a signed challenge to the request itself. */
export async function userActionFor(signing: Signing): Promise<string> {
  const { baseUrl, credentials } = signing
  const challenge = await challengeFor(signing)
  const { credId, privateKey, authToken } = credentials
  const firstFactor = await new AsymmetricKeySigner({ credId, privateKey }).sign(challenge)
  const { challengeIdentifier } = challenge
  const { userAction } = await BaseAuthApi.signUserActionChallenge(
    { challengeIdentifier, firstFactor },
    { baseUrl, authToken },
  )
  return userAction
}
