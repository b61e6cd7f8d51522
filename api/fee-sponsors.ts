import { z } from 'zod'

import { endpoint } from './endpoint.ts'
import { pageOf, pageQuery } from './page.ts'
import { nothing } from './paths.ts'
import { receipt } from './receipt.ts'
import { amount, date, id, name, network } from './words.ts'

/** Signers keep it, and read it in one spelling alone. */
const wei = amount.regex(/^(0|[1-9][0-9]*)$/, 'a whole number without zeros before it')
/** Our addition; one that is not named is none. A day is the last 24 hours. */
const limits = z.strictObject({
  perOperation: wei.optional(),
  perDay: wei.optional(),
  perUserPerDay: wei.optional(),
})

const params = z.strictObject({ feeSponsorId: id })

const feeSponsor = z.object({
  id: z.string(),
  name: z.string().optional(),
  walletId: z.string(),
  network,
  status: z.enum(['Active', 'Deactivated', 'Archived']),
  dateCreated: date,
  allowEndUser: z.boolean(),
  limits,
})
export type FeeSponsor = z.output<typeof feeSponsor>

export const createFeeSponsor = endpoint('feeSponsors.createFeeSponsor', {
  summary: 'Have a wallet pay the fees of others on its network.',
  body: z.strictObject({
    walletId: id,
    name: name.optional(),
    allowEndUser: z.boolean().optional(),
    limits: limits.optional(),
  }),
  returns: feeSponsor,
})

export const listFeeSponsors = endpoint('feeSponsors.listFeeSponsors', {
  summary: 'Fee sponsors, the newest first, page by page.',
  query: z.object(pageQuery),
  returns: pageOf(feeSponsor),
})

export const getFeeSponsor = endpoint('feeSponsors.getFeeSponsor', {
  summary: 'One fee sponsor.',
  params,
  returns: feeSponsor,
})

export const updateFeeSponsor = endpoint('quorate.updateFeeSponsor', {
  summary: 'Set what a fee sponsor pays at most: the limits that are named, and no others.',
  params,
  body: z.strictObject({ limits }),
  returns: feeSponsor,
})

export const activateFeeSponsor = endpoint('feeSponsors.activateFeeSponsor', {
  summary: 'Have a fee sponsor pay again.',
  params,
  body: nothing,
  returns: feeSponsor,
})

export const deactivateFeeSponsor = endpoint('feeSponsors.deactivateFeeSponsor', {
  summary: 'Have a fee sponsor pay for nothing until it is activated again.',
  params,
  body: nothing,
  returns: feeSponsor.extend(receipt),
})

export const deleteFeeSponsor = endpoint('feeSponsors.deleteFeeSponsor', {
  summary: 'Archive a fee sponsor, for ever. Its wallet stays, and can stand behind another one.',
  params,
  body: nothing,
  returns: feeSponsor.extend(receipt),
})

export const listSponsoredFees = endpoint('feeSponsors.listSponsoredFees', {
  summary: 'What a fee sponsor has paid, and for what, the newest first.',
  params,
  query: z.object(pageQuery),
  returns: pageOf(
    z.object({
      feeSponsorId: z.string(),
      /** The wallet that it was paid for, in the documented spelling. */
      sponsoreeId: z.string(),
      /** Of the transfer or transaction. */
      requestId: z.string(),
      fee: z.string().optional(),
      dateRequested: date,
      dateConfirmed: date,
    }),
  ),
})
