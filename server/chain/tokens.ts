import {
  readToken,
  tokenCall,
  tokenHolding,
  type TokenMove,
  type TokenWords,
} from '@quorate/chains/evm/index'
import { Failure } from '@quorate/core/failure'
import type { Intent, TransferIntent } from '@quorate/effects/intent'
import type { ReplacementIntent } from '@quorate/effects/replacement'
import type { Chain } from './chains.ts'

/** What a transfer moves of a token; nothing for the native asset, and for what is no transfer. */
export function tokenMoveOf(intent: Intent | ReplacementIntent): TokenMove | undefined {
  if (intent.kind !== 'transfer' || intent.asset === 'Native') return undefined
  const { contract, to } = intent
  switch (intent.asset) {
    case 'Erc20':
      return { kind: 'Erc20', contract, to, amount: intent.amount }
    case 'Erc721':
      return { kind: 'Erc721', contract, to, tokenId: intent.tokenId }
    case 'Erc1155':
      return { kind: 'Erc1155', contract, to, tokenId: intent.tokenId, amount: intent.amount }
  }
}

/** Whom a transfer's transaction is sent to, and what with. @throws Failure `address.malformed` */
export function callOf(
  intent: TransferIntent,
  from: string,
): { readonly to: string; readonly value: bigint; readonly data: Uint8Array } {
  const move = tokenMoveOf(intent)
  if (move !== undefined) return { to: move.contract, value: 0n, data: tokenCall(from, move) }
  const value = intent.asset === 'Native' ? intent.amount : 0n
  return { to: intent.to, value, data: new Uint8Array() }
}

/** How much has to be there: a piece is one. */
export function amountOf(move: TokenMove): bigint {
  return move.kind === 'Erc721' ? 1n : move.amount
}

/** @throws Failure `asset.not_found` for the address of no such token, or of one of another network */
export async function tokenWords(
  { rpc, network: { id: network } }: Chain,
  { kind, contract }: TokenMove,
): Promise<TokenWords> {
  const words = await readToken(rpc, { kind, contract })
  if (words === undefined) throw new Failure('asset.not_found', { network, kind, contract })
  return words
}

/** @throws Failure `funds.insufficient` */
export async function requireTokens({ rpc }: Chain, from: string, move: TokenMove): Promise<void> {
  const [needed, available] = [amountOf(move), await tokenHolding(rpc, from, move)]
  if (available < needed)
    throw new Failure('funds.insufficient', {
      needed: needed.toString(),
      available: available.toString(),
    })
}
