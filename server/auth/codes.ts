import { randomInt } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { equalBytes, toUtf8 } from '@quorate/core/bytes'
import { Failure } from '@quorate/core/failure'
import { hashOf } from '@quorate/core/hash'
import { inTransaction, type Database, type DatabaseTransaction } from '../database/database.ts'
import { enqueueMail, isAddress } from '../mail/queue.ts'
import type { Mail } from '../mail/templates.ts'
import { usernameOf, type Person } from '../users/person.ts'
import { countAttempt, nowhere, type Limit } from './attempts.ts'

/**
 * One-time codes. None of them is worth more than a mailbox: they begin a way, and whatever stands
 * at its end, a signer believes only what some credential has signed.
 */
export type MailedPurpose = 'registration' | 'login' | 'recovery'
type Purpose = MailedPurpose | 'credential'

/** An invitation waits for a person; the others for somebody who sits at the mailbox. */
const lifeMs: Readonly<Record<MailedPurpose, number>> = {
  registration: 7 * 24 * 60 * 60_000,
  login: 15 * 60_000,
  recovery: 15 * 60_000,
}
/** Whoever gets no mail asks again once or twice; more fills somebody's mailbox. */
const issuing: Limit = { attemptsMax: 5, windowMs: 15 * 60_000 }
/** Room for slips. Of 10^16 codes this tries 7 thousand in a week, so one in 10^12 comes through. */
const guessing: Limit = { attemptsMax: 10, windowMs: 15 * 60_000 }
/** Codes without a name live for a minute: a year of this finds one of 2^45 once in 60 thousand. */
const guessingNameless: Limit = { attemptsMax: 1000, windowMs: 60_000 }
/** Whoever sends a code, or hands one in, is answered no sooner, so that the answer says nothing of what was done. */
const answerMs = 250
/** For how long somebody is told that his code has expired, and not only that it is wrong. */
const rememberedMs = 30 * 24 * 60 * 60_000

export type CodeDeps = { readonly database: Database; readonly now: () => number }

/** Whom somebody has named, and who that is: nobody where there is no such person to be served. */
export type Addressee = {
  readonly orgId: string
  readonly username: string
  readonly purpose: MailedPurpose
  readonly person: Person | undefined
}

/** Mails a new code to a person, or to nobody, in one and the same way; the old code is dead. */
export async function sendCode(
  { database, now }: CodeDeps,
  addressee: Addressee,
): Promise<{ readonly message: 'success' }> {
  const { person, purpose } = addressee
  await evenly(() =>
    inTransaction(database, async (transaction) => {
      await count(transaction, addressee, { what: 'issue', limit: issuing, now: now() })
      if (person !== undefined) await mailCode(transaction, { person, purpose, now: now() })
    }),
  )
  return { message: 'success' }
}

/** Whatever is done for somebody and left undone for nobody, the answer comes at one time. */
export async function evenly<T>(work: () => Promise<T>): Promise<T> {
  const answered = sleep(answerMs)
  try {
    return await work()
  } finally {
    await answered
  }
}

/** The code and its mail come about with whatever else this transaction does. */
export async function mailCode(
  transaction: DatabaseTransaction,
  {
    person,
    purpose,
    now,
  }: { readonly person: Person; readonly purpose: MailedPurpose; readonly now: number },
): Promise<void> {
  if (!isAddress(person.username)) return
  const code = groups(4, 4, '0123456789')
  const expiresAt = now + lifeMs[purpose]
  const { organization, user } = person
  await keep(transaction, { organization, user, purpose, code, request: null, expiresAt })
  const mail = mailOf({ person, purpose, code, until: expiresAt })
  await enqueueMail(transaction, {
    ...{ organization, recipient: person.username, mail },
    ...{ now, expiresAt },
  })
}

/**
 * Is this his code? It stays good, for who is interrupted on the way that it begins.
 *
 * @throws Failure `code.invalid` whatever is wrong: the code, the name, the organization
 * @throws Failure `code.expired` to whoever has had the right one
 * @throws Failure `attempts.exceeded`
 */
export async function proveCode(
  { database, now }: CodeDeps,
  given: Addressee & { readonly code: string },
): Promise<Person> {
  const isRight = await inTransaction(database, (transaction) => judge(transaction, given, now()))
  return provenBy(given, isRight)
}

/** The same, and it was good for this once. */
export async function useCode(
  { database, now }: CodeDeps,
  given: Addressee & { readonly code: string },
): Promise<Person> {
  const isRight = await inTransaction(database, async (transaction) => {
    const verdict = await judge(transaction, given, now())
    if (verdict === 'right' && given.person !== undefined)
      await endCode(transaction, given.person, given.purpose)
    return verdict
  })
  return provenBy(given, isRight)
}

/** What it was for has happened. */
export async function endCode(
  transaction: DatabaseTransaction,
  { organization, user }: Pick<Person, 'organization' | 'user'>,
  purpose: Purpose,
): Promise<void> {
  await transaction
    .deleteFrom('one_time_codes')
    .where('organization', '=', organization)
    .where('user', '=', user)
    .where('purpose', '=', purpose)
    .execute()
}

type Verdict = 'right' | 'wrong' | 'expired'

function provenBy({ person }: Addressee, verdict: Verdict): Person {
  if (verdict === 'expired') throw new Failure('code.expired', {})
  if (verdict === 'wrong' || person === undefined) throw new Failure('code.invalid', {})
  return person
}

/** The same statements for somebody and for nobody; a wrong guess is counted as well. */
async function judge(
  transaction: DatabaseTransaction,
  given: Addressee & { readonly code: string },
  now: number,
): Promise<Verdict> {
  await count(transaction, given, { what: 'guess', limit: guessing, now })
  const { organization, user } = given.person ?? { organization: nowhere, user: nowhere }
  const { purpose, code } = given
  const row = await transaction
    .selectFrom('one_time_codes')
    .select(['hash', 'expires_at'])
    .where('organization', '=', organization)
    .where('user', '=', user)
    .where('purpose', '=', purpose)
    .forUpdate()
    .executeTakeFirst()
  const isSame = equalBytes(hashOfCode({ organization, user, purpose, code }), row?.hash ?? nowhere)
  if (!isSame || row === undefined) return 'wrong'
  return now < row.expires_at ? 'right' : 'expired'
}

/** By the name that was given, so that no counter says whose it is. */
function count(
  transaction: DatabaseTransaction,
  { orgId, username, purpose }: Addressee,
  { what, limit, now }: { readonly what: string; readonly limit: Limit; readonly now: number },
): Promise<void> {
  const words = [orgId, usernameOf(username), purpose, what].map(toUtf8)
  const subject = hashOf('quorate/attempt/1', ...words)
  return countAttempt(transaction, { organization: nowhere, subject, limit, now })
}

/**
 * A code that brings one credential from another device. It is given out and shown, never mailed,
 * and whoever hands it in says no name with it.
 */
export async function issueCredentialCode(
  transaction: DatabaseTransaction,
  made: {
    readonly organization: Uint8Array
    readonly user: Uint8Array
    /** What has made it, in the log. */
    readonly request: Uint8Array
    readonly expiresAt: number
  },
): Promise<string> {
  const code = groups(3, 3, 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789')
  await keep(transaction, { ...made, purpose: 'credential', code })
  return code
}

/**
 * Whose is this code, and what has made it? Its one use is in the log.
 *
 * @throws Failure `code.invalid`, `code.expired`, `attempts.exceeded`
 */
export async function proveCredentialCode(
  { database, now }: CodeDeps,
  code: string,
): Promise<{
  readonly organization: Uint8Array
  readonly user: Uint8Array
  readonly request: Uint8Array
}> {
  const purpose = 'credential'
  const hash = hashOfCode({ organization: nowhere, user: nowhere, purpose, code })
  await inTransaction(database, (transaction) =>
    countAttempt(transaction, {
      ...{ organization: nowhere, subject: hashOf('quorate/attempt/1', toUtf8(purpose)) },
      ...{ limit: guessingNameless, now: now() },
    }),
  )
  const row = await database
    .selectFrom('one_time_codes')
    .select(['organization', 'user', 'request', 'expires_at'])
    .where('hash', '=', hash)
    .where('purpose', '=', purpose)
    .executeTakeFirst()
  if (row === undefined || row.request === null) throw new Failure('code.invalid', {})
  if (now() >= row.expires_at) throw new Failure('code.expired', {})
  return { organization: row.organization, user: row.user, request: row.request }
}

async function keep(
  transaction: DatabaseTransaction,
  made: {
    readonly organization: Uint8Array
    readonly user: Uint8Array
    readonly purpose: Purpose
    readonly code: string
    readonly request: Uint8Array | null
    readonly expiresAt: number
  },
): Promise<void> {
  const { organization, user, purpose, code, request, expiresAt: expires_at } = made
  const isNameless = purpose === 'credential'
  const whose = isNameless ? { organization: nowhere, user: nowhere } : { organization, user }
  const kept = { hash: hashOfCode({ ...whose, purpose, code }), request, expires_at }
  await transaction
    .deleteFrom('one_time_codes')
    .where('organization', '=', organization)
    .where('expires_at', '<', expires_at - rememberedMs)
    .execute()
  await transaction
    .insertInto('one_time_codes')
    .values({ organization, user, purpose, ...kept })
    .onConflict((conflict) =>
      conflict.columns(['organization', 'user', 'purpose']).doUpdateSet(kept),
    )
    .execute()
}

/** Of this code for this purpose: the hash of another's would not match. */
function hashOfCode(of: {
  readonly organization: Uint8Array
  readonly user: Uint8Array
  readonly purpose: Purpose
  readonly code: string
}): Uint8Array {
  const spelled = of.code.trim().toUpperCase()
  return hashOf('quorate/code/1', of.organization, of.user, toUtf8(of.purpose), toUtf8(spelled))
}

function groups(groupCount: number, length: number, alphabet: string): string {
  const digit = () => alphabet.charAt(randomInt(alphabet.length))
  const group = () => Array.from({ length }, digit).join('')
  return Array.from({ length: groupCount }, group).join('-')
}

function mailOf(made: {
  readonly person: Person
  readonly purpose: MailedPurpose
  readonly code: string
  readonly until: number
}): Mail {
  const { person, purpose, code, until } = made
  const { orgId, organizationName: organization, username } = person
  const values = { orgId, organization, username, code, until }
  if (purpose === 'registration') return { template: 'invitation', values }
  if (purpose === 'login') return { template: 'login-code', values }
  return { template: 'recovery-code', values }
}
