import { z } from 'zod'

import { endpoint } from './endpoint.ts'
import { nothing } from './paths.ts'
import { date, id } from './words.ts'

export const agreement = z.strictObject({
  id: z.string().regex(/^[A-Za-z0-9_.-]{1,64}$/, 'a short and plain name'),
  agreementType: z.enum([
    'PrivacyPolicy',
    'TermsAndConditions',
    'UniswapTermsOfService',
    'UniswapPrivacyPolicy',
  ]),
  details: z.string(),
  agreementUrl: z.string().optional(),
})
export type Agreement = z.output<typeof agreement>

export const getLatestUnacceptedAgreement = endpoint('agreements.getLatestUnacceptedAgreement', {
  summary: 'The newest agreement of a kind, unless the caller has accepted it.',
  query: z.object({ agreementType: agreement.shape.agreementType.optional() }),
  returns: z.object({ latestAgreement: agreement.nullable() }),
})

export const recordAgreementAcceptance = endpoint('agreements.recordAgreementAcceptance', {
  summary: 'Accept an agreement.',
  params: z.strictObject({ agreementId: id }),
  body: nothing,
  returns: z.object({ agreementId: z.string(), userId: z.string(), dateAccepted: date }),
})
