import { z } from 'zod'

import { payloadBytesMax, preimageBytesMax } from '@quorate/authority/request'

import { endpoint } from './endpoint.ts'
import { name, publicKeyPem } from './words.ts'

/** What the payload of a genesis holds. `manifest` is the hash of the cluster that it trusts. */
export const genesisPayload = z.strictObject({
  name,
  username: z.string().min(1).max(256),
  publicKey: publicKeyPem,
  rootQuorum: z.literal(1),
  manifest: z.string().regex(/^[0-9a-f]{64}$/, '32 bytes in hex'),
})

/** The words in which an organization founds itself; what they must hold the signers decide. */
const payload = z.string().min(2).max(payloadBytesMax)
const base64urlLengthMax = Math.ceil((preimageBytesMax * 4) / 3)

export const startGenesis = endpoint('quorate.startGenesis', {
  summary: 'Begin an organization: get the challenge for its first administrator’s key.',
  body: z.strictObject({ payload }),
  returns: z.object({ preimage: z.string(), salt: z.string(), challenge: z.string() }),
})

export const finishGenesis = endpoint('quorate.finishGenesis', {
  summary: 'Found the organization. `genesis` is its full name: pin it outside of the server.',
  body: z.strictObject({
    payload,
    preimage: z.string().min(1).max(base64urlLengthMax),
    salt: z.string().min(1).max(64),
    assertion: z.strictObject({
      credId: z.string().max(1024).optional(),
      clientData: z.string().min(1).max(8192),
      signature: z.string().min(1).max(8192),
    }),
  }),
  returns: z.object({
    orgId: z.string(),
    genesis: z.string(),
    userId: z.string(),
    credId: z.string(),
    token: z.string(),
  }),
})
