import type { Caller } from '../auth/caller.ts'
import { equalBytes } from '@quorate/core/bytes'
import { Failure } from '@quorate/core/failure'
import { isObject, type Json } from '@quorate/core/json'
import type { Database } from '../database/database.ts'
import { findKey } from './find.ts'
import { checkNotArchived, checkNotWaiting } from './reach.ts'

type Wanted = {
  readonly scheme: string
  readonly curve: string
  readonly untweaked?: boolean | undefined
  readonly deriveFrom?: { readonly keyId: string; readonly path?: string | undefined } | undefined
}

/**
 * Can the key be derived that is asked for? Signers see to it by themselves; here it is said before
 * a request is burned for it.
 *
 * @throws Failure `key.not_found`, `key.unsuitable`, `key.not_usable`, `key.already_exists`
 */
export async function checkMaster(
  database: Database,
  caller: Caller,
  { scheme, curve, untweaked = false, deriveFrom }: Wanted,
): Promise<void> {
  if (deriveFrom === undefined) return
  const { keyId, path } = deriveFrom
  const master = await findKey(database, caller, keyId)
  checkNotArchived(master)
  checkNotWaiting(caller, master)
  if (master.owner !== null && !equalBytes(master.owner, caller.user))
    throw new Failure('key.not_usable', { reason: 'the key is delegated to an end user' })
  if (!master.master) throw unsuitable('it is no master key')
  if (master.scheme !== scheme || master.curve !== curve)
    throw unsuitable('a derived key has the scheme and curve of its master')
  if (master.untweaked !== untweaked)
    throw unsuitable('a derived key is tweaked or not as its master is')
  if (path === undefined) return
  const present = await database
    .selectFrom('keys')
    .select('key_id')
    .where('organization', '=', caller.organization)
    .where('derived_from', '=', master.id)
    .where('derivation_path', '=', path)
    .executeTakeFirst()
  if (present !== undefined)
    throw new Failure('key.already_exists', { keyId: present.key_id, path })
}

/** Is the key that a body asks for derived from another? Then no signer makes anything for it. */
export function derives(asked: Json | undefined): boolean {
  return isObject(asked) && asked['deriveFrom'] !== undefined
}

function unsuitable(reason: string): Failure {
  return new Failure('key.unsuitable', { reason })
}
