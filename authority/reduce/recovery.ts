import { equalBytes, fromBase64url } from '@quorate/core/bytes'
import { idOf } from '@quorate/core/id'
import { parseJson, type Json } from '@quorate/core/json'
import { fingerprintOf, verifyRecovery } from '../credential.ts'
import {
  credentialIdTable,
  credentialsPerUserMax,
  credentialTable,
  recoveryTable,
  userTable,
} from '../records.ts'
import {
  bringsConfirmed,
  generationOf,
  isActive,
  isCredentialLive,
  isFrozen,
  isRecoveryWaiting,
  settingsOf,
  waitingRecovery,
  type Credential,
  type User,
} from '../standing.ts'
import { subjectId, type Authored } from './author.ts'
import type { Completed } from './completion.ts'
import { find, recordsOf, refuse, type Judging } from './judging.ts'
import { newCredential } from './new-user.ts'
import { newCredentialsOf } from './new-credentials.ts'
import { objectOf, put, putName, textOf, type Reduced } from './writes.ts'

/**
 * `POST /auth/recover/user`: a recovery key signs the credentials that are to follow. From its time
 * on everything older is dead by generation, and nothing needs to happen at that moment: until then
 * any live credential may cancel. Neither a mail nor a service account has any part in it here.
 */
export function reduceRecovery(judging: Judging, { body: given }: Completed): Reduced {
  const { step, preimage, request } = judging
  const user = preimage.user ?? refuse('nobody is recovered')
  judgeChallenge(judging)
  const record = judgeRecovered(judging, user)
  const body = objectOf(given)
  const signer = judgeRecoveryKey(
    judging,
    { user, record },
    body['recovery'],
    body['newCredentials'],
  )
  const { rank } = signer
  const credentials = newCredentialsOf(judging, user, body['newCredentials']).map((one) => ({
    ...one,
    rank,
  }))
  // Nobody locks himself out: a way back alone signs nothing.
  if (credentials.every(({ kind }) => kind === 'RecoveryKey'))
    refuse('no credential is brought that can sign')
  const generation = record.generationMax + 1
  const effectiveAt = step.time + settingsOf(recordsOf(judging)).recovery.waitMs
  const id = idOf(request, 'recovery')
  const known = livingOf(judging, user, record)
  const added = credentials.map(({ publicKey }) => fingerprintOf(publicKey))
  if (known.length + added.length > credentialsPerUserMax)
    refuse('the user has too many credentials')
  return {
    operation: { kind: 'recovery', user, credentials, generation, effectiveAt },
    writes: [
      put(userTable, [user], {
        ...record,
        // An earlier recovery whose time has come is behind us now.
        generation: generationOf(record, step.time),
        generationMax: generation,
        recovery: { id, effectiveAt, generation },
        credentials: [...known, ...added],
      }),
      put(recoveryTable, [id], { user, generation, effectiveAt, status: 'waiting' }),
      putName(judging, 'recovery', id),
      ...credentials.flatMap((credential, index) =>
        newCredential(judging, { user, index, credential, generation, token: undefined }),
      ),
    ],
  }
}

/** It names the one recovery key, and nothing is let in that these rules would not read. */
function judgeChallenge({ preimage, evidence }: Judging): void {
  const [named, ...others] = preimage.subjects
  if (named?.role !== recoveryKeyRole || others.length > 0)
    refuse('the challenge names more or less than a recovery key')
  if (preimage.token !== undefined) refuse('no token recovers anybody')
  if (evidence.assertions.length > 0 || evidence.facts.length > 0)
    refuse('a recovery rests on its recovery key alone')
}

/** The role under which a challenge names the recovery key that is to sign. */
export const recoveryKeyRole = 'credentialId'

function judgeRecovered(judging: Judging, user: Uint8Array): User {
  const record = find(judging, userTable, user)
  if (!isActive(record)) return refuse('the user is not active')
  if (record.kind === 'serviceAccount') refuse('a service account has no recovery')
  if (isFrozen(recordsOf(judging), user)) refuse('the user is frozen')
  if (waitingRecovery(record, judging.step.time) !== undefined)
    refuse('a recovery of this user is waiting')
  return record
}

/** The recovery key that the challenge names signs the text of the new credentials, and no other. */
function judgeRecoveryKey(
  judging: Judging,
  { user, record }: { readonly user: Uint8Array; readonly record: User },
  recovery: Json | undefined,
  newCredentials: Json | undefined,
): Credential {
  const named = find(judging, credentialIdTable, subjectId(judging, recoveryKeyRole))
  if (named === undefined || !equalBytes(named.user, user))
    return refuse('the recovery key is unknown')
  const credential = find(judging, credentialTable, user, named.fingerprint)
  if (credential?.kind !== 'RecoveryKey') return refuse('the credential is no recovery key')
  if (!isCredentialLive(record, credential, judging.step.time))
    refuse('the recovery key is not active')
  const given = objectOf(recovery)
  if (given['kind'] !== 'RecoveryKey') refuse('the recovery is not signed by a recovery key')
  const assertion = objectOf(given['credentialAssertion'])
  const text = verifyRecovery(credential.spki, {
    clientData: fromBase64url(textOf(assertion, 'clientData').replace(/={1,2}$/, '')),
    signature: fromBase64url(textOf(assertion, 'signature').replace(/={1,2}$/, '')),
  })
  if (text === undefined) return refuse('the signature of the recovery key is not valid')
  if (!isSame(parseJson(text), newCredentials))
    refuse('the recovery key has signed other credentials')
  return credential
}

/** As values: clients may order members as they like. */
function isSame(a: Json | undefined, b: Json | undefined): boolean {
  return a !== undefined && b !== undefined && sorted(a) === sorted(b)
}

function sorted(value: Json): string {
  return JSON.stringify(value, (_name, inner: Json) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )
}

/** What his list of credentials still needs: of any other generation than today's, none comes back. */
function livingOf(judging: Judging, user: Uint8Array, record: User): readonly Uint8Array[] {
  const generation = generationOf(record, judging.step.time)
  return record.credentials.filter(
    (fingerprint) => find(judging, credentialTable, user, fingerprint)?.generation === generation,
  )
}

/** `DELETE /auth/recoveries/:recoveryId`: any live credential of the user and its rank stops it, while it waits. */
export function reduceRecoveryEnd(judging: Judging, authored: Authored): Reduced {
  const { user, record } = authored
  const recovery = subjectId(judging, 'recoveryId')
  const waiting = find(judging, recoveryTable, recovery)
  if (waiting === undefined || !equalBytes(waiting.user, user))
    return refuse('there is no such recovery')
  if (!isRecoveryWaiting(recordsOf(judging), recovery, judging.step.time))
    refuse('the recovery is not waiting')
  judgeRank(judging, authored, waiting.generation)
  return {
    operation: { kind: 'recoveryEnd', recovery },
    writes: [
      // What it would have brought leaves the list: whoever repeats this does not fill it.
      put(userTable, [user], {
        ...record,
        recovery: undefined,
        credentials: livingOf(judging, user, record),
      }),
      put(recoveryTable, [recovery], { ...waiting, status: 'cancelled' }),
    ],
  }
}

/**
 * Rank for rank. A recovery by an unconfirmed key brings unconfirmed credentials, and the owner of
 * the old ones, who is no less believed, may stop it: else whoever else knew his registration code
 * would replace him unhindered. What somebody confirmed recovers, no newcomer holds up: such a
 * credential may be the thief's.
 */
function judgeRank(judging: Judging, { user, fingerprints }: Authored, generation: number): void {
  const isConfirmed = (fingerprint: Uint8Array) =>
    find(judging, credentialTable, user, fingerprint)?.rank === 'confirmed'
  if (bringsConfirmed(recordsOf(judging), user, generation) && !fingerprints.some(isConfirmed))
    refuse('the credential is not confirmed')
}
