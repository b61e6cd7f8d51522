import { equalBytes } from '@quorate/core/bytes'
import { nameOf } from '@quorate/core/id'
import {
  approvalTable,
  credentialTable,
  denialTable,
  heldTable,
  tokenTable,
  userTable,
  type RecordOf,
} from '../records.ts'
import { has, isActive, isCredentialLive, isFrozen, isTokenLive, rightsOf } from '../standing.ts'
import { definitionOf, type ActivePolicy } from './definitions.ts'
import { find, recordsOf, refuse, type ApprovalGroup, type Judging } from './judging.ts'
import { own } from './held.ts'

/** How the reason of a refusal begins that an approval would lift. */
export const heldReason = 'held by policy: '
/** And of one that nothing lifts. */
export const blockedReason = 'blocked by policy: '

export type Approval = RecordOf<typeof approvalTable>
export type Decision = Approval['decisions'][number]

/**
 * May what was held go on? Whoever opened the approval has fixed under which policies; those that
 * hold it today, changed or new, want theirs as well. Decisions count while whoever made them could
 * still make them.
 */
export function judgeApproved(
  judging: Judging,
  { heldBy, reason }: { readonly heldBy: readonly ActivePolicy[]; readonly reason: string },
): void {
  const held = own(judging, heldTable, judging.request)
  if (held === undefined) return heldBy.length > 0 ? refuse(heldReason + reason) : undefined
  judgeNotDenied(judging)
  const approval = own(judging, approvalTable, held.approval) ?? refuse('there is no such approval')
  if (approval.status === 'pending') refuse('the request waits for its approval')
  const wanted = [...approval.opening.policies, ...heldBy]
  if (!isSatisfied(judging, approval, groupsOf(judging, wanted)))
    refuse('the approval does not cover what policies want')
}

/** Once more before the last round: a denial that came by another way stops what was agreed on. */
export function judgeNotDenied(judging: Judging): void {
  const held = own(judging, heldTable, judging.request)
  if (held === undefined) return
  const isDenied =
    own(judging, approvalTable, held.approval)?.status === 'denied' ||
    find(judging, denialTable, held.approval) !== undefined
  if (isDenied) refuse('the request was denied')
}

export function groupsOf(
  judging: Judging,
  policies: readonly ActivePolicy[],
): readonly ApprovalGroup[] {
  return policies.flatMap(
    ({ definition }) => judging.rules.policies.view(definitionOf(judging, definition)).groups,
  )
}

/** Has every group as many approvals as it wants? One approval counts for every group it fits. */
export function isSatisfied(
  judging: Judging,
  { opening, decisions }: Pick<Approval, 'opening' | 'decisions'>,
  groups: readonly ApprovalGroup[],
): boolean {
  const standing = decisions.filter(
    (decision) => decision.value === 'approved' && stands(judging, decision),
  )
  return groups.every((group) => {
    const approving = standing.filter(({ user }) => mayApprove(judging, group, { user, opening }))
    return approving.length >= group.quorum
  })
}

type Voter = { readonly user: Uint8Array; readonly opening: Approval['opening'] }

export function mayApprove(judging: Judging, group: ApprovalGroup, voter: Voter): boolean {
  const isInitiator = equalBytes(voter.user, voter.opening.initiator)
  return isMember(judging, group, voter.user) && (!isInitiator || group.initiatorCanApprove)
}

/** Is it his to decide at all? Whoever asked may say no where he may not say yes. */
export function isMember(
  judging: Judging,
  { approvers, serviceAccountsCanApprove }: ApprovalGroup,
  user: Uint8Array,
): boolean {
  const record = find(judging, userTable, user)
  const isOfKind =
    record?.kind === 'employee' || (record?.kind === 'serviceAccount' && serviceAccountsCanApprove)
  return isOfKind && (approvers === undefined || approvers.includes(nameOf('user', user)))
}

/** Could he still decide, with the same credential? */
function stands(judging: Judging, { user, fingerprint }: Decision): boolean {
  const records = recordsOf(judging)
  const record = find(judging, userTable, user)
  const credential = find(judging, credentialTable, user, fingerprint)
  if (!isActive(record) || credential === undefined || isFrozen(records, user)) return false
  const { time } = judging.step
  const { token: id } = credential
  const token = id === undefined ? undefined : find(judging, tokenTable, id)
  if (id !== undefined && (token === undefined || !isTokenLive(records, token, time))) return false
  const rights = rightsOf(
    records,
    user,
    id === undefined || token === undefined ? undefined : { id, record: token },
  )
  return (
    credential.rank === 'confirmed' &&
    isCredentialLive(record, credential, time) &&
    has(rights, 'Policies:Approvals:Approve')
  )
}
