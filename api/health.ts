import { z } from 'zod'

import { endpoint } from './endpoint.ts'

export const getHealth = endpoint('quorate.getHealth', {
  summary: 'Whether the server can serve, and which signers are connected.',
  returns: z.object({
    status: z.enum(['ok', 'degraded']),
    signers: z.array(z.object({ id: z.string(), connected: z.boolean() })).optional(),
    /** This server's, by the word of more signers than can be corrupt; `unsure`: too few have said. */
    clock: z.enum(['right', 'ahead', 'behind', 'unsure']).optional(),
    /** Each with the number of organizations whose ECDSA keys these two do not sign for together. */
    burnedPairs: z
      .array(z.object({ signers: z.array(z.string()), organizations: z.number() }))
      .optional(),
    /** Accused by so many others that they cannot all be wrong. */
    proposedForBan: z.array(z.string()).optional(),
  }),
})

export const getKeySet = endpoint('quorate.getKeySet', {
  summary: 'The public keys that our bearer tokens are signed with (RFC 7517).',
  returns: z.object({
    keys: z.array(
      z.object({
        kty: z.literal('OKP'),
        crv: z.literal('Ed25519'),
        x: z.string(),
        kid: z.string(),
        alg: z.literal('EdDSA'),
        use: z.literal('sig'),
      }),
    ),
  }),
})
