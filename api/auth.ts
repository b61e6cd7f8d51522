import { z } from 'zod'

import { pathLengthMax, payloadBytesMax } from '@quorate/authority/request'

import { assertionChallenge, challengeIdentifier, firstFactor } from './challenge.ts'
import { endpoint } from './endpoint.ts'
import { unsupported } from './unsupported.ts'
import { id } from './words.ts'

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
  body: z.strictObject({ challengeIdentifier, firstFactor, secondFactor: unsupported }),
  returns: z.object({ userAction: z.string() }),
})

export const createLoginChallenge = endpoint('auth.createLoginChallenge', {
  summary: 'Begin to log in.',
  body: z.strictObject({
    username: z.string().min(1).max(256).optional(),
    orgId: id,
    loginCode: unsupported,
  }),
  returns: assertionChallenge,
})

export const login = endpoint('auth.login', {
  summary: 'Hand in the signed login challenge; get a bearer token.',
  body: z.strictObject({ challengeIdentifier, firstFactor, secondFactor: unsupported }),
  returns: z.object({ token: z.string() }),
})
