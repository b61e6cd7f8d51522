import { type RawBuilder, sql } from 'kysely'
import { equalBytes } from '@quorate/core/bytes'
import { Failure } from '@quorate/core/failure'
import { decode, encode } from '@quorate/core/codec'
import {
  type Certificate,
  certificateCodec,
  type OpaqueStep,
  type Subject,
} from '@quorate/authority/agreement/messages'
import { decodeBody } from '@quorate/authority/body'
import { keyStatementHash, readBirth, type KeyTerms } from '@quorate/authority/key-certificate'
import type { Write } from '@quorate/authority/records'
import { certificatesIn } from '@quorate/authority/reduce/registration-wallets'
import { nameOfCause } from '@quorate/authority/reduce/cause'
import type { ItemOperation, NewKey } from '@quorate/authority/step'
import { rootOf, type StreamId, streamCodec } from '@quorate/authority/stream'
import { addApprovals, hasApprovals } from '../approvals/add.ts'
import { batching } from '../database/batching.ts'
import { type Database, type DatabaseTransaction, inTransaction } from '../database/database.ts'
import { erasuresOf, withoutErased } from './erased.ts'

/** A step in force. */
export type Certified = {
  readonly seq: number
  readonly hash: Uint8Array
  readonly time: number
  /** `encodeBody` of the step and its evidence. */
  readonly body: Uint8Array
  readonly certificate: Certificate
}
export type RequestPlace = {
  readonly stream: StreamId
  readonly seq: number
  readonly item: number
}

/** Each time, another server has ended what it had proposed there between two statements of this one. */
const proposalsMax = 4

/** The server's copy of the log. What it says has been certified elsewhere: losing it loses time. */
export class Ledger {
  private readonly database: Database
  private readonly askHeadSeq = batching((places: readonly Subject[]) => this.headSeqs(places))

  constructor(database: Database) {
    this.database = database
  }

  async head(place: Subject): Promise<Certified | undefined> {
    const row = await this.rows(place).orderBy('seq', 'desc').limit(1).executeTakeFirst()
    return row && certified(row)
  }

  /** Its place alone, or -1: most often that is known already, and bodies are large. */
  headSeq(place: Subject): Promise<number> {
    return this.askHeadSeq(place)
  }

  private async headSeqs(places: readonly Subject[]): Promise<readonly number[]> {
    const organizations = places.map(({ organization }) => organization)
    const streams = places.map(({ stream }) => encode(streamCodec, stream))
    // How long the lists are, the planner is not to see: it would plan each time anew, which takes
    // three times as long as to look.
    const { rows } = await sql<{ readonly seq: number | null }>`
      select (
        select seq from steps
        where organization = place.organization and stream = place.stream
        order by seq desc
        limit 1
      ) as seq
      from unnest((select ${organizations}::bytea[]), (select ${streams}::bytea[]))
        with ordinality as place (organization, stream, number)
      order by number`.execute(this.database)
    return rows.map(({ seq }) => seq ?? -1)
  }

  async step(place: Subject, seq: number): Promise<Certified | undefined> {
    const row = await this.rows(place).where('seq', '=', seq).executeTakeFirst()
    return row && certified(row)
  }

  /** From `seq` on, in order. */
  async steps(place: Subject, seq: number, limit: number): Promise<readonly Certified[]> {
    const rows = await this.rows(place)
      .where('seq', '>=', seq)
      .orderBy('seq')
      .limit(limit)
      .execute()
    return rows.map(certified)
  }

  /** Where the request stands, or stood last if it was renewed. */
  async place(organization: Uint8Array, request: Uint8Array): Promise<RequestPlace | undefined> {
    const row = await this.database
      .selectFrom('request_places')
      .select(['stream', 'seq', 'item'])
      .where('organization', '=', organization)
      .where('request', '=', request)
      .orderBy('seq', 'desc')
      .limit(1)
      .executeTakeFirst()
    return row && { ...row, stream: decode(streamCodec, row.stream) }
  }

  /** @returns the step that this ballot proposes: another one if a replica came first */
  async propose(place: Subject, ballot: number, step: OpaqueStep): Promise<OpaqueStep> {
    for (let times = 0; times < proposalsMax; times++) {
      const present = await this.proposeOnce(place, ballot, step)
      if (present !== undefined) return present
    }
    throw new Failure('signing.failed', { reason: 'other servers propose here and take it back' })
  }

  /** @returns nothing where the row that was there is gone: certified, closed or withdrawn meanwhile */
  private async proposeOnce(
    place: Subject,
    ballot: number,
    step: OpaqueStep,
  ): Promise<OpaqueStep | undefined> {
    const row = { ...key(place), seq: step.seq, ballot }
    const { hash, bytes: body } = step
    const inserted = await this.database
      .insertInto('proposals')
      .values({ ...row, hash, body, proposed_at: Date.now() })
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirst()
    if (inserted.numInsertedOrUpdatedRows === 1n) return step
    const found = await this.database
      .selectFrom('proposals')
      .select('body')
      .where('organization', '=', row.organization)
      .where('stream', '=', row.stream)
      .where('seq', '=', row.seq)
      .where('ballot', '=', ballot)
      .executeTakeFirst()
    return found && opaqueOf(found.body)
  }

  /**
   * Whoever comes to the same place must not find it and propose it again: signers may think otherwise
   * by then, and its caller has been told that it was refused.
   */
  async withdraw(place: Subject, { seq, hash }: OpaqueStep): Promise<void> {
    await this.database
      .deleteFrom('proposals')
      .where('organization', '=', place.organization)
      .where('stream', '=', encode(streamCodec, place.stream))
      .where('seq', '=', seq)
      .where('hash', '=', hash)
      .execute()
  }

  /** No signer counts any more what was proposed there below this ballot: all of them have said so. */
  async close(
    place: Subject,
    { seq, ballot }: { readonly seq: number; readonly ballot: number },
  ): Promise<void> {
    await this.database
      .deleteFrom('proposals')
      .where('organization', '=', place.organization)
      .where('stream', '=', encode(streamCodec, place.stream))
      .where('seq', '=', seq)
      .where('ballot', '<', ballot)
      .execute()
  }

  /** Was anything proposed beyond the newest step, as far as is known here? */
  async isOpen(place: Subject): Promise<boolean> {
    const { organization, stream } = key(place)
    const { rows } = await sql`
      select 1 from proposals
      where organization = ${organization} and stream = ${stream} and seq > coalesce((
        select seq from steps
        where organization = ${organization} and stream = ${stream}
        order by seq desc
        limit 1
      ), -1)
      limit 1`.execute(this.database)
    return rows.length > 0
  }

  /** What was proposed at a place and has not been certified, newest ballot first. */
  async proposed(place: Subject, seq: number): Promise<OpaqueStep | undefined> {
    const row = await this.database
      .selectFrom('proposals')
      .select('body')
      .where('organization', '=', place.organization)
      .where('stream', '=', encode(streamCodec, place.stream))
      .where('seq', '=', seq)
      .orderBy('ballot', 'desc')
      .limit(1)
      .executeTakeFirst()
    return row && opaqueOf(row.body)
  }

  /** Streams in which something was proposed that was not certified, as far as is known here. */
  async unfinished(limit: number): Promise<readonly Subject[]> {
    const rows = await this.database
      .selectFrom('proposals')
      .select(['organization', 'stream'])
      .distinct()
      .limit(limit)
      .execute()
    return rows.map(({ organization, stream }) => ({
      organization,
      stream: decode(streamCodec, stream),
    }))
  }

  /** All that follows from a certificate, at once. A replica may have done it before. */
  async keep(place: Subject, { bytes, ...step }: OpaqueStep, made: Made): Promise<void> {
    const { database } = this
    const { organization } = place
    const writes = place.stream.kind === 'root' ? made.writes : []
    const erasures = await erasuresOf(database, organization, { bytes, writes })
    const whole = { ...step, ...made, body: bytes, erasures }
    if (!hasApprovals(bytes) && (await keepStep(database, place, whole))) return
    await inTransaction(database, async (transaction) => {
      const body = await withoutErased(transaction, organization, bytes)
      const isKept = await keepStep(transaction, place, { ...whole, body, erasures: [] })
      if (!isKept) return assertSame(transaction, place, step)
      await addApprovals(transaction, { ...key(place), seq: step.seq }, body)
    })
  }

  /** The values that these names have as of a place; what has none is not in it. */
  async records(
    at: Subject,
    names: readonly string[],
    seq: number,
  ): Promise<ReadonlyMap<string, Uint8Array>> {
    const rows = await this.database
      .selectFrom('records')
      .select(['name', 'value'])
      .where('organization', '=', at.organization)
      .where('stream', '=', encode(streamCodec, at.stream))
      .where('name', 'in', [...names])
      .where('seq', '<=', seq)
      .orderBy('seq')
      .execute()
    return new Map(rows.map(({ name, value }) => [name, value]))
  }

  /** What steps after `after` and up to `upTo` have written, oldest first. */
  async changes(at: Subject, { after, upTo }: { after: number; upTo: number }, limit: number) {
    return this.database
      .selectFrom('records')
      .select(['name', 'value'])
      .where('organization', '=', at.organization)
      .where('stream', '=', encode(streamCodec, at.stream))
      .where('seq', '>', after)
      .where('seq', '<=', upTo)
      .orderBy('seq')
      .limit(limit)
      .execute()
  }

  private rows({ organization, stream }: Subject) {
    return this.database
      .selectFrom('steps')
      .select(['seq', 'hash', 'time', 'body', 'certificate'])
      .where('organization', '=', organization)
      .where('stream', '=', encode(streamCodec, stream))
  }
}

function key({ organization, stream }: Subject) {
  return { organization, stream: encode(streamCodec, stream) }
}

function certified(row: {
  readonly seq: number
  readonly hash: Uint8Array
  readonly time: number
  readonly body: Uint8Array
  readonly certificate: Uint8Array
}): Certified {
  return { ...row, certificate: decode(certificateCodec, row.certificate) }
}

export function opaqueOf(body: Uint8Array): OpaqueStep {
  const { step, hash } = decodeBody(body)
  return { seq: step.seq, previous: step.previous, hash, time: step.time, bytes: body }
}

type Made = { readonly certificate: Certificate; readonly writes: readonly Write[] }
type Kept = Made & {
  readonly seq: number
  readonly hash: Uint8Array
  readonly time: number
  readonly body: Uint8Array
  /** Where one of these records is in the root stream, nothing is kept. */
  readonly erasures: readonly string[]
}

/**
 * One statement, as a step is kept for each signature: all of it, or nothing.
 * @returns whether it was
 */
async function keepStep(
  database: Database | DatabaseTransaction,
  place: Subject,
  kept: Kept,
): Promise<boolean> {
  const { organization, stream } = key(place)
  const { seq, hash, time, body, erasures } = kept
  const root = encode(streamCodec, rootOf(organization))
  const certificate = encode(certificateCodec, kept.certificate)
  const [records, requests, births] = [lastOfEach(kept.writes), requestsIn(body), birthsOf(body)]
  const { rows } = await sql`
    with kept as (
      insert into steps (organization, stream, seq, hash, time, body, certificate)
      select ${organization}::bytea, ${stream}::bytea, ${seq}::int8, ${hash}::bytea, ${time}::int8,
        ${body}::bytea, ${certificate}::bytea
      where not exists (select 1 from records where organization = ${organization}
        and stream = ${root} and name = any(${erasures}::text[]))
      on conflict do nothing
      returning organization, stream, seq
    ), written as (
      insert into records (organization, stream, seq, name, value)
      select kept.*, one.* from kept, unnest(${records.map((one) => one.key)}::text[],
        ${records.map(({ value }) => value)}::bytea[]) as one
    ), placed as (
      insert into request_places (organization, stream, seq, request, item)
      select kept.*, one.* from kept, unnest(${requests.map(({ request }) => request)}::bytea[],
        ${requests.map(({ item }) => item)}::int4[]) as one
    ), born as (
      ${keepBirths(births, sql`kept`)}
    ), settled as (
      delete from proposals where organization = ${organization} and stream = ${stream}
        and seq <= ${seq} and exists (select 1 from kept)
    )
    select seq from kept`.execute(database)
  return rows.length > 0
}

/** Two steps certified at one place need more corrupt signers than the cluster is built for. */
async function assertSame(
  transaction: DatabaseTransaction,
  place: Subject,
  { seq, hash }: Pick<OpaqueStep, 'seq' | 'hash'>,
): Promise<void> {
  const { organization, stream } = key(place)
  const found = await transaction
    .selectFrom('steps')
    .select('hash')
    .where('organization', '=', organization)
    .where('stream', '=', stream)
    .where('seq', '=', seq)
    .executeTakeFirstOrThrow()
  if (!equalBytes(found.hash, hash)) throw new Error('Two steps are certified at one place.')
}

/** One statement may name a row once: of two writes of a step to one record the later counts. */
function lastOfEach(writes: readonly Write[]): readonly Write[] {
  return [...new Map(writes.map((write) => [write.key, write])).values()]
}

function requestsIn(body: Uint8Array): readonly { request: Uint8Array; item: number }[] {
  return decodeBody(body).step.items.flatMap(({ cause }, item) =>
    cause.kind === 'request' || cause.kind === 'completion' || cause.kind === 'rule'
      ? [{ request: nameOfCause(cause), item }]
      : [],
  )
}

function birthsOf(body: Uint8Array): readonly Born[] {
  const { step, evidence } = decodeBody(body)
  return step.items.flatMap(({ operation }, i) =>
    birthsIn(operation, evidence[i]?.facts ?? new Uint8Array()),
  )
}

/** The keys that come into force with it and have shares of their own. */
function birthsIn(operation: ItemOperation, facts: Uint8Array): readonly Born[] {
  if (operation.kind === 'registration')
    return certificatesIn(facts).flatMap((certificate, i) => {
      const wallet = operation.wallets[i]
      return wallet === undefined ? [] : [{ terms: wallet.key.terms, certificate }]
    })
  const born = newKeyIn(operation)
  return born !== undefined && born.derivation === undefined
    ? [{ terms: born.terms, certificate: facts }]
    : []
}

function newKeyIn(operation: ItemOperation): NewKey | undefined {
  if (operation.kind === 'key') return operation.key
  return operation.kind === 'wallet' && operation.key.kind === 'created' ? operation.key : undefined
}
type Born = {
  readonly terms: Pick<KeyTerms, 'organization' | 'key' | 'request'>
  readonly certificate: Uint8Array
}

/** Before it is in the log, the last one counts; what the log names replaces it. */
export async function keepKeyCertificate(
  database: Database | DatabaseTransaction,
  terms: Born['terms'],
  certificate: Uint8Array,
): Promise<void> {
  await keepBirths([{ terms, certificate }], sql`(select 1) as once`).execute(database)
}

/** @param when a table of one row, or of none and then nothing is kept */
function keepBirths(births: readonly Born[], when: RawBuilder<unknown>): RawBuilder<unknown> {
  const hashes = births.map(({ certificate }) => keyStatementHash(readBirth(certificate).signed))
  return sql`
    insert into key_certificates (organization, key, request, statement_hash, certificate)
    select one.* from ${when}, unnest(${births.map(({ terms }) => terms.organization)}::bytea[],
      ${births.map(({ terms }) => terms.key)}::bytea[],
      ${births.map(({ terms }) => terms.request)}::bytea[], ${hashes}::bytea[],
      ${births.map(({ certificate }) => certificate)}::bytea[]) as one
    on conflict (organization, key) do update set request = excluded.request,
      statement_hash = excluded.statement_hash, certificate = excluded.certificate`
}
