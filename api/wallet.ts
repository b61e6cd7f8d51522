import { z } from 'zod'

import { certificate, curve, date, network, scheme } from './words.ts'

/** As it is read, made and listed, and as its events show it. */
export const wallet = z.object({
  id: z.string(),
  network,
  /** Absent on the networks that are only keys. */
  address: z.string().optional(),
  signingKey: z.object({
    id: z.string(),
    scheme,
    curve,
    publicKey: z.string(),
    delegatedTo: z.string().optional(),
  }),
  status: z.enum(['Active', 'Inactive', 'Archived']),
  dateCreated: date,
  dateDeleted: date.optional(),
  name: z.string().optional(),
  custodial: z.boolean(),
  externalId: z.string().optional(),
  tags: z.array(z.string()),
  certificate,
})
export type Wallet = z.output<typeof wallet>
