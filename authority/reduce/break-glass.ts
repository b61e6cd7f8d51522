import { equalBytes } from '@quorate/core/bytes'
import { breakTable, policyTable, type RecordOf } from '../records.ts'
import { rootMembersMax } from '../settings.ts'
import { settingsOf } from '../standing.ts'
import { subjectId, type Authored } from './author.ts'
import { isBroken } from './definitions.ts'
import { find, recordsOf, refuse, type Judging } from './judging.ts'
import { speaks, stillSpeaks } from './settings.ts'
import { put, type Reduced } from './writes.ts'

/** So long the rest of the quorum has to sign, from the first signature on. */
const collectingMs = 7 * 24 * 60 * 60_000

type Break = RecordOf<typeof breakTable>

/**
 * `POST /v2/policies/:policyId/break`: the approvers of a policy may all be gone, and then nobody
 * can change it or what it holds. A quorum that the root quorum has declared beforehand may end it,
 * when enough of them have signed and everybody else has had time to stop them. What it has held
 * until then it goes on to hold: its approval rests on the policy as it was.
 */
export function reduceBreak(judging: Judging, authored: Authored): Reduced {
  const policy = activePolicy(judging)
  const { breakGlass } = settingsOf(recordsOf(judging))
  if (breakGlass.needed === 0) refuse('no break-glass quorum is declared')
  const signer = memberAmong(judging, breakGlass.members, authored)
  const { time } = judging.step
  const standing = collected(judging, breakGlass.members, find(judging, breakTable, policy))
  if (standing.effectiveAt !== undefined) refuse('the policy is ending already')
  const others = standing.signedBy.filter(({ user }) => !equalBytes(user, signer.user))
  const signedBy = [...others, signer].slice(0, rootMembersMax)
  const isEnough = signedBy.length >= breakGlass.needed
  const effectiveAt = isEnough ? time + breakGlass.waitMs : undefined
  return {
    operation: { kind: 'break', policy, effectiveAt },
    writes: [put(breakTable, [policy], { ...standing, signedBy, effectiveAt })],
  }
}

/** `DELETE /v2/policies/:policyId/break`: any employee with a confirmed credential stops it. */
export function reduceBreakEnd(judging: Judging): Reduced {
  const policy = activePolicy(judging)
  if (find(judging, breakTable, policy) === undefined) refuse('nobody ends the policy')
  return {
    operation: { kind: 'breakEnd', policy },
    writes: [put(breakTable, [policy], { signedBy: [], expiresAt: 0, effectiveAt: undefined })],
  }
}

function activePolicy(judging: Judging): Uint8Array {
  const policy = subjectId(judging, 'policyId')
  const isActive = find(judging, policyTable, policy)?.status === 'active'
  return isActive && !isBroken(judging, policy) ? policy : refuse('there is no such policy')
}

function memberAmong(
  judging: Judging,
  members: readonly Uint8Array[],
  { user, fingerprints }: Authored,
): Break['signedBy'][number] {
  if (!isMember(members, user)) refuse('the author is not of the break-glass quorum')
  const fingerprint = fingerprints.find((one) => speaks(judging, { user, fingerprint: one }))
  return fingerprint === undefined
    ? refuse('the credential may not speak for the break-glass quorum')
    : { user, fingerprint }
}

function isMember(members: readonly Uint8Array[], user: Uint8Array): boolean {
  return members.some((member) => equalBytes(member, user))
}

/** Whoever signed before counts as long as the same signature would be believed today. */
function collected(
  judging: Judging,
  members: readonly Uint8Array[],
  known: Break | undefined,
): Break {
  const { time } = judging.step
  if (known === undefined || (known.effectiveAt === undefined && time > known.expiresAt))
    return { signedBy: [], expiresAt: time + collectingMs, effectiveAt: undefined }
  const signedBy = known.signedBy.filter(
    (one) => isMember(members, one.user) && stillSpeaks(judging, one),
  )
  return { ...known, signedBy }
}
