import { z } from 'zod'
import { accessTokenOf, daysValid, secondsValid } from './access-token.ts'
import { endpoint } from './endpoint.ts'
import { nothing } from './paths.ts'
import { receipt } from './receipt.ts'
import { externalId, id, name, publicKeyPem } from './words.ts'

const token = accessTokenOf('Pat')
const tokenId = z.strictObject({ tokenId: id })
const restricted = token.extend(receipt)

export const createPersonalAccessToken = endpoint('auth.createPersonalAccessToken', {
  summary: 'Make a personal access token. It is shown in this answer and never again.',
  body: z.strictObject({
    name,
    publicKey: publicKeyPem,
    permissionId: id.optional(),
    externalId: externalId.optional(),
    daysValid: daysValid.optional(),
    secondsValid: secondsValid.optional(),
  }),
  returns: token,
})

export const listPersonalAccessTokens = endpoint('auth.listPersonalAccessTokens', {
  summary: 'Your own personal access tokens; the documented answer has no pages.',
  returns: z.object({ items: z.array(token) }),
})

export const getPersonalAccessToken = endpoint('auth.getPersonalAccessToken', {
  summary: 'One of your own personal access tokens.',
  params: tokenId,
  returns: token,
})

export const updatePersonalAccessToken = endpoint('auth.updatePersonalAccessToken', {
  summary: 'Call one of your personal access tokens something else.',
  params: tokenId,
  body: z.strictObject({ name: name.optional(), externalId: externalId.optional() }),
  returns: token,
})

export const activatePersonalAccessToken = endpoint('auth.activatePersonalAccessToken', {
  summary: 'Switch one of your personal access tokens on again.',
  params: tokenId,
  body: nothing,
  returns: token,
})

export const deactivatePersonalAccessToken = endpoint('auth.deactivatePersonalAccessToken', {
  summary: 'Switch one of your personal access tokens off.',
  params: tokenId,
  body: nothing,
  returns: restricted,
})

export const archivePersonalAccessToken = endpoint('auth.archivePersonalAccessToken', {
  summary: 'End one of your personal access tokens for good.',
  params: tokenId,
  body: nothing,
  returns: restricted,
})
