import { z } from 'zod'

import { endpoint } from './endpoint.ts'
import { pageOf, pageQuery } from './page.ts'

/** At most: a page ends sooner where steps are large. */
export const stepsPerPage = 100
/** A signature weighs a few hundred bytes. */
export const signaturesPerPage = 1000

/** In hex: a step with what lies beside it, and the quorum's seals over its hash. */
export const exportLog = endpoint('quorate.exportLog', {
  summary: 'The organization’s log, whole, for whoever verifies it by himself.',
  query: z.object({
    streams: z.enum(['root', 'others']).default('root'),
    paginationToken: pageQuery.paginationToken,
  }),
  returns: pageOf(z.object({ body: z.string(), certificate: z.string() })),
})

/** In hex; of ECDSA r and s, 32 bytes each. `request` names the item that allowed it. */
export const exportJournal = endpoint('quorate.exportJournal', {
  summary: 'Every signature that was made, with the request that it was made for.',
  query: z.object({ paginationToken: pageQuery.paginationToken }),
  returns: pageOf(z.object({ request: z.string(), digest: z.int(), signature: z.string() })),
})
