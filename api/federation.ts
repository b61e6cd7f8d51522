import { z } from 'zod'

import { endpoint } from './endpoint.ts'
import { id } from './words.ts'

const url = z.string().min(1).max(2048)
/** Some providers put a whole sealed session into a code. */
const code = z.string().min(1).max(8192)
const state = z.string().min(1).max(8192)
const idToken = z.string().min(1).max(16_384)
const token = z.object({ token: z.string() })

export const socialLogin = endpoint('auth.socialLogin', {
  summary: 'Log an end user in, by the word of an identity provider of the organization.',
  body: z.strictObject({
    orgId: id.optional(),
    socialLoginProviderKind: z.literal('Oidc'),
    idToken,
  }),
  returns: token,
})

export const ssoLoginInit = endpoint('auth.ssoLoginInit', {
  summary: 'Get the address at which a browser logs in with the identity provider.',
  body: z.strictObject({ orgId: id, clientId: z.string().min(1).max(256), redirectUri: url }),
  returns: z.object({ ssoRedirectUrl: z.string() }),
})

export const ssoLogin = endpoint('auth.ssoLogin', {
  summary: 'Hand in what the browser came back with; only who has been invited gets in.',
  body: z.strictObject({ code, state, iss: url.optional() }),
  returns: token,
})

export const oidcLoginInit = endpoint('auth.oidcLoginInit', {
  summary: 'The same by its newer name, which leaves the client to the settings.',
  body: z.strictObject({ orgId: id.optional(), tenantId: id.optional(), redirectUri: url }),
  returns: z.object({ redirectUrl: z.string() }),
})

/** Newer clients belong to several organizations; here a user has the one that he is in. */
export const exchangeToken = endpoint('auth.exchangeToken', {
  summary: 'Get a session of one’s own organization, for one that is there.',
  body: z.strictObject({ target: id }),
  returns: token,
})

export const oidcLogin = endpoint('auth.oidcLogin', {
  summary: 'The same as the end of a single sign-on.',
  body: z.strictObject({ code, state, iss: url.optional() }),
  returns: token,
})
