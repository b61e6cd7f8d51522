import type { Manifest } from '@quorate/authority/manifest'
import { Failure } from '@quorate/core/failure'
import { nameOf } from '@quorate/core/id'
import { credentialTable, userTable } from '@quorate/authority/records'
import { recoveryKeyRole } from '@quorate/authority/reduce/recovery'
import { isActive, isCredentialLive } from '@quorate/authority/standing'
import type { Caller } from '../auth/caller.ts'
import { carryOut } from '../auth/carry-out.ts'
import { evenly, proveCode, sendCode } from '../auth/codes.ts'
import { readRoot } from '../auth/log.ts'
import { openNewcomer, type NewcomerDeps } from '../auth/newcomer.ts'
import type { SettleDeps } from '../auth/settle.ts'
import type { RawRequest } from '../http/route.ts'
import { findPerson, type Person, type PersonKind } from '../users/person.ts'

export type RecoveryDeps = SettleDeps & NewcomerDeps & { readonly manifest: Manifest }
type Named = { readonly orgId: string; readonly username: string }

/** `POST /auth/recover/user/code`: the same for somebody, for nobody and for who is switched off. */
export function mailRecoveryCode(deps: RecoveryDeps, named: Named) {
  return evenly(async () => sendCode(deps, await addresseeOf(deps, named)))
}

/** `POST /auth/recover/user/init`: whoever has no right code does not learn what he is wrong about. */
export async function beginRecovery(
  deps: RecoveryDeps,
  {
    verificationCode: code,
    credentialId,
    ...named
  }: Named & { readonly verificationCode: string; readonly credentialId: string },
) {
  const person = await evenly(async () =>
    proveCode(deps, { ...(await addresseeOf(deps, named)), code }),
  )
  return open(deps, person, credentialId)
}

/**
 * `POST /auth/recover/user/delegated`: no mail, since the service account has identified its user.
 * It has begun a way and not gone it: the end takes the recovery key.
 */
export async function beginDelegatedRecovery(
  deps: RecoveryDeps,
  caller: Caller,
  asked: {
    readonly raw: RawRequest
    readonly username: string
    readonly credentialId: string
  },
) {
  const { raw, username, credentialId } = asked
  const work = async () => {
    const person = await activeNamed(deps, { orgId: caller.orgId, username }, ['endUser'])
    if (person === undefined) throw new Failure('user.not_found', {})
    return open(deps, person, credentialId)
  }
  return carryOut(deps, caller, raw, { work })
}

async function addresseeOf(deps: RecoveryDeps, named: Named) {
  const person = await activeNamed(deps, named, ['employee', 'endUser'])
  return { ...named, purpose: 'recovery', person } as const
}

async function activeNamed(
  { database, log }: RecoveryDeps,
  named: Named,
  kinds: readonly [PersonKind, ...PersonKind[]],
): Promise<Person | undefined> {
  const person = await findPerson(database, { ...named, kinds })
  if (person === undefined) return undefined
  const { organization, user } = person
  const isHere = await readRoot(log, organization, (root) => isActive(root.find(userTable, user)))
  return isHere ? person : undefined
}

async function open(deps: RecoveryDeps, person: Person, credentialId: string) {
  const { id, credId, sealed } = await recoveryKeyOf(deps, person, credentialId)
  const subjects = [{ role: recoveryKeyRole, id }]
  const challenge = await openNewcomer(deps, { person, purpose: 'recover', subjects })
  const allowedRecoveryCredentials = [{ id: credId, encryptedRecoveryKey: sealed }]
  return { ...challenge, allowedRecoveryCredentials }
}

/**
 * By the name that its owner's client knows it by, or by ours. Only the one that is named is handed
 * out, sealed as it is.
 *
 * @throws Failure `recovery_key.unsuitable`
 */
async function recoveryKeyOf(
  { database, log, now }: RecoveryDeps,
  { organization, user }: Person,
  credentialId: string,
) {
  const rows = await database
    .selectFrom('credentials')
    .select(['id', 'cred_id', 'fingerprint', 'encrypted_private_key'])
    .where('organization', '=', organization)
    .where('user', '=', user)
    .where('token', 'is', null)
    .execute()
  const row = rows.find(
    ({ id, cred_id }) => cred_id === credentialId || nameOf('credential', id) === credentialId,
  )
  if (row === undefined) throw new Failure('recovery_key.unsuitable', {})
  const isUsable = await readRoot(log, organization, (root) => {
    const record = root.find(userTable, user)
    const credential = root.find(credentialTable, user, row.fingerprint)
    const isKey = record !== undefined && credential?.kind === 'RecoveryKey'
    return isKey && isCredentialLive(record, credential, now())
  })
  if (!isUsable) throw new Failure('recovery_key.unsuitable', {})
  return { id: row.id, credId: row.cred_id, sealed: row.encrypted_private_key ?? '' }
}
