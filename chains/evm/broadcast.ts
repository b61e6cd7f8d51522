import { isFailure } from '@quorate/core/failure'
import type { BroadcastOutcome, Rpc, SignedTransaction } from '../adapter.ts'
import { readHash, unreadable } from './answer.ts'
import { toHexText } from './transaction.ts'

/** JSON-RPC has no codes for these. The words are those of geth, anvil, Erigon, Nethermind and Besu. */
const knownWords = /already known|already imported|known transaction|alreadyknown/i
const slotUsedWords = /nonce too low|nonce is too low|oldnonce|nonce below account nonce/i
/** Those of geth and of Nethermind, for what gives code to an account of which transactions wait. */
const authorityBusyWords =
  /authority already reserved|authority has pending|delegator ?has ?pending/i

/**
 * Is a transaction kept out of a pool by what accounts that it gives code to have sent themselves (EIP-7702)?
 * @param reason of the refusal
 */
export function isAuthorityBusy(reason: string): boolean {
  return authorityBusyWords.test(reason)
}

/**
 * May be called again with the same bytes at any time. A refusal is this node's, today: bytes that
 * are signed may still reach the chain another way, so it ends nothing by itself.
 * @throws Failure `chain.unavailable` when nobody can say whether the node took it
 */
export async function broadcast(rpc: Rpc, signed: SignedTransaction): Promise<BroadcastOutcome> {
  const answer = await send(rpc, signed)
  if (typeof answer !== 'string') return answer
  if (readHash(answer) !== signed.hash) throw unreadable('the hash of what was sent')
  return { kind: 'accepted' }
}

async function send(rpc: Rpc, { bytes }: SignedTransaction): Promise<BroadcastOutcome | string> {
  try {
    return String(await rpc('eth_sendRawTransaction', [toHexText(bytes)]))
  } catch (error) {
    if (!isFailure(error, 'chain.refused')) throw error
    const { reason } = error.context
    if (knownWords.test(reason)) return { kind: 'known' }
    if (slotUsedWords.test(reason)) return { kind: 'slot-used' }
    return { kind: 'refused', reason }
  }
}
