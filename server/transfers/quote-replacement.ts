import type { Match, OperationName } from '@quorate/authority/operations'
import type { Caller } from '../auth/caller.ts'
import { aboveCeiling } from '../chain/ask.ts'
import { feeMaxOf } from '../chain/facts.ts'
import type { QuoteDeps } from '../chain/quote.ts'
import { findOwnOutgoing } from './find.ts'
import { placeOf, type Replacement } from './replace.ts'
import { observeReplacement } from './replacement-facts.ts'

type Replacing = { readonly kind: 'transfer' | 'transaction'; readonly replacement: Replacement }
const replacements: { readonly [Name in OperationName]?: Replacing } = {
  'wallets.cancelTransfer': { kind: 'transfer', replacement: 'cancellation' },
  'wallets.cancelTransaction': { kind: 'transaction', replacement: 'cancellation' },
  'wallets.speedUpTransfer': { kind: 'transfer', replacement: 'speedUp' },
  'wallets.speedUpTransaction': { kind: 'transaction', replacement: 'speedUp' },
}

export function isReplacing({ name }: Pick<Match, 'name'>): boolean {
  return replacements[name] !== undefined
}

/**
 * The bound on fees that a user is asked to sign before anything takes the place of what waits: twice
 * what it takes now, as for any other request.
 * @throws Failure for everything that is known to be refused later
 */
export async function quoteReplacement(
  { database, chains }: QuoteDeps,
  caller: Caller,
  { name, params }: Match,
): Promise<bigint | undefined> {
  const asked = replacements[name]
  if (asked === undefined) return undefined
  const { walletId = '', transferId, transactionId } = params
  const named = { kind: asked.kind, walletId, name: transferId ?? transactionId ?? '' }
  const row = await findOwnOutgoing(database, caller, named)
  const place = await placeOf(database, row, asked.replacement)
  const chain = chains.find(row.network)
  await chain.ready()
  const observed = await observeReplacement({ database, chain }, { ...row, ...place })
  if (!observed.ok) throw aboveCeiling(chain.traits, observed.fee)
  const fee = feeMaxOf(observed.facts)
  const { feeCeiling } = chain.traits
  if (fee > feeCeiling) throw aboveCeiling(chain.traits, fee)
  return 2n * fee < feeCeiling ? 2n * fee : feeCeiling
}
