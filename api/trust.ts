import { z } from 'zod'

import { endpoint } from './endpoint.ts'
import { ofWallet } from './paths.ts'

/** All in hex but `payload`, which is the text that was signed. */
export const getTrust = endpoint('quorate.getTrust', {
  summary:
    'How the organization began and whom it trusts; a client checks it by the genesis alone.',
  returns: z.object({
    preimage: z.string(),
    payload: z.string(),
    salt: z.string(),
    /** The signed manifest of the signers' cluster. */
    manifest: z.string(),
  }),
})

/** In hex: a step without what lies beside it, and the quorum's seals over its hash. */
export const getWalletProof = endpoint('quorate.getWalletProof', {
  summary: 'The certified steps in which the wallet and its key came into force.',
  params: ofWallet,
  returns: z.object({
    steps: z.array(z.object({ step: z.string(), certificate: z.string() })),
  }),
})
