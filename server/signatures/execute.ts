import { sql } from 'kysely'
import { isFailure } from '@quorate/core/failure'
import { decodeEvidence } from '@quorate/authority/step'
import type { Intent } from '@quorate/effects/intent'
import { encodeFacts, noFacts } from '@quorate/effects/facts'
import { factsNeeded } from '@quorate/effects/plan'
import { findNetwork } from '@quorate/effects/networks'
import { decodePreimage } from '@quorate/authority/request'
import type { Database } from '../database/database.ts'
import { insertFor } from '../database/insert-for.ts'
import { eventRow } from '../outbox.ts'
import { anySignatureOf, type SignatureRow } from './entity.ts'
import { intentOf, networkOf, resultOf, type Sign, type Signing } from './signature.ts'

export type ExecuteDeps = {
  readonly database: Database
  readonly sign: Sign
  readonly observeFacts: ObserveFacts
  readonly now: () => number
}

/** What only the chain knows of a transaction that leaves it open, encoded as the signers read it. */
export type ObserveFacts = (
  ask: Omit<Signing, 'intent'> & {
    readonly intent: Intent
    readonly organization: Uint8Array
    readonly key: Uint8Array
    readonly payload: string
    readonly maxFee: bigint | undefined
  },
) => Promise<Uint8Array>

/** As many at one start: each takes the signers a few milliseconds. */
const resumedMax = 1000

/**
 * Asks the signers, and writes down what came of it. It may run any number of times: they give one
 * request one set of signatures.
 * @param known of this request, where it has just been worked out
 * @throws Failure as the signers said it; the request has then failed, unless they could not be asked
 */
export async function execute(
  deps: ExecuteDeps,
  row: SignatureRow,
  known?: Signing,
): Promise<SignatureRow> {
  if (row.status !== 'Executing') return row
  try {
    const signing = known ?? (await signingOf(deps.database, row))
    const facts = await factsOf(deps, row, signing)
    const evidence = { ...decodeEvidence(row.evidence), facts }
    const { organization, key } = row
    const signed = await deps.sign({ organization, key, evidence })
    const result = JSON.stringify(resultOf(signing, signed))
    return await finish(deps, row, { status: 'Signed', result, signed_at: deps.now() })
  } catch (error) {
    if (isFailure(error) && isFinal(error.code)) {
      const reason = isFailure(error, 'request.refused') ? error.context.reason : error.code
      await finish(deps, row, { status: 'Failed', reason })
    }
    throw error
  }
}

/** For the start of a server: what an earlier one has left open. */
export async function resumeSignatures(
  deps: ExecuteDeps,
  report: (error: unknown, signatureId: string) => void,
): Promise<void> {
  const rows = await deps.database
    .selectFrom('signature_requests')
    .selectAll()
    .where('status', '=', 'Executing')
    .orderBy('requested_at')
    .limit(resumedMax)
    .execute()
  for (const row of rows)
    await execute(deps, row).catch((error: unknown) => report(error, row.signature_id))
}

/** The others may pass: the same request can still be signed until it expires. */
const passing: ReadonlySet<string> = new Set([
  'signers.unavailable',
  'signing.failed',
  'chain.unavailable',
])

function isFinal(code: string): boolean {
  return !passing.has(code)
}

async function signingOf(database: Database, row: SignatureRow): Promise<Signing> {
  const {
    scheme,
    curve,
    public_key: publicKey,
  } = await database
    .selectFrom('keys')
    .select(['scheme', 'curve', 'public_key'])
    .where('organization', '=', row.organization)
    .where('id', '=', row.key)
    .executeTakeFirstOrThrow()
  const intent = intentOf(decodeEvidence(row.evidence).payload)
  const named = row.wallet === null || row.network === null ? undefined : findNetwork(row.network)
  const network = named ?? networkOf(intent, { scheme, curve })
  return { network, scheme, curve, publicKey, intent }
}

async function factsOf(
  { observeFacts }: ExecuteDeps,
  row: SignatureRow,
  signing: Signing,
): Promise<Uint8Array> {
  if (factsNeeded(signing.network, signing.intent) === 'none') return encodeFacts(noFacts)
  const { preimage, payload } = decodeEvidence(row.evidence)
  const { organization, key } = row
  const { maxFee } = decodePreimage(preimage)
  return observeFacts({ ...signing, organization, key, payload, maxFee })
}

type Change = Partial<Pick<SignatureRow, 'status' | 'reason' | 'result' | 'signed_at'>>

/** Whoever comes second changes nothing and tells of nothing. */
async function finish(
  { database, now }: ExecuteDeps,
  row: SignatureRow,
  change: Change,
): Promise<SignatureRow> {
  const changed = { ...row, ...change }
  const { organization, id, status, reason, result, signed_at } = changed
  const event = eventRow({
    organization,
    kind: status === 'Signed' ? 'wallet.signature.signed' : 'wallet.signature.failed',
    data: { signatureRequest: anySignatureOf(changed) },
    at: now(),
  })
  await sql`
    with finished as (
      update signature_requests
      set status = ${status}, reason = ${reason}, result = ${result}, signed_at = ${signed_at}
      where organization = ${organization} and id = ${id} and status = 'Executing'
      returning id
    )
    ${insertFor('finished', 'outbox', event)}`.execute(database)
  return changed
}
