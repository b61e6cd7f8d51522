import { z } from 'zod'

import { endpoint } from './endpoint.ts'

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
