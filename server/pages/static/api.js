import { checkChallenge, unsigned } from './preimage.js'
import { signWithPasskey } from './webauthn.js'

/** What the server says no with, in its own words. */
export class Refusal extends Error {
  /** @param {number} status @param {string} message */
  constructor(status, message) {
    super(message)
    this.name = 'Refusal'
    this.status = status
  }
}

/**
 * @typedef {{ token?: string | undefined, userAction?: string, body?: object }} More
 * @param {string} method @param {string} path @param {More} more
 * @returns {Promise<{ status: number, body: any }>} 202 means that somebody or something is waited for
 */
export async function ask(method, path, { token, userAction, body } = {}) {
  const response = await fetchOrSay(path, {
    method,
    cache: 'no-store',
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(userAction === undefined ? {} : { 'x-dfns-useraction': userAction }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const answer = await response.json()
  if (!response.ok) throw new Refusal(response.status, answer.error?.message ?? answer.message)
  return { status: response.status, body: answer }
}

/** @param {string} path @param {RequestInit} options */
async function fetchOrSay(path, options) {
  try {
    return await fetch(path, options)
  } catch (cause) {
    throw new Error('The server does not answer. Please try again.', { cause })
  }
}

/** @param {string} path @param {object} body @param {string} [token] */
export async function post(path, body, token) {
  return (await ask('POST', path, { body, token })).body
}

/** @param {{ orgId: string, username?: string }} who @returns {Promise<string>} a bearer token */
export async function login(who) {
  const init = await post('/auth/login/init', who)
  await checkChallenge(init, unsigned('login', '/auth/login'))
  const { challengeIdentifier } = init
  const firstFactor = await signWithPasskey(init)
  return (await post('/auth/login', { challengeIdentifier, firstFactor })).token
}

/**
 * A request that its user signs, as every client does it: say what, sign exactly that, ask for it.
 * @param {string} token @param {'POST' | 'PUT' | 'DELETE'} method @param {string} path @param {object} body
 */
export async function signedRequest(token, method, path, body) {
  const payload = JSON.stringify(body)
  const asked = {
    userActionPayload: payload,
    userActionHttpMethod: method,
    userActionHttpPath: path,
  }
  const init = await post('/auth/action/init', asked, token)
  await checkChallenge(init, { purpose: 'action', method, path, payload })
  const { challengeIdentifier } = init
  const firstFactor = await signWithPasskey(init)
  const signed = await post('/auth/action', { challengeIdentifier, firstFactor }, token)
  return ask(method, path, { token, body, userAction: signed.userAction })
}

/** What a token says of its bearer; the server believes none of it unread. @param {string} token */
export function bearerOf(token) {
  const [, claims = ''] = token.split('.')
  const text = atob(claims.replaceAll('-', '+').replaceAll('_', '/'))
  const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0))
  const read = JSON.parse(new TextDecoder().decode(bytes))
  return { username: read['https://custom/username'], ...read['https://custom/app_metadata'] }
}
