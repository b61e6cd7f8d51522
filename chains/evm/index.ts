import type { ChainAdapter } from '../adapter.ts'
import { parseAddress } from './address.ts'
import { advance } from './blocks.ts'
import { broadcast } from './broadcast.ts'
import { balance, checkChain, observe } from './observe.ts'
import { status } from './status.ts'
import { assemble, build, type EvmAsk, type EvmFacts, type EvmSignature } from './transaction.ts'
import { tokenLogs } from './token-logs.ts'
import { internalPayments, internalTransfersOf } from './traces.ts'
import { tokenTransfersOf, transfersOf } from './transfers.ts'

export { findHeader } from './blocks.ts'
export { isAuthorityBusy } from './broadcast.ts'
export { callFunction, type Call } from './call.ts'
export { dataFee } from './data-fee.ts'
export { readFees, type Fees } from './fees.ts'
export { pendingNonce, requireFunds } from './observe.ts'
export { isSlotSettled } from './slot.ts'
export { readToken, readTokenUri, readTokenWords, tokenCall, tokenHolding } from './tokens.ts'
export type { TokenMove, TokenWords } from './tokens.ts'
export type { EvmAsk, EvmFacts, EvmSignature } from './transaction.ts'

export const evm: ChainAdapter<EvmAsk, EvmFacts, EvmSignature> = {
  family: 'evm',
  parseAddress,
  checkChain,
  observe,
  build,
  assemble,
  broadcast,
  status,
  balance,
  advance,
  transfersOf,
  internalPayments,
  internalTransfersOf,
  tokenLogs,
  tokenTransfersOf,
}
