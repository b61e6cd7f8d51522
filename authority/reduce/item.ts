import { equalBytes } from '@quorate/core/bytes'
import { encode } from '@quorate/core/codec'
import { sha256 } from '@quorate/core/hash'
import { keyTable, recordKey, requestTable, type Write } from '../records.ts'
import { assertionsHash, operationCodec, type Item, type ItemKind } from '../step.ts'
import { judgeAuthor, type Authored } from './author.ts'
import { judgeCompletion, type Completed } from './completion.ts'
import * as breakGlass from './break-glass.ts'
import { reduceConfirmation } from './confirmation.ts'
import * as credentials from './credentials.ts'
import * as delegation from './delegation.ts'
import { reduceApproval, reduceDecision } from './approval.ts'
import * as feeSponsors from './fee-sponsors.ts'
import { reduceFreeze } from './freeze.ts'
import { evaluate, governedActivity, judgeGate } from './gate.ts'
import { reduceGenesis } from './genesis.ts'
import { find, refuse, type Judging } from './judging.ts'
import { reduceKey, reduceWallet } from './key.ts'
import * as permissions from './permissions.ts'
import * as policies from './policy.ts'
import { reduceRecovery, reduceRecoveryEnd } from './recovery.ts'
import { reduceRegistration } from './registration.ts'
import { reduceSettings } from './settings.ts'
import { judgeFill } from './outbidding.ts'
import { isFill } from './sponsor.ts'
import { reduceSponsorRenewal, reduceSponsorship } from './sponsorship.ts'
import { reduceTags } from './tags.ts'
import * as tokens from './tokens.ts'
import * as updates from './update.ts'
import { planUse, reduceRenewal, reduceUse } from './use.ts'
import * as users from './users.ts'
import type { Reduced } from './writes.ts'
import { actsByRule } from './cause.ts'

export function reduceItem(judging: Judging, item: Item): readonly Write[] {
  const { evidence } = judging
  if (!equalBytes(item.assertions, assertionsHash(evidence.assertions))) refuse('other assertions')
  if (!equalBytes(item.facts, sha256(evidence.facts))) refuse('other facts')
  if (item.versions.length > 0) refuse('versions are not understood')
  const { operation, writes } = reduced(judging, item.operation.kind)
  const isSame = equalBytes(
    encode(operationCodec, operation),
    encode(operationCodec, item.operation),
  )
  if (!isSame) refuse('the item does something else than was asked for')
  return writes
}

/** Everything but a use is used once at home in the root stream, where its marker stays. */
export function reduced(judging: Judging, kind: ItemKind): Reduced {
  judgeStream(judging)
  if (kind === 'genesis') return marked(judging, reduceGenesis(judging))
  return judging.item.cause.kind === 'completion'
    ? reduceCompleted(judging, kind)
    : reduceAuthored(judging, kind)
}

function reduceAuthored(judging: Judging, kind: ItemKind): Reduced {
  const authored = authorOf(judging)
  judgeHome(judging, kind, authored)
  if (kind === 'approval') return opened(judging, authored)
  if (kind === 'use') return reduceUse(judging, authored)
  if (kind === 'renew') return reduceRenewal(judging, authored)
  if (kind === 'sponsor') return reduceSponsorship(judging, authored)
  if (kind === 'sponsorRenewal') return reduceSponsorRenewal(judging, authored)
  judgeUnused(judging)
  const reduce = authoredKinds[kind] ?? refuse('nobody may ask for such an item')
  judgeGate(judging, governedActivity(judging, authored))
  return marked(judging, reduce(judging, authored))
}

/** Where nothing is done for him any more, he is not asked again. */
export function authorOf(judging: Judging): Authored {
  return isFill(judging) ? judgeFill(judging) : judgeAuthor(judging)
}

/** What is held would be valid but for its approval: else nobody is asked. */
function opened(judging: Judging, authored: Authored): Reduced {
  const { item } = authored.match.operation.changes
  if (item === 'use') {
    const { activity } = planUse(judging, authored)
    return reduceApproval(judging, authored, evaluate(judging, activity))
  }
  // Its token is told to whoever asked for it, in the answer: later, nobody asks.
  if (authored.match.operation.creates.includes('token')) refuse('a new token waits for nobody')
  const reduce = item === 'none' ? undefined : authoredKinds[item]
  const activity = governedActivity(judging, authored)
  if (reduce === undefined || activity === undefined) return refuse('policies hold no such request')
  reduce(judging, authored)
  return reduceApproval(judging, authored, evaluate(judging, activity))
}

function reduceCompleted(judging: Judging, kind: ItemKind): Reduced {
  const completed = judgeCompletion(judging)
  judgeHome(judging, kind, completed)
  judgeUnused(judging)
  const reduce = completedKinds[kind] ?? refuse('such an item completes nothing')
  return marked(judging, reduce(judging, completed))
}

function judgeHome({ step }: Judging, kind: ItemKind, { match }: Pick<Authored, 'match'>): void {
  const home = match.operation.changes
  const isOfUse = kind === 'renew' || actsByRule(kind)
  const isExpected = home.item === kind || (home.item === 'use' && isOfUse) || kind === 'approval'
  const isAtHome = home.stream === step.stream.kind || home.stream === 'held'
  if (!isExpected || !isAtHome) refuse('the item does not stand where it belongs')
}

function judgeUnused({ reader, step, challenge }: Judging): void {
  if (reader.read(step.stream, recordKey(requestTable, challenge)) !== undefined)
    refuse('the request has been used')
}

type Table<Cause> = {
  readonly [K in ItemKind]?: (judging: Judging, cause: Cause) => Reduced
}

const authoredKinds: Table<Authored> = {
  user: users.reduceUser,
  userUpdate: users.reduceUserUpdate,
  userStatus: users.reduceUserStatus,
  confirmation: reduceConfirmation,
  credential: credentials.reduceCredential,
  credentialCode: credentials.reduceCredentialCode,
  credentialStatus: credentials.reduceCredentialStatus,
  recoveryEnd: reduceRecoveryEnd,
  serviceAccount: tokens.reduceServiceAccount,
  token: tokens.reduceToken,
  tokenStatus: tokens.reduceTokenStatus,
  permission: permissions.reducePermission,
  permissionUpdate: permissions.reducePermissionUpdate,
  policy: policies.reducePolicy,
  policyUpdate: policies.reducePolicyUpdate,
  decision: reduceDecision,
  break: breakGlass.reduceBreak,
  breakEnd: breakGlass.reduceBreakEnd,
  assignment: permissions.reduceAssignment,
  assignmentEnd: permissions.reduceAssignmentEnd,
  feeSponsor: feeSponsors.reduceFeeSponsor,
  feeSponsorUpdate: feeSponsors.reduceFeeSponsorUpdate,
  settings: reduceSettings,
  key: reduceKey,
  keyStatus: delegation.reduceKeyStatus,
  delegation: delegation.reduceDelegation,
  wallet: reduceWallet,
  tags: reduceTags,
  update: updates.reduceUpdate,
  agreement: updates.reduceAgreement,
  freeze: reduceFreeze,
  erasure: updates.reduceErasure,
}

const completedKinds: Table<Completed> = {
  user: users.reduceSocialUser,
  registration: reduceRegistration,
  credential: credentials.reduceCodeCredential,
  recovery: reduceRecovery,
}

/**
 * An organization has the one root stream that bears its id, and one for each of its keys. In any
 * other, its memory would begin anew: a genesis could be repeated, a used request used again.
 */
function judgeStream(judging: Judging): void {
  const { organization, stream } = judging.step
  const isItsOwn =
    stream.kind === 'root'
      ? equalBytes(stream.id, organization)
      : stream.kind === 'key' && find(judging, keyTable, stream.id) !== undefined
  if (!isItsOwn) refuse('the organization has no such stream')
}

function marked({ preimage, challenge, step }: Judging, { operation, writes }: Reduced): Reduced {
  const marker = {
    key: recordKey(requestTable, challenge),
    value: encode(requestTable.codec, {
      slot: undefined,
      digests: [],
      fee: 0n,
      executeBefore: preimage.executeBefore,
      time: step.time,
    }),
  }
  return { operation, writes: [marker, ...writes] }
}
