import { z } from 'zod'

import { pathLengthMax, payloadBytesMax } from '@quorate/authority/request'

import { assertionChallenge, challengeIdentifier, firstFactor, secondFactor } from './challenge.ts'
import { endpoint } from './endpoint.ts'
import { id } from './words.ts'

const username = z.string().min(1).max(256)
const message = z.object({ message: z.string() })

export const createUserActionChallenge = endpoint('auth.createUserActionChallenge', {
  summary: 'Say exactly what you are about to ask; get the challenge that is its hash.',
  body: z.strictObject({
    userActionPayload: z.string().max(payloadBytesMax),
    userActionHttpMethod: z.enum(['GET', 'POST', 'PUT', 'DELETE']),
    userActionHttpPath: z.string().min(1).max(pathLengthMax),
    userActionServerKind: z.enum(['Api', 'Staff']).optional(),
  }),
  returns: assertionChallenge,
})

export const createUserActionSignature = endpoint('auth.createUserActionSignature', {
  summary: 'Hand in the signed challenge; get the token that carries it to the request itself.',
  body: z.strictObject({ challengeIdentifier, firstFactor, secondFactor: secondFactor.optional() }),
  returns: z.object({ userAction: z.string() }),
})

export const createLoginChallenge = endpoint('auth.createLoginChallenge', {
  summary: 'Begin to log in.',
  body: z.strictObject({
    username: username.optional(),
    orgId: id,
    loginCode: z.string().min(1).max(64).optional(),
  }),
  returns: assertionChallenge,
})

export const login = endpoint('auth.login', {
  summary: 'Hand in the signed login challenge; get a bearer token.',
  body: z.strictObject({ challengeIdentifier, firstFactor, secondFactor: secondFactor.optional() }),
  returns: z.object({ token: z.string().optional(), ssoClientId: z.string().optional() }),
})

export const sendLoginCode = endpoint('auth.sendLoginCode', {
  summary: 'Have a code mailed that shows the keys that lie here under a password.',
  body: z.strictObject({ username, orgId: id }),
  returns: message,
})

export const logout = endpoint('auth.logout', {
  summary: 'End this login session, or all of them.',
  body: z.strictObject({ allSessions: z.boolean().optional() }),
  returns: message,
})

export const delegatedLogin = endpoint('auth.delegatedLogin', {
  summary: 'Get a token for an end user, good for reading and for asking him to sign.',
  body: z.strictObject({ username }),
  returns: z.object({ token: z.string() }),
})
