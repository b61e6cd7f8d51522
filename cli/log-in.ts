import { createPrivateKey } from 'node:crypto'
import { fromHex } from '@quorate/core/bytes'
import { idOf, nameOf } from '@quorate/core/id'
import { checkChallenge } from '@quorate/client/check-request'
import { asChallenge, assertionFor, memberOf, request } from '@quorate/client/session'

/** Logs a user in with his key, after checking that what he signs is just that. */
export async function logIn(ask: {
  readonly baseUrl: string
  readonly genesis: string
  readonly username: string
  readonly credId: string
  readonly privateKey: string
}): Promise<string> {
  const { baseUrl, username, credId } = ask
  const organization = idOf(fromHex(ask.genesis), 'organization')
  const post = (path: string, body: object) =>
    request(baseUrl, { method: 'POST', path, body: JSON.stringify(body) })
  const orgId = nameOf('organization', organization)
  const challenge = asChallenge(await post('/auth/login/init', { username, orgId }))
  const asked = { purpose: 'login', method: 'POST', path: '/auth/login', payload: '' } as const
  checkChallenge(challenge, { ...asked, organization }, Date.now())
  const signed = assertionFor(challenge.challenge, createPrivateKey(ask.privateKey))
  const { challengeIdentifier } = challenge
  const firstFactor = { kind: 'Key', credentialAssertion: { credId, ...signed } }
  return memberOf(await post('/auth/login', { challengeIdentifier, firstFactor }), 'token')
}
