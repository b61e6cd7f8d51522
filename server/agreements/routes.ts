import {
  getLatestUnacceptedAgreement,
  recordAgreementAcceptance,
  type Agreement,
} from '@quorate/api/agreements'
import { Failure } from '@quorate/core/failure'
import type { Caller } from '../auth/caller.ts'
import { settleSigned, type SettleDeps } from '../auth/settle.ts'
import { routing, type Route } from '../http/route.ts'

const { route } = routing<Caller>()

export type AgreementDeps = SettleDeps & {
  /** The operator's own, oldest first; none unless he has laid some down. */
  readonly agreements: readonly Agreement[]
}

/** That somebody has accepted the operator's terms stands in the log; nothing rests on it. */
export function agreementRoutes(deps: AgreementDeps): readonly Route<Caller>[] {
  const { agreements } = deps
  return [
    route(getLatestUnacceptedAgreement, async ({ caller, query: { agreementType } }) => {
      const latest = agreements.findLast(
        (one) => agreementType === undefined || one.agreementType === agreementType,
      )
      const isOpen =
        latest !== undefined && (await acceptedAt(deps, caller, latest.id)) === undefined
      return { latestAgreement: isOpen ? latest : null }
    }),
    route(recordAgreementAcceptance, async ({ caller, raw, params: { agreementId } }) => {
      if (!agreements.some(({ id }) => id === agreementId))
        throw new Failure('agreement.not_found', { agreementId })
      await settleSigned(deps, caller, raw, { kind: 'agreement' })
      const at = await acceptedAt(deps, caller, agreementId)
      if (at === undefined) throw new TypeError('what is in force has its row')
      return { agreementId, userId: caller.userId, dateAccepted: new Date(at).toISOString() }
    }),
  ]
}

async function acceptedAt(
  { database }: AgreementDeps,
  { organization, user }: Caller,
  agreementId: string,
): Promise<number | undefined> {
  const row = await database
    .selectFrom('agreement_acceptances')
    .select('accepted_at')
    .where('organization', '=', organization)
    .where('user', '=', user)
    .where('agreement_id', '=', agreementId)
    .executeTakeFirst()
  return row?.accepted_at
}
