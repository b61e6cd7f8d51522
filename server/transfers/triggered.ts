import { keyStream } from '@quorate/authority/stream'
import { evaluationsAfter } from '../approvals/after.ts'
import type { Event } from '../outbox.ts'
import { evaluationsOf, hasPolicies } from '../policies/evaluate.ts'
import { triggeredEvents } from '../policies/triggered.ts'
import { transactionOf, transferOf } from './entity.ts'
import type { Move } from './move.ts'
import { evidenceOf } from './reading.ts'
import type { Outgoing } from './tables.ts'
import type { WorkDeps } from './work.ts'

/**
 * That policies were triggered which have blocked it, or want nothing done about what is signed now.
 * Those with which it was held have been told of when its approval was opened.
 */
export async function triggeredBy(
  { database, coordinator: log, rules, now }: WorkDeps,
  row: Outgoing,
  { event, judged, values }: Move,
): Promise<readonly Event[]> {
  const { organization, key, request } = row
  // Policies on the sponsor's key are no word on what it is sent for.
  if (row.kind === 'sponsorship') return []
  const isAllowed = event === 'sign' && (await hasPolicies(log, organization))
  if (!isAllowed && judged === undefined) return []
  const at = now()
  const asked = { organization, stream: keyStream(key), evidence: judged ?? evidenceOf(row) }
  const said = await evaluationsOf({ database, rules }, asked, at)
  const approval_id = row.approval_id ?? values?.approval_id ?? null
  const of = { organization, approval_id }
  const evaluations = await evaluationsAfter({ database, rules }, of, said)
  const shown =
    row.kind === 'transfer'
      ? { transferRequest: transferOf(row) }
      : { transactionRequest: transactionOf(row) }
  const activity = { kind: 'Wallets:Sign', ...shown }
  return triggeredEvents({ database, log }, { organization, request, activity, evaluations, at })
}
