import { tokenHolding, type TokenMove } from '@quorate/chains/evm/index'
import { equalBytes } from '@quorate/core/bytes'
import { newestHash } from '../assets/holdings.ts'
import { amountOf, tokenMoveOf } from '../chain/tokens.ts'
import type { StepDeps } from './outcome.ts'
import { intentOf } from './reading.ts'
import type { Outgoing } from './tables.ts'

export type Lack =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'short'
      readonly asset: string
      readonly needed: bigint
      readonly available: bigint
    }
  /** What is under way may need all there is. */
  | { readonly kind: 'promised' }

/**
 * Does the wallet have the token that it is to pay, by the token's own word?
 * @throws Failure `chain.unavailable`, `chain.refused` while nobody says
 */
export async function tokenLack({ database, chain }: StepDeps, row: Outgoing): Promise<Lack> {
  const move = tokenMoveOf(intentOf(row))
  if (move === undefined) return { kind: 'none' }
  const needed = amountOf(move)
  // At a block: what ends a payment is asked of all nodes, and not of one.
  const available = await tokenHolding(chain.rpc, row.address, move, await newestHash(chain))
  const asset = `${move.kind} ${move.contract}`
  if (available < needed) return { kind: 'short', asset, needed, available }
  const ahead = await database
    .selectFrom('outgoing')
    .selectAll()
    .where('network', '=', row.network)
    .where('address', '=', row.address)
    .where('state', 'in', ['prepared', 'signed', 'broadcasted'])
    .where('kind', '=', 'transfer')
    .execute()
  const others = ahead.filter(
    ({ id, slot }) => !equalBytes(id, row.id) && (slot === null || slot !== row.slot),
  )
  const promised = others.reduce((sum, other) => {
    const theirs = tokenMoveOf(intentOf(other))
    return theirs !== undefined && isSame(theirs, move) ? sum + amountOf(theirs) : sum
  }, 0n)
  return available - promised < needed ? { kind: 'promised' } : { kind: 'none' }
}

function isSame(a: TokenMove, b: TokenMove): boolean {
  return idOf(a) === idOf(b) && a.contract.toLowerCase() === b.contract.toLowerCase()
}

function idOf(move: TokenMove): bigint | undefined {
  return move.kind === 'Erc20' ? undefined : move.tokenId
}
