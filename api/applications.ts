import { z } from 'zod'

import { endpoint } from './endpoint.ts'
import { id } from './words.ts'

/** Applications are deprecated and none can be made: passkeys are bound to relying parties now. */
const application = z.object({ appId: z.string() })

export const listApplications = endpoint('auth.listApplications', {
  summary: 'Applications, of which there are none: settings say where passkeys may be used.',
  returns: z.object({ items: z.array(application) }),
})

export const getApplication = endpoint('auth.getApplication', {
  summary: 'One application: not found.',
  params: z.strictObject({ appId: id }),
  returns: application,
})
