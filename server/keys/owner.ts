import { userTable } from '@quorate/authority/records'
import { isActive } from '@quorate/authority/standing'
import { Failure } from '@quorate/core/failure'
import type { Caller } from '../auth/caller.ts'
import { idNamed, readRoot, type Log } from '../auth/log.ts'
import type { Database } from '../database/database.ts'
import { ownerSeen } from './reach.ts'

type Asked = {
  readonly delegateTo?: string | undefined
  readonly delayDelegation?: boolean | undefined
}

/**
 * May the caller say whose a new key is? For a better answer than the signers', in time.
 * @throws Failure `request.unsupported`, `identity.not_found`, `owner.unsuitable`
 */
export async function checkDelegation(
  log: Pick<Log, 'read'>,
  caller: Caller,
  { delegateTo, delayDelegation = false }: Asked,
): Promise<void> {
  if (caller.kind === 'EndUser' && (delayDelegation || delegateTo !== undefined))
    throw unsupported('an end user gives no keys away')
  if (delayDelegation && !caller.isServiceAccount)
    throw unsupported('only a service account makes keys to be delegated later')
  if (delegateTo !== undefined) await checkOwner(log, caller, delegateTo)
}

/** @throws Failure `identity.not_found`, `owner.unsuitable` */
export async function checkOwner(
  log: Pick<Log, 'read'>,
  { organization }: Pick<Caller, 'organization'>,
  userId: string,
): Promise<void> {
  const user = await readRoot(log, organization, (root) => {
    const id = idNamed(root, 'user', userId)
    return id && root.find(userTable, id)
  })
  if (user === undefined) throw new Failure('identity.not_found', { identityId: userId })
  if (!isActive(user) || user.kind !== 'endUser') throw new Failure('owner.unsuitable', { userId })
}

/**
 * Whose things a list is about: one owner's, everybody's, or nobody's. An end user who asks for
 * another's gets what he would get for a user that does not exist.
 */
export async function ownerAsked(
  database: Database,
  caller: Caller,
  named: string | undefined,
): Promise<{ readonly owner: Uint8Array | undefined } | undefined> {
  const seen = ownerSeen(caller)
  if (named === undefined) return { owner: seen }
  const user = await database
    .selectFrom('users')
    .select('id')
    .where('organization', '=', caller.organization)
    .where('kind', '=', 'endUser')
    .where((eb) => eb.or([eb('user_id', '=', named), eb('username', '=', named)]))
    .where((eb) => (seen === undefined ? eb.lit(true) : eb('id', '=', seen)))
    .limit(1)
    .executeTakeFirst()
  return user && { owner: user.id }
}

function unsupported(reason: string): Failure {
  return new Failure('request.unsupported', { reason })
}
