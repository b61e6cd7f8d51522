import { equalBytes } from '@quorate/core/bytes'
import { idOf, type IdKind } from '@quorate/core/id'
import type { Outflow } from '@quorate/core/outflow'
import { slotTable, type RecordOf } from '../records.ts'
import { subjectId } from './author.ts'
import { own } from './held.ts'
import { refuse, type Judging, type SignablePlan } from './judging.ts'

type Replacing = { readonly role: string; readonly kind: IdKind; readonly keepsEffect: boolean }
const transfer = { role: 'transferId', kind: 'transfer' } as const
const transaction = { role: 'transactionId', kind: 'transaction' } as const
const replacing: Readonly<Record<string, Replacing>> = {
  'wallets.speedUpTransfer': { ...transfer, keepsEffect: true },
  'wallets.speedUpTransaction': { ...transaction, keepsEffect: true },
  'wallets.cancelTransfer': { ...transfer, keepsEffect: false },
  'wallets.cancelTransaction': { ...transaction, keepsEffect: false },
}

/**
 * What takes the place of another stands at that one's slot, in the same key's stream and on the same
 * network: its user has signed which one. A speed-up does what that one does, and nothing else.
 */
export function judgeReplacement(judging: Judging, name: string, plan: SignablePlan): void {
  const named = Object.hasOwn(replacing, name) ? replacing[name] : undefined
  if (named === undefined) return
  const id = subjectId(judging, named.role)
  const replaced = usesAt(judging, plan).find(({ request }) =>
    equalBytes(idOf(request, named.kind), id),
  )
  if (replaced === undefined) return refuse('what it is to replace is not at this slot')
  if (named.keepsEffect && !isSame(plan.replaces?.effect, replaced.effect))
    refuse('it does something else than what it is to replace')
}

function isSame(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === undefined || b === undefined ? a === b : equalBytes(a, b)
}

export function usesAt(
  judging: Judging,
  { network, slot }: SignablePlan,
): RecordOf<typeof slotTable>['uses'] {
  return slot === undefined ? [] : (own(judging, slotTable, network, slot)?.uses ?? [])
}

/**
 * What a replacement may cost more than the dearest at its slot, since the chain carries out one of
 * them: the others were counted when they came there.
 */
export function excessOf(judging: Judging, plan: SignablePlan): Outflow['fee'] {
  const { replaces, outflow } = plan
  if (replaces === undefined || outflow.fee === undefined) return undefined
  const fees = usesAt(judging, plan).map(({ fee }) => fee)
  const most = fees.reduce((max, fee) => (fee > max ? fee : max), 0n)
  const amount = outflow.fee.amount - most
  return amount > 0n ? { asset: outflow.fee.asset, amount } : undefined
}
