import type { PolicyEvaluation } from '@quorate/authority/reduce/judging'
import { explained, type ExplainDeps } from './explain.ts'
import { approvalOf } from './find.ts'

/**
 * What policies say of a request, but for those that had triggered when its approval was opened: whoever
 * announces the approval tells of them. Without an approval, that is all of it.
 *
 * @throws Failure `approval.not_found`
 */
export async function evaluationsAfter(
  deps: ExplainDeps,
  { organization, approval_id }: { organization: Uint8Array; approval_id: string | null },
  evaluations: readonly PolicyEvaluation[],
): Promise<readonly PolicyEvaluation[]> {
  if (approval_id === null || evaluations.every(({ triggered }) => !triggered)) return evaluations
  const row = await approvalOf(deps.database, organization, approval_id)
  const opening = (await explained(deps, row)).evaluations
  const told = new Set(opening.flatMap((one) => (one.triggered ? [one.policyId] : [])))
  return evaluations.filter(({ policyId }) => !told.has(policyId))
}
