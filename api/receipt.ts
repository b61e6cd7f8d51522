import { z } from 'zod'

import { date } from './words.ts'

/**
 * Members of every answer to a call that takes something away. `seal` is in hex what the signer has
 * signed: Ed25519, by its `identity` in the manifest. `effectiveAt` is when it has certainly bitten.
 */
export const receipt = {
  acknowledgedBy: z.array(
    z.object({ signer: z.string(), seal: z.string(), signature: z.string() }),
  ),
  effectiveAt: date,
}
