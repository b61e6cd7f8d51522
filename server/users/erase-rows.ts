import { sql } from 'kysely'
import { decodeBody } from '@quorate/authority/body'
import { concernsErased, eraseIn, erased } from '@quorate/authority/erasure'
import { nameOfCause } from '@quorate/authority/reduce/cause'
import { decodeEvidence, encodeEvidence, type Evidence, type Item } from '@quorate/authority/step'
import { toHex } from '@quorate/core/bytes'
import { createdName, nameOf, type IdKind } from '@quorate/core/id'
import { isObject, type Json } from '@quorate/core/json'
import { windowMsMax } from '../auth/attempts.ts'
import { KnownRecords } from '../coordinator/erased.ts'
import { inTransaction, type Database, type DatabaseTransaction } from '../database/database.ts'
import { liftLimit } from '../database/limit.ts'
import { sharing } from '../database/shared.ts'
import { eraseKept } from '../http/kept-answers.ts'
import type { Applied } from '../orgs/apply.ts'

type Erasure = {
  readonly organization: Uint8Array
  readonly user: Uint8Array
  readonly time: number
}

/** Requests that were about somebody erased, and the wire's names of what they made or renamed. */
type Touched = { readonly requests: Uint8Array[]; readonly names: Set<string> }

/** Bodies weigh up to half a megabyte. */
const bodiesPerPage = 32
const eventsPerPage = 500
/** Below what one statement takes. */
const requestsPerStatement = 1000

/**
 * Takes note of an erasure that has come into force. What follows from it takes as long as the whole log, and
 * later steps need not wait for that: `eraseDue`.
 */
export async function addErasure(
  transaction: DatabaseTransaction,
  { organization, item, time }: Applied,
): Promise<void> {
  if (item.operation.kind !== 'erasure') throw new TypeError('not an erasure')
  await transaction
    .insertInto('erasures_due')
    .values({ organization, user: item.operation.user, time })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

/** Carries out what was taken note of, also by a server that is gone. In one server, one at a time. */
export function eraseDue(database: Database, organization: Uint8Array): Promise<void> {
  const share = erasing.get(database) ?? sharing<void>()
  erasing.set(database, share)
  return share(toHex(organization), async () => {
    const due = await database
      .selectFrom('erasures_due')
      .selectAll()
      .where('organization', '=', organization)
      .execute()
    for (const erasure of due) await eraseUserNow(database, erasure)
  })
}
const erasing = new WeakMap<Database, ReturnType<typeof sharing<void>>>()

/**
 * Everything personal of a user goes. May run again, and beside another server that does the same: it takes
 * what has come since.
 */
export async function eraseUserNow(database: Database, erasure: Erasure): Promise<void> {
  const { organization, user } = erasure
  const touched = await eraseLog(database, erasure)
  await inTransaction(database, async (transaction) => {
    // One after the other with whatever makes rows of this organization.
    await transaction
      .selectFrom('root_applied')
      .select('seq')
      .where('organization', '=', organization)
      .forUpdate()
      .execute()
    await eraseRows(transaction, erasure, touched)
    await transaction
      .deleteFrom('erasures_due')
      .where('organization', '=', organization)
      .where('user', '=', user)
      .execute()
  })
}

/**
 * From the bodies of steps. It reads all that there are, and nobody waits for it: since the erasure is in force,
 * bodies that come now are trimmed on their way in (`coordinator/erased.ts`).
 */
async function eraseLog(database: Database, erasure: Erasure): Promise<Touched> {
  return inTransaction(database, async (transaction) => {
    await liftLimit(transaction)
    const touched: Touched = { requests: [], names: new Set() }
    await eraseSteps(transaction, erasure, touched)
    return touched
  })
}

/** Whatever was made of the bodies or stands beside them, with what was proposed. */
async function eraseRows(
  transaction: DatabaseTransaction,
  erasure: Erasure,
  touched: Touched,
): Promise<void> {
  await liftLimit(transaction)
  await eraseProposals(transaction, erasure)
  for (let i = 0; i < touched.requests.length; i += requestsPerStatement)
    await eraseMade(transaction, erasure, touched.requests.slice(i, i + requestsPerStatement))
  await eraseUses(transaction, erasure, touched)
  await eraseExternalIds(transaction, erasure, touched)
  await eraseEvents(transaction, erasure, touched)
  await eraseOwn(transaction, erasure)
  await eraseLapsed(transaction, erasure)
}

/** A body that is about him has his id in it, or that of a key or wallet of his. */
function isAbout(user: Uint8Array) {
  return sql<boolean>`(position(${user}::bytea in steps.body) > 0 or exists (
    select 1 from keys left join wallets
      on wallets.organization = keys.organization and wallets.key = keys.id
    where keys.organization = steps.organization and keys.owner = ${user}::bytea
      and (position(keys.id in steps.body) > 0 or position(wallets.id in steps.body) > 0)))`
}

async function eraseSteps(
  transaction: DatabaseTransaction,
  { organization, user }: Erasure,
  touched: Touched,
): Promise<void> {
  const known = new KnownRecords(transaction, organization)
  let after: { stream: Uint8Array; seq: number } = { stream: new Uint8Array(), seq: -1 }
  for (;;) {
    const { stream, seq } = after
    const rows = await transaction
      .selectFrom('steps')
      .select(['stream', 'seq', 'body'])
      .where('organization', '=', organization)
      .where((eb) => eb(eb.refTuple('stream', 'seq'), '>', eb.tuple(stream, seq)))
      .where(isAbout(user))
      .orderBy('stream')
      .orderBy('seq')
      .limit(bodiesPerPage)
      .execute()
    for (const row of rows) await eraseStep(transaction, { organization, ...row }, known, touched)
    const last = rows.at(-1)
    if (last === undefined || rows.length < bodiesPerPage) return
    after = last
  }
}

async function eraseStep(
  transaction: DatabaseTransaction,
  row: {
    readonly organization: Uint8Array
    readonly stream: Uint8Array
    readonly seq: number
    readonly body: Uint8Array
  },
  known: KnownRecords,
  { requests, names }: Touched,
): Promise<void> {
  const read = decodeBody(row.body)
  const items = read.step.items.map((item, i) => ({ item, beside: read.evidence[i] }))
  const about = await known.read((records) =>
    items.filter(({ item, beside }) => beside && concernsErased(item, beside, records)),
  )
  for (const { item, beside } of about) {
    if (beside === undefined || !hadWords(item, beside)) continue
    requests.push(nameOfCause(item.cause))
    for (const name of namesIn(item)) names.add(name)
  }
  const body = await known.read((records) => eraseIn(read, records))
  if (body === undefined) return
  await transaction
    .updateTable('steps')
    .set({ body })
    .where('organization', '=', row.organization)
    .where('stream', '=', row.stream)
    .where('seq', '=', row.seq)
    .execute()
}

/**
 * Also where they have gone already: rows may be left of them. What a registration calls its wallets
 * stands within a member that the rules read, which cannot go; rows of it can.
 */
function hadWords({ operation }: Item, beside: Evidence): boolean {
  const bringsWallets = operation.kind === 'registration' && operation.wallets.length > 0
  return bringsWallets || beside.salt === undefined || erased(beside) !== undefined
}

const made: readonly IdKind[] = ['wallet', 'key', 'signature', 'transfer', 'transaction']

function namesIn({ cause, operation }: Item): readonly string[] {
  const request = nameOfCause(cause)
  const renamed =
    operation.kind === 'update'
      ? (['wallet', 'key'] as const).map((kind) => nameOf(kind, operation.id))
      : []
  const brought =
    operation.kind === 'registration'
      ? operation.wallets.map((_, index) => createdName(request, 'wallet', index))
      : []
  return [...made.map((kind) => createdName(request, kind)), ...brought, ...renamed]
}

/** What was proposed and never came into force. */
async function eraseProposals(
  transaction: DatabaseTransaction,
  { organization }: Erasure,
): Promise<void> {
  const known = new KnownRecords(transaction, organization)
  const places = await transaction
    .selectFrom('proposals')
    .select(['stream', 'seq', 'ballot'])
    .where('organization', '=', organization)
    .execute()
  for (const { stream, seq, ballot } of places) {
    const at = { organization, stream, seq, ballot }
    const [row] = await transaction
      .selectFrom('proposals')
      .select('body')
      .where((eb) => eb.and(at))
      .execute()
    const read = row && decodeBody(row.body)
    const body = read && (await known.read((records) => eraseIn(read, records)))
    if (body !== undefined)
      await transaction
        .updateTable('proposals')
        .set({ body })
        .where((eb) => eb.and(at))
        .execute()
  }
}

/** Rows that still bear a word of one of these requests, and what was signed for them. */
async function eraseMade(
  transaction: DatabaseTransaction,
  { organization }: Erasure,
  requests: readonly Uint8Array[],
): Promise<void> {
  const called = { wallets: { name: null }, keys: { name: null }, users: { username: '' } } as const
  for (const table of ['wallets', 'keys', 'users'] as const)
    await transaction
      .updateTable(table)
      .set(called[table])
      .where('organization', '=', organization)
      .where('named_in', 'in', requests)
      .execute()
  for (const table of ['wallets', 'users'] as const)
    await transaction
      .updateTable(table)
      .set({ external_id: null })
      .where('organization', '=', organization)
      .where('external_id_in', 'in', requests)
      .execute()
  for (const table of ['names', 'challenges'] as const)
    await transaction
      .deleteFrom(table)
      .where('organization', '=', organization)
      .where('request', 'in', requests)
      .execute()
}

/** Signatures, transfers and transactions that he has asked for, whatever has become of them. */
async function eraseUses(
  transaction: DatabaseTransaction,
  { organization, user }: Erasure,
  { names }: Touched,
): Promise<void> {
  const userId = nameOf('user', user)
  const outgoing = await transaction
    .selectFrom('outgoing')
    .select(['id', 'name'])
    .where('organization', '=', organization)
    .where('user_id', '=', userId)
    // What a sponsor sends for one of his keeps nothing that he said.
    .where('sponsored', 'is', null)
    .execute()
  const signatures = await transaction
    .selectFrom('signature_requests')
    .select(['id', 'signature_id as name'])
    .where('organization', '=', organization)
    .where('user_id', '=', userId)
    .execute()
  for (const { name } of [...outgoing, ...signatures]) names.add(name)
  for (const { id } of outgoing) await eraseUse(transaction, 'outgoing', { organization, id })
  for (const { id } of signatures)
    await eraseUse(transaction, 'signature_requests', { organization, id })
}

async function eraseUse(
  transaction: DatabaseTransaction,
  table: 'outgoing' | 'signature_requests',
  named: { readonly organization: Uint8Array; readonly id: Uint8Array },
): Promise<void> {
  const { evidence } = await transaction
    .selectFrom(table)
    .select('evidence')
    .where('organization', '=', named.organization)
    .where('id', '=', named.id)
    .forUpdate()
    .executeTakeFirstOrThrow()
  const left = erased(decodeEvidence(evidence))
  await transaction
    .updateTable(table)
    .set({ external_id: null, ...(left && { evidence: encodeEvidence(left) }) })
    .where('organization', '=', named.organization)
    .where('id', '=', named.id)
    .execute()
}

/** The signers know theirs by keyed hashes: nothing is paid twice when these are gone. */
async function eraseExternalIds(
  transaction: DatabaseTransaction,
  { organization }: Erasure,
  { names }: Touched,
): Promise<void> {
  const all = [...names]
  for (let i = 0; i < all.length; i += requestsPerStatement)
    await transaction
      .deleteFrom('external_ids')
      .where('organization', '=', organization)
      .where('entity_id', 'in', all.slice(i, i + requestsPerStatement))
      .execute()
}

/**
 * Events that tell of a thing under a word that is gone, or why he has decided so. They stay, and
 * say the rest.
 */
async function eraseEvents(
  transaction: DatabaseTransaction,
  { organization, user }: Erasure,
  { names }: Touched,
): Promise<void> {
  const userId = nameOf('user', user)
  let after: Uint8Array = new Uint8Array()
  for (;;) {
    const rows = await transaction
      .selectFrom('outbox')
      .select(['id', 'data'])
      .where('organization', '=', organization)
      .where('id', '>', after)
      .orderBy('id')
      .limit(eventsPerPage)
      .execute()
    for (const { id, data } of rows) {
      const isNamed = idsIn(data).some((name) => names.has(name))
      if (!isNamed && !data.includes(userId)) continue
      const unexplained = withoutReasons(JSON.parse(data), userId)
      const left = isNamed ? withoutWords(unexplained) : unexplained
      await transaction
        .updateTable('outbox')
        .set({ data: JSON.stringify(left) })
        .where('organization', '=', organization)
        .where('id', '=', id)
        .execute()
    }
    const last = rows.at(-1)
    if (last === undefined || rows.length < eventsPerPage) return
    after = last.id
  }
}

function idsIn(data: string): readonly string[] {
  return [...data.matchAll(/"id":"([a-z2-7-]{1,64})"/g)].flatMap(([, id]) => id ?? [])
}

/** With the request that an approval is about, which is not shown after an erasure either. */
const words: ReadonlySet<string> = new Set([
  ...['name', 'externalId', 'payload', 'preimage', 'salt'],
])

function withoutWords(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutWords)
  if (!isObject(value)) return value
  const kept = Object.entries(value).filter(([name]) => !words.has(name))
  return Object.fromEntries(kept.map(([name, member]) => [name, withoutWords(member)]))
}

/** Of his decisions on approvals. */
function withoutReasons(value: Json, userId: string): Json {
  if (Array.isArray(value)) return value.map((one) => withoutReasons(one, userId))
  if (!isObject(value)) return value
  const isHis = value['userId'] === userId && Object.hasOwn(value, 'reason')
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) =>
      isHis && name === 'reason' ? [name, null] : [name, withoutReasons(member, userId)],
    ),
  )
}

/** Rows by which he was known, and what he has left half done. */
async function eraseOwn(
  transaction: DatabaseTransaction,
  { organization, user }: Erasure,
): Promise<void> {
  const row = await transaction
    .selectFrom('users')
    .select('username')
    .where('organization', '=', organization)
    .where('id', '=', user)
    .executeTakeFirst()
  if (row !== undefined && row.username !== '')
    await transaction
      .deleteFrom('mails')
      .where('organization', '=', organization)
      .where('recipient', '=', row.username)
      .execute()
  await transaction
    .updateTable('users')
    .set({ username: '', external_id: null })
    .where('organization', '=', organization)
    .where('id', '=', user)
    .execute()
  await transaction
    .updateTable('credentials')
    .set({ name: null, encrypted_private_key: null })
    .where('organization', '=', organization)
    .where('user', '=', user)
    .execute()
  await transaction
    .updateTable('approval_decisions')
    .set({ reason: null })
    .where('organization', '=', organization)
    .where('user', '=', user)
    .execute()
  await transaction
    .updateTable('tokens')
    .set({ name: null, external_id: null })
    .where('organization', '=', organization)
    .where('user', '=', user)
    .execute()
  await transaction
    .deleteFrom('names')
    .where('organization', '=', organization)
    .where((eb) => eb.or([eb('scope', '=', user), eb('holder', '=', user)]))
    .execute()
  // Whoever has asked for something may have been told a word of his.
  await eraseKept(transaction, organization)
  const left = ['usernames', 'one_time_codes', 'newcomer_challenges'] as const
  for (const table of [...left, 'sessions', 'local_credentials', 'challenges'] as const)
    await transaction
      .deleteFrom(table)
      .where('organization', '=', organization)
      .where('user', '=', user)
      .execute()
}

/** Requests that came to nothing may have named him, and rows of them are nobody's any more. */
async function eraseLapsed(
  transaction: DatabaseTransaction,
  { organization, time }: Erasure,
): Promise<void> {
  for (const table of ['usernames', 'names'] as const)
    await transaction
      .deleteFrom(table)
      .where('organization', '=', organization)
      .where('lapses_at', '<', time)
      .execute()
  await transaction
    .deleteFrom('challenges')
    .where('organization', '=', organization)
    .where('expires_at', '<', time)
    .where((eb) => eb.or([eb('action', 'is', null), eb('action_expires_at', '<', time)]))
    .execute()
  // Hashes of names that were tried, which whoever guesses a name can recognize.
  await transaction
    .deleteFrom('attempts')
    .where('began_at', '<=', time - windowMsMax)
    .execute()
}
