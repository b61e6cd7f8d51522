import { z } from 'zod'

import { newWalletsMax } from '@quorate/authority/step'

import { registrationChallenge } from './challenge.ts'
import { endpoint } from './endpoint.ts'
import { newCredentials, registered } from './new-credential.ts'
import { wallet } from './wallet.ts'
import { externalId, id, network, nickname, username } from './words.ts'

const message = z.object({ message: z.literal('success') })
/** As long as a code is, with room for what somebody types around it. */
const code = z.string().min(1).max(64)

export const resendRegistrationCode = endpoint('auth.resendRegistrationCode', {
  summary: 'Mail a new registration code, if there is somebody to register; the old one is dead.',
  body: z.strictObject({ username, orgId: id }),
  returns: message,
})

export const createRegistrationChallenge = endpoint('auth.createRegistrationChallenge', {
  summary: 'Begin to register, with the mailed code.',
  body: z.strictObject({ username, orgId: id, registrationCode: code }),
  returns: registrationChallenge,
})

const endUser = { email: username, kind: z.literal('EndUser') }

export const createDelegatedRegistrationChallenge = endpoint(
  'auth.createDelegatedRegistrationChallenge',
  {
    summary: 'Have an end user registered, or begin again for one who is not registered yet.',
    body: z.strictObject({ ...endUser, externalId: externalId.optional() }),
    returns: registrationChallenge,
  },
)

export const restartDelegatedRegistration = endpoint('auth.restartDelegatedRegistration', {
  summary: 'Begin again for an end user who is not registered yet.',
  body: z.strictObject(endUser),
  returns: registrationChallenge,
})

/** Groups and roles of a large company swell an identity token. */
const idTokenLengthMax = 16 * 1024

export const createSocialRegistrationChallenge = endpoint(
  'auth.createSocialRegistrationChallenge',
  {
    summary: 'Begin to register as an end user, by the word of an identity provider.',
    body: z.strictObject({
      orgId: id.optional(),
      socialLoginProviderKind: z.literal('Oidc'),
      idToken: z.string().min(1).max(idTokenLengthMax),
    }),
    returns: registrationChallenge,
  },
)

export const register = endpoint('auth.register', {
  summary: 'Hand in the credentials that were made for the challenge, all at once.',
  body: z.strictObject(newCredentials),
  returns: registered,
})

/** Each on a key of its own, and no more of them than one registration may make keys for. */
const wallets = z.array(z.strictObject({ network, name: nickname.optional() })).max(newWalletsMax)

export const registerEndUser = endpoint('auth.registerEndUser', {
  summary: 'The same for an end user, with wallets of his own; he is logged in at once.',
  body: z.strictObject({ ...newCredentials, wallets }),
  returns: registered.extend({
    authentication: z.object({ token: z.string() }),
    wallets: z.array(wallet),
  }),
})
