import { equalBytes } from '@quorate/core/bytes'
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
import { nameOfCause } from '@quorate/authority/reduce/step'
import type { ItemOperation, NewKey } from '@quorate/authority/step'
import { type StreamId, streamCodec } from '@quorate/authority/stream'
import { addApprovals } from '../approvals/add.ts'
import { type Database, type DatabaseTransaction, inTransaction } from '../database/database.ts'
import { withoutErased } from './erased.ts'

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

/** More than a step changes; in one statement PostgreSQL takes 65535 parameters. */
const rowsPerInsert = 1000

/** The server's copy of the log. What it says has been certified elsewhere: losing it loses time. */
export class Ledger {
  private readonly database: Database

  constructor(database: Database) {
    this.database = database
  }

  async head(place: Subject): Promise<Certified | undefined> {
    const row = await this.rows(place).orderBy('seq', 'desc').limit(1).executeTakeFirst()
    return row && certified(row)
  }

  /** Its place alone, or -1: most often that is known already, and bodies are large. */
  async headSeq({ organization, stream }: Subject): Promise<number> {
    const row = await this.database
      .selectFrom('steps')
      .select('seq')
      .where('organization', '=', organization)
      .where('stream', '=', encode(streamCodec, stream))
      .orderBy('seq', 'desc')
      .limit(1)
      .executeTakeFirst()
    return row?.seq ?? -1
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
    // Gone again: certified meanwhile. Signers will say so to whatever is proposed here.
    return found === undefined ? step : opaqueOf(found.body)
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
  async keep(
    place: Subject,
    step: OpaqueStep,
    made: { readonly certificate: Certificate; readonly writes: readonly Write[] },
  ): Promise<void> {
    await inTransaction(this.database, (transaction) => keepStep(transaction, place, step, made))
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

async function keepStep(
  transaction: DatabaseTransaction,
  place: Subject,
  opaque: OpaqueStep,
  { certificate, writes }: { readonly certificate: Certificate; readonly writes: readonly Write[] },
): Promise<void> {
  const { seq, hash, time } = opaque
  const body = await withoutErased(transaction, place.organization, opaque.bytes)
  const at = { ...key(place), seq }
  const inserted = await transaction
    .insertInto('steps')
    .values({ ...at, hash, time, body, certificate: encode(certificateCodec, certificate) })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst()
  if (inserted.numInsertedOrUpdatedRows !== 1n) return assertSame(transaction, at, hash)
  const rows = writes.map(({ key: name, value }) => ({ ...at, name, value }))
  for (let i = 0; i < rows.length; i += rowsPerInsert)
    await transaction
      .insertInto('records')
      .values(lastOfEach(rows.slice(i, i + rowsPerInsert)))
      .onConflict((conflict) =>
        conflict
          .columns(['organization', 'stream', 'name', 'seq'])
          .doUpdateSet((eb) => ({ value: eb.ref('excluded.value') })),
      )
      .execute()
  await keepRequests(transaction, at, body)
  await addApprovals(transaction, at, body)
  await transaction
    .deleteFrom('proposals')
    .where('organization', '=', at.organization)
    .where('stream', '=', at.stream)
    .where('seq', '<=', seq)
    .execute()
}

type At = ReturnType<typeof key> & { readonly seq: number }

/** Two steps certified at one place need more corrupt signers than the cluster is built for. */
async function assertSame(
  transaction: DatabaseTransaction,
  at: At,
  hash: Uint8Array,
): Promise<void> {
  const found = await transaction
    .selectFrom('steps')
    .select('hash')
    .where('organization', '=', at.organization)
    .where('stream', '=', at.stream)
    .where('seq', '=', at.seq)
    .executeTakeFirstOrThrow()
  if (!equalBytes(found.hash, hash)) throw new Error('Two steps are certified at one place.')
}

/** One statement may name a row once: of two writes of a step to one record the later counts. */
function lastOfEach<T extends { readonly name: string }>(rows: readonly T[]): T[] {
  return [...new Map(rows.map((row) => [row.name, row])).values()]
}

async function keepRequests(transaction: DatabaseTransaction, at: At, body: Uint8Array) {
  const { step, evidence } = decodeBody(body)
  const places = step.items.flatMap(({ cause }, item) =>
    cause.kind === 'request' || cause.kind === 'completion'
      ? [{ ...at, request: nameOfCause(cause), item }]
      : [],
  )
  if (places.length > 0) await transaction.insertInto('request_places').values(places).execute()
  for (const [i, { operation }] of step.items.entries()) {
    const facts = evidence[i]?.facts ?? new Uint8Array()
    for (const { terms, certificate } of birthsIn(operation, facts))
      await keepKeyCertificate(transaction, terms, certificate)
  }
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
type Born = { readonly terms: KeyTerms; readonly certificate: Uint8Array }

/** Before it is in the log, the last one counts; what the log names replaces it. */
export async function keepKeyCertificate(
  database: Database | DatabaseTransaction,
  { organization, key: id, request }: Pick<KeyTerms, 'organization' | 'key' | 'request'>,
  certificate: Uint8Array,
): Promise<void> {
  const { signed } = readBirth(certificate)
  const row = { request, statement_hash: keyStatementHash(signed), certificate }
  await database
    .insertInto('key_certificates')
    .values({ organization, key: id, ...row })
    .onConflict((conflict) => conflict.columns(['organization', 'key']).doUpdateSet(row))
    .execute()
}
