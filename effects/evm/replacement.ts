import type { Effect } from '../effect.ts'
import type { TransferIntent, TransactionIntent } from '../intent.ts'
import { refused } from '../json.ts'
import { accountOfKey } from './address.ts'
import { complete, effectOf, readWhole, transferEffect, type Context } from './effect.ts'
import { readTransactionRequest, settled, type TransactionRequest } from './request.ts'
import type { EvmTransaction } from './transaction.ts'

/**
 * Nothing, sent to oneself: whoever pays more for it than for what is at the same nonce has cancelled
 * that. It has no recipient, since nothing leaves but its fee.
 * @throws Failure `request.refused`
 */
export function cancellationEffect(context: Context): Effect {
  const to = accountOfKey(context.publicKey)
  const type = context.network.isLegacy ? 0 : 2
  const request: TransactionRequest = { type, to, value: 0n, data: new Uint8Array() }
  const effect = effectOf(complete(request, context), context)
  return { ...effect, kind: 'transaction', outflow: { ...effect.outflow, movements: [] } }
}

/**
 * The same transaction for other fees, be it that the first payload named some: the signature under
 * this request bounds them again.
 * @throws Failure `request.refused`, `request.unsupported`, `bytes.malformed`
 */
export function speedUpEffect(
  original: TransferIntent | TransactionIntent,
  context: Context,
): Effect {
  if (original.feeSponsorId !== undefined)
    throw refused('what somebody else pays for is not sped up')
  if (original.kind === 'transfer') return transferEffect(original, context)
  return { ...effectOf(repriced(original.transaction, context), context), kind: 'transaction' }
}

function repriced(body: TransactionIntent['transaction'], context: Context): EvmTransaction {
  if (body.form === 'operations') throw refused('operations are no transaction of their account')
  if (body.form === 'bytes') return repricedWhole(readWhole(body.bytes, context), context)
  return complete(withoutFees(readTransactionRequest(body.object, context.network)), context)
}

function withoutFees({
  gasPrice: _1,
  maxFeePerGas: _2,
  maxPriorityFeePerGas: _3,
  ...request
}: TransactionRequest): TransactionRequest {
  return request
}

/** What the bytes say of nonce and gas, the facts have to repeat. */
function repricedWhole(tx: EvmTransaction, { facts }: Context): EvmTransaction {
  if (facts.family !== 'evm') throw refused('the facts are not of this network')
  settled('nonce', tx.nonce, facts.nonce)
  settled('gasLimit', tx.gasLimit, facts.gasLimit)
  const { gasPrice, maxFeePerGas, maxPriorityFeePerGas } = facts
  if ((gasPrice === undefined) === 'gasPrice' in tx)
    throw refused('facts of another transaction type')
  if ('gasPrice' in tx) return { ...tx, gasPrice: settled('gasPrice', undefined, gasPrice) }
  return { ...tx, maxFeePerGas, maxPriorityFeePerGas }
}
