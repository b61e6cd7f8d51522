import { decodeBody } from '@quorate/authority/body'
import { activePoliciesTable } from '@quorate/authority/records'
import type { PolicyEvaluation, Rules } from '@quorate/authority/reduce/judging'
import { requestOfEvidence } from '@quorate/authority/reduce/cause'
import { evaluationOf, rehearsalOf } from '@quorate/authority/reduce/questions'
import type { Evidence } from '@quorate/authority/step'
import { rootOf, type StreamId } from '@quorate/authority/stream'
import { readRoot, type KnownLog } from '../auth/log.ts'
import { Ledger } from '../coordinator/ledger.ts'
import { Views } from '../coordinator/views.ts'
import type { Database } from '../database/database.ts'

export type EvaluateDeps = { readonly database: Database; readonly rules: Rules }
export type Asked = {
  readonly organization: Uint8Array
  /** The root, or the key's. */
  readonly stream: StreamId
  readonly evidence: Evidence
}

/**
 * Whoever has none on signing need not be asked what they say. One record tells, as this server knows
 * it: whoever asks has just signed, or read, by the newest ones.
 */
export function hasPolicies({ readKnown }: KnownLog, organization: Uint8Array): Promise<boolean> {
  return readRoot({ read: readKnown }, organization, (root) => {
    const active = root.find(activePoliciesTable, 'Wallets:Sign')
    return active !== undefined && active.policies.length > 0
  })
}

/**
 * What policies say of a request that is in force, at its place in the log; or as of now, also where only its
 * approval stands there.
 */
export async function evaluationsOf(
  { database, rules }: EvaluateDeps,
  { organization, stream, evidence }: Asked,
  time: number,
): Promise<readonly PolicyEvaluation[]> {
  const ledger = new Ledger(database)
  const views = new Views(ledger)
  const place = { organization, stream }
  const at = await ledger.place(organization, requestOfEvidence(evidence))
  const certified = at && (await ledger.step(place, at.seq))
  const read = certified && decodeBody(certified.body)
  const kind = at && read?.step.items[at.item]?.operation.kind
  if (at !== undefined && read !== undefined && kind !== 'approval') {
    const seqs = { root: read.step.heads[0]?.seq ?? at.seq - 1, own: at.seq - 1 }
    const outcome = await views.readAt(place, seqs, (reader) =>
      evaluationOf({ ...read, reader, rules }, at.item),
    )
    return outcome.ok ? (outcome.said?.evaluations ?? []) : []
  }
  await views.refresh({ organization, stream: rootOf(organization) })
  await views.refresh(place)
  const outcome = await views.read(place, ({ reader }) =>
    rehearsalOf({ ...place, time, evidence }, reader, rules),
  )
  return outcome.ok ? (outcome.said?.evaluations ?? []) : []
}
