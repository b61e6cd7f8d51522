import { toHex, toUtf8 } from '@quorate/core/bytes'
import { Failure } from '@quorate/core/failure'
import { hashOf } from '@quorate/core/hash'
import { nameOf } from '@quorate/core/id'
import type { Settings } from '@quorate/authority/settings'
import { countAttempt, nowhere, type Limit } from '../auth/attempts.ts'
import { open } from '../auth/sealing.ts'
import type { Tokens } from '../auth/tokens.ts'
import { inTransaction, type Database } from '../database/database.ts'
import { isPassword } from './password.ts'
import { totpStep } from './totp.ts'

/**
 * Passwords and one-time codes: this server believes them where an organization wants it to, and
 * no signer ever does.
 */
export type LocalDeps = {
  readonly database: Database
  readonly tokens: Pick<Tokens, 'keyFor'>
  readonly now: () => number
}

/** Somebody, or nobody: then it takes as long, and fails. */
export type Whose = { readonly organization: Uint8Array; readonly user: Uint8Array } | undefined

/** Room for slips of the finger; a password of six letters outlasts a year of it. */
const guessing: Limit = { attemptsMax: 10, windowMs: 15 * 60_000 }
/** More than one of a kind nobody has. */
export const localsPerKindMax = 4

/** @throws Failure `credential.unsuitable`, `attempts.exceeded` */
export async function provePassword(
  deps: LocalDeps,
  { whose, name, password }: { whose: Whose; name: string; password: string },
  settings: Settings,
): Promise<void> {
  if (settings.passwords === 'off') throw new Failure('credential.unsuitable', {})
  await countGuess(deps, name, 'password')
  const kept = await localsOf(deps.database, whose, 'Password')
  let isRight = false
  // One password at least is hashed, whoever it is.
  for (const secret of kept.length === 0 ? [undefined] : kept.map(({ secret }) => secret))
    isRight = (await isPassword(password, secret)) || isRight
  if (!isRight) throw new Failure('credential.unsuitable', {})
}

/**
 * Takes a one-time code, once.
 * @throws Failure `credential.unsuitable`, `attempts.exceeded`
 */
export async function useTotp(
  deps: LocalDeps,
  { whose, name, code }: { whose: Whose; name: string; code: string },
  settings: Settings,
): Promise<void> {
  if (settings.passwords === 'off') throw new Failure('credential.unsuitable', {})
  await countGuess(deps, name, 'totp')
  const { database, tokens, now } = deps
  const key = tokens.keyFor(totpKey)
  for (const { organization, id, secret, last_step } of await localsOf(database, whose, 'Totp')) {
    const step = totpStep(open(key, secret, toHex(id)), code, {
      ...{ now: now(), lastStep: last_step ?? undefined },
    })
    if (step === undefined) continue
    const taken = await database
      .updateTable('local_credentials')
      .set({ last_step: step })
      .where('organization', '=', organization)
      .where('id', '=', id)
      .where((eb) => eb.or([eb('last_step', 'is', null), eb('last_step', '<', step)]))
      .executeTakeFirst()
    if (taken.numUpdatedRows === 1n) return
  }
  throw new Failure('credential.unsuitable', {})
}

/** The full id of a password or of one-time codes of this user: no log knows them by name. */
export async function localNamed(
  database: Database,
  { organization, user }: Exclude<Whose, undefined>,
  credentialUuid: string,
): Promise<Uint8Array | undefined> {
  const rows = await database
    .selectFrom('local_credentials')
    .select('id')
    .where('organization', '=', organization)
    .where('user', '=', user)
    .execute()
  return rows.find(({ id }) => nameOf('credential', id) === credentialUuid)?.id
}

/** What the secrets of one-time codes are sealed for. */
export const totpKey = 'quorate:totp'

async function localsOf(database: Database, whose: Whose, kind: 'Password' | 'Totp') {
  const { organization, user } = whose ?? { organization: nowhere, user: nowhere }
  return database
    .selectFrom('local_credentials')
    .select(['organization', 'id', 'secret', 'last_step'])
    .where('organization', '=', organization)
    .where('user', '=', user)
    .where('kind', '=', kind)
    .where('status', '=', 'active')
    .orderBy('id')
    .limit(localsPerKindMax)
    .execute()
}

/** By the name that was given, so that no counter says whose it is. */
async function countGuess({ database, now }: LocalDeps, name: string, what: string): Promise<void> {
  const subject = hashOf('quorate/attempt/1', toUtf8(name), toUtf8(what))
  await inTransaction(database, (transaction) =>
    countAttempt(transaction, { organization: nowhere, subject, limit: guessing, now: now() }),
  )
}
