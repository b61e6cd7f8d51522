import { equalBytes, toBase64url } from '@quorate/core/bytes'
import { fingerprintOf, verifyKeyAssertion } from '../credential.ts'
import type { KeyTerms } from '../key-certificate.ts'
import { userTable } from '../records.ts'
import { isActive, isFrozen, settingsOf, type User } from '../standing.ts'
import type { NewCredential } from '../step.ts'
import type { Completed } from './completion.ts'
import { find, recordsOf, refuse, type Judging } from './judging.ts'
import { newCredential } from './new-user.ts'
import { newCredentialsOf } from './new-credentials.ts'
import { bornWallets, newcomerTerms, type Newcomer } from './registration-wallets.ts'
import { objectOf, put, type Reduced } from './writes.ts'

/**
 * `POST /auth/registration` and `/auth/registration/enduser`: once for a user, with all that he
 * brings. Whoever knew the code could have sent this, the server first of all: what he brings
 * counts for nothing until somebody trusted covers it, unless the organization wants it so.
 */
export function reduceRegistration(judging: Judging, completed: Completed): Reduced {
  const { newcomer, record, credentials } = judgeRegistration(judging, completed)
  const { user } = newcomer
  const { wallets, writes } = bornWallets(judging, newcomer)
  const { generation } = record
  return {
    operation: { kind: 'registration', user, credentials, wallets },
    writes: [
      put(userTable, [user], {
        ...record,
        registered: 'yes',
        credentials: credentials.map(({ publicKey }) => fingerprintOf(publicKey)),
      }),
      ...credentials.flatMap((credential, index) =>
        newCredential(judging, { user, index, credential, generation, token: undefined }),
      ),
      ...writes,
    ],
  }
}

/**
 * The keys that this completion would make: all of it is judged but for their certificates, so
 * that no signer makes a share for a registration that would be refused in the end.
 */
export function registrationTerms(judging: Judging, completed: Completed): readonly KeyTerms[] {
  if (completed.match.name !== 'auth.registerEndUser') return refuse('the request makes no key')
  return newcomerTerms(judging, judgeRegistration(judging, completed).newcomer)
}

/** Everything but what is made by all signers together. */
function judgeRegistration(judging: Judging, { body, match }: Completed) {
  const user = judging.preimage.user ?? refuse('nobody is registered')
  const record = judgeUnregistered(judging, user)
  if (match.name === 'auth.registerEndUser' && record.kind !== 'endUser')
    refuse('the user is no end user')
  const given = objectOf(body)
  if (given['firstFactorCredential'] === undefined) refuse('there is no first factor')
  const credentials = rankedFor(judging, record, newCredentialsOf(judging, user, given))
  return { newcomer: { match, user, given } satisfies Newcomer, record, credentials }
}

function judgeUnregistered(judging: Judging, user: Uint8Array): User {
  const record = find(judging, userTable, user)
  if (!isActive(record)) return refuse('the user is not active')
  if (record.registered === 'yes') refuse('the user is registered already')
  if (isFrozen(recordsOf(judging), user)) refuse('the user is frozen')
  return record
}

type Unranked = Omit<NewCredential, 'rank'>

/**
 * A pinned key vouches for what it has signed: for all of the enrolment, or as a credential in its
 * own attestation for itself alone.
 */
function rankedFor(
  judging: Judging,
  record: User,
  brought: readonly Unranked[],
): readonly NewCredential[] {
  const { pinned } = record
  if (pinned === undefined) {
    if (judging.evidence.assertions.length > 0) refuse('nobody is asked to sign the enrolment')
    const rank = isOpen(judging, record) ? 'confirmed' : 'unconfirmed'
    return brought.map((credential) => ({ ...credential, rank }))
  }
  if (isEnrolmentSigned(judging, pinned))
    return brought.map((credential) => ({ ...credential, rank: 'confirmed' }))
  const isPinned = ({ kind, publicKey }: Unranked) =>
    kind === 'Key' && equalBytes(publicKey, pinned)
  if (!brought.some(isPinned)) refuse('the pinned key has not signed the enrolment')
  return brought.map((credential) => ({
    ...credential,
    rank: isPinned(credential) ? 'confirmed' : 'unconfirmed',
  }))
}

function isOpen(judging: Judging, { kind }: User): boolean {
  const { enrolment } = settingsOf(recordsOf(judging))
  return (kind === 'endUser' ? enrolment.endUsers : enrolment.employees) === 'open'
}

/** What the pinned key signs is the name of this very completion: its challenge and its body. */
function isEnrolmentSigned({ evidence, request }: Judging, pinned: Uint8Array): boolean {
  const [assertion, ...others] = evidence.assertions
  if (assertion === undefined) return false
  const isValid =
    others.length === 0 &&
    assertion.authenticatorData === undefined &&
    equalBytes(assertion.fingerprint, fingerprintOf(pinned)) &&
    verifyKeyAssertion(pinned, toBase64url(request), assertion)
  return isValid || refuse('the enrolment is not signed by the pinned key')
}
