import { z } from 'zod'

import { endpoint } from './endpoint.ts'
import { transaction as unsignedTransaction, unwrapped, unwrappedFees } from './evm.ts'
import { pageOf, pageQuery } from './page.ts'
import { progress } from './transfers.ts'
import { supportedKinds } from './unsupported.ts'
import { echo, externalId, id, network, requester } from './words.ts'

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
  ]),
  ['Transaction', 'Evm', 'Eip1559'],
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
  params: z.strictObject({ walletId: id }),
  body: transactionBody,
  returns: transaction,
})

export const listTransactions = endpoint('wallets.listTransactions', {
  summary: 'Transactions of a wallet, newest first, page by page.',
  params: z.strictObject({ walletId: id }),
  query: z.object(pageQuery),
  returns: pageOf(transaction).extend({ walletId: z.string() }),
})

export const getTransaction = endpoint('wallets.getTransaction', {
  summary: 'One transaction.',
  params: z.strictObject({ walletId: id, transactionId: id }),
  returns: transaction,
})

const ofTransaction = z.strictObject({ walletId: id, transactionId: id })
const ofTransfer = z.strictObject({ walletId: id, transferId: id })
const empty = z.strictObject({})

export const abortTransaction = endpoint('wallets.abortTransaction', {
  summary: 'Give a transaction up, as long as nothing is signed for it.',
  params: ofTransaction,
  body: empty,
  returns: transaction,
})

export const cancelTransaction = endpoint('wallets.cancelTransaction', {
  summary: 'Have a payment of nothing to the wallet itself take the place of a transaction.',
  params: ofTransaction,
  body: empty,
  returns: transaction,
})

export const cancelTransfer = endpoint('wallets.cancelTransfer', {
  summary: 'Have a payment of nothing to the wallet itself take the place of a transfer.',
  params: ofTransfer,
  body: empty,
  returns: transaction,
})

export const speedUpTransaction = endpoint('wallets.speedUpTransaction', {
  summary: 'Have the same transaction for a higher fee take its place.',
  params: ofTransaction,
  body: empty,
  returns: transaction,
})

export const speedUpTransfer = endpoint('wallets.speedUpTransfer', {
  summary: 'Have the same transfer for a higher fee take its place.',
  params: ofTransfer,
  body: empty,
  returns: transaction,
})

export const listOrgTransactions = endpoint('quorate.listOrgTransactions', {
  summary:
    'Transactions of all wallets, newest first, page by page; of one external id if it is given.',
  query: z.object({ ...pageQuery, externalId: externalId.optional() }),
  returns: pageOf(transaction),
})
