import { z } from 'zod'

import { endpoint } from './endpoint.ts'
import { pageOf, pageQuery } from './page.ts'
import { nothing, ofTransfer, ofWallet } from './paths.ts'
import { supportedKinds, unsupported, unsupportedText } from './unsupported.ts'
import { amount, date, details, echo, externalId, id, network, requester } from './words.ts'

const address = z.string().min(1).max(128)
const common = {
  to: address,
  priority: z.enum(['Slow', 'Standard', 'Fast']).optional(),
  externalId: externalId.optional(),
  travelRule: unsupported,
  /** Who pays the fees, on networks that have sponsors. */
  feeSponsorId: id.optional(),
}
const transferBody = supportedKinds(
  z.discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('Native'),
      amount,
      ...common,
      // On the chains that have memos one steers the money. Where it would not, it is refused.
      memo: unsupportedText,
      createDestinationAccount: unsupported,
      offer: unsupported,
      expiresAt: unsupported,
      useDurableNonce: unsupported,
    }),
    z.strictObject({ kind: z.literal('Erc20'), contract: address, amount, ...common }),
    z.strictObject({ kind: z.literal('Erc721'), contract: address, tokenId: amount, ...common }),
    /** Our addition: units of one id, without bytes for the recipient. */
    z.strictObject({
      ...{ kind: z.literal('Erc1155'), contract: address, tokenId: amount, amount, ...common },
    }),
  ]),
  ['Native', 'Erc20', 'Erc721', 'Erc1155'],
)
export type TransferBody = z.output<typeof transferBody>

/** What becomes of everything that ends on a chain, transfers and transactions alike. */
export const progress = {
  status: z.enum(['Pending', 'Executing', 'Broadcasted', 'Confirmed', 'Failed', 'Rejected']),
  reason: z.string().optional(),
  txHash: z.string().optional(),
  fee: z.string().optional(),
  approvalId: z.string().optional(),
  externalId: z.string().optional(),
  replacementId: z.string().optional(),
  details: details.optional(),
  dateRequested: date,
  datePolicyResolved: date.optional(),
  dateBroadcasted: date.optional(),
  dateConfirmed: date.optional(),
}

const transfer = z.object({
  id: z.string(),
  walletId: z.string(),
  network,
  requester,
  requestBody: echo,
  metadata: z.object({
    asset: z.object({
      symbol: z.string().optional(),
      decimals: z.int().optional(),
      verified: z.boolean().optional(),
    }),
  }),
  feeSponsorId: z.string().optional(),
  ...progress,
})
export type Transfer = z.output<typeof transfer>

export const transferAsset = endpoint('wallets.transferAsset', {
  summary: 'Ask for a transfer. Poll it until the chain has confirmed it.',
  params: ofWallet,
  body: transferBody,
  returns: transfer,
})

export const abortTransfer = endpoint('wallets.abortTransfer', {
  summary: 'Give a transfer up, as long as nothing is signed for it.',
  params: ofTransfer,
  body: nothing,
  returns: transfer,
})

export const listTransfers = endpoint('wallets.listTransfers', {
  summary: 'Transfers of a wallet, newest first, page by page.',
  params: ofWallet,
  query: z.object(pageQuery),
  returns: pageOf(transfer).extend({ walletId: z.string() }),
})

export const getTransfer = endpoint('wallets.getTransfer', {
  summary: 'One transfer.',
  params: ofTransfer,
  returns: transfer,
})

export const listOrgTransfers = endpoint('quorate.listOrgTransfers', {
  summary:
    'Transfers of all wallets, newest first, page by page; of one external id if it is given.',
  query: z.object({ ...pageQuery, externalId: externalId.optional() }),
  returns: pageOf(transfer),
})
