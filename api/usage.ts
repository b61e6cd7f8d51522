import { z } from 'zod'

import { endpoint } from './endpoint.ts'
import { date } from './words.ts'

export const getUsage = endpoint('quorate.getUsage', {
  summary:
    'Transfers, transactions and signatures that the organization has asked for this month (UTC).',
  returns: z.object({
    month: z.string(),
    signatures: z.object({ used: z.int(), limit: z.int().optional() }),
    dateReset: date,
  }),
})
