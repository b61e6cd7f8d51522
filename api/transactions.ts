import { z } from 'zod'

import { endpoint } from './endpoint.ts'
import { address, transaction as unsignedTransaction, unwrapped, unwrappedFees } from './evm.ts'
import { pageOf, pageQuery } from './page.ts'
import { nothing, ofTransaction, ofTransfer, ofWallet } from './paths.ts'
import { progress } from './transfers.ts'
import { supportedKinds } from './unsupported.ts'
import { amount, echo, externalId, hexBytes, id, network, requester } from './words.ts'

/** As many as signers read (`effects/intent.ts`). */
const operationsMax = 16
/** One call of the wallet, in a transaction that a fee sponsor pays for. */
const operation = z.strictObject({
  to: address,
  value: amount.optional(),
  data: hexBytes.optional(),
})
const transactionBody = supportedKinds(
  z.discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('Transaction'),
      transaction: unsignedTransaction,
      externalId: externalId.optional(),
    }),
    // Deprecated, and still sent by some.
    z.strictObject({ kind: z.literal('Evm'), ...unwrapped, externalId: externalId.optional() }),
    z.strictObject({
      ...{ kind: z.literal('Eip1559'), ...unwrapped, ...unwrappedFees },
      externalId: externalId.optional(),
    }),
    z.strictObject({
      kind: z.literal('UserOperations'),
      userOperations: z.array(operation).min(1).max(operationsMax),
      feeSponsorId: id,
      externalId: externalId.optional(),
    }),
  ]),
  ['Transaction', 'Evm', 'Eip1559', 'UserOperations'],
)
export type TransactionBody = z.output<typeof transactionBody>

const transaction = z.object({
  id: z.string(),
  walletId: z.string(),
  network,
  requester,
  requestBody: echo,
  ...progress,
})
export type Transaction = z.output<typeof transaction>

export const broadcastTransaction = endpoint('wallets.broadcastTransaction', {
  summary: 'Sign a transaction of the caller’s own making and broadcast it.',
  params: ofWallet,
  body: transactionBody,
  returns: transaction,
})

export const listTransactions = endpoint('wallets.listTransactions', {
  summary: 'Transactions of a wallet, newest first, page by page.',
  params: ofWallet,
  query: z.object(pageQuery),
  returns: pageOf(transaction).extend({ walletId: z.string() }),
})

export const getTransaction = endpoint('wallets.getTransaction', {
  summary: 'One transaction.',
  params: ofTransaction,
  returns: transaction,
})

export const abortTransaction = endpoint('wallets.abortTransaction', {
  summary: 'Give a transaction up, as long as nothing is signed for it.',
  params: ofTransaction,
  body: nothing,
  returns: transaction,
})

export const cancelTransaction = endpoint('wallets.cancelTransaction', {
  summary: 'Have a payment of nothing to the wallet itself take the place of a transaction.',
  params: ofTransaction,
  body: nothing,
  returns: transaction,
})

export const cancelTransfer = endpoint('wallets.cancelTransfer', {
  summary: 'Have a payment of nothing to the wallet itself take the place of a transfer.',
  params: ofTransfer,
  body: nothing,
  returns: transaction,
})

export const speedUpTransaction = endpoint('wallets.speedUpTransaction', {
  summary: 'Have the same transaction for a higher fee take its place.',
  params: ofTransaction,
  body: nothing,
  returns: transaction,
})

export const speedUpTransfer = endpoint('wallets.speedUpTransfer', {
  summary: 'Have the same transfer for a higher fee take its place.',
  params: ofTransfer,
  body: nothing,
  returns: transaction,
})

export const listOrgTransactions = endpoint('quorate.listOrgTransactions', {
  summary:
    'Transactions of all wallets, newest first, page by page; of one external id if it is given.',
  query: z.object({ ...pageQuery, externalId: externalId.optional() }),
  returns: pageOf(transaction),
})
