import { sql } from 'kysely'
import { problemOf } from '@quorate/api/problems'
import { Failure, isFailure } from '@quorate/core/failure'
import type { Rules } from '@quorate/authority/reduce/judging'
import { decodeEvidence, type Evidence } from '@quorate/authority/step'
import { keyStream } from '@quorate/authority/stream'
import { decodeFacts, encodeFacts, noFacts } from '@quorate/effects/facts'
import type { Intent } from '@quorate/effects/intent'
import { factsNeeded } from '@quorate/effects/plan'
import { networksOf } from '@quorate/judge/networks'
import { decodePreimage } from '@quorate/authority/request'
import { evaluationsAfter } from '../approvals/after.ts'
import { approvalFor } from '../approvals/find.ts'
import { openApproval } from '../approvals/open.ts'
import type { ApprovalRow } from '../approvals/tables.ts'
import type { Concluding, KnownLog, Log } from '../auth/log.ts'
import type { Database } from '../database/database.ts'
import { insertFor } from '../database/insert-for.ts'
import type { Quota } from '../usage/quota.ts'
import { eventRow, type Event } from '../outbox.ts'
import { evaluationsOf, hasPolicies } from '../policies/evaluate.ts'
import { triggeredEvents } from '../policies/triggered.ts'
import { agreedFacts, checkUnagreed } from './agreed.ts'
import { anySignatureOf, type SignatureRow } from './entity.ts'
import type { Opine } from '../facts/file.ts'
import { withOpinions } from '../facts/with-opinions.ts'
import { findSignature } from './find.ts'
import { intentOf, networkOf, resultOf, type Sign, type Signing } from './signature.ts'

export type ExecuteDeps = {
  readonly database: Database
  readonly sign: Sign
  readonly log: Pick<Log, 'settle' | 'read'> & KnownLog & Concluding
  readonly rules: Rules
  readonly quota: Quota
  readonly opine: Opine
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

/**
 * Asks the signers, and writes down what came of it. It may run any number of times: they give one
 * request one set of signatures, for the facts on which they have agreed first.
 * @param known of this request, where it has been written down just now
 * @throws Failure as the chain or the signers said it; the request has then failed, unless they could
 *   not be asked, or have agreed on it
 */
export async function execute(
  deps: ExecuteDeps,
  row: SignatureRow,
  known?: Signing,
): Promise<SignatureRow> {
  if (row.status !== 'Executing') return unlessBlocked(row)
  let evidence: Evidence | undefined
  try {
    const signing = known ?? (await signingOf(deps, row))
    const agreed = known === undefined ? await agreedFacts(deps.database, row) : undefined
    const facts = agreed ?? (await factsOf(deps, row, signing))
    evidence = { ...decodeEvidence(row.evidence), facts }
    return await signOrHold(deps, row, { signing, evidence })
  } catch (error) {
    if (isFailure(error) && !isPassing(error)) await end(deps, row, { evidence, error })
    throw error
  }
}

/** @throws Failure `signing.failed` where signers have agreed on it */
async function end(
  deps: ExecuteDeps,
  row: SignatureRow,
  { evidence, error }: { readonly evidence: Evidence | undefined; readonly error: Failure },
): Promise<void> {
  await checkUnagreed(deps, row, error)
  if (isFailure(error, 'policy.blocked')) {
    const reason = `blocked by policy: ${error.context.reason}`
    const change = { status: 'Rejected', reason, policy_resolved_at: deps.now() } as const
    await finish(deps, row, change, await triggeredBy(deps, row, evidence))
  } else {
    const isRefused = isFailure(error, 'request.refused')
    const reason = isRefused ? error.context.reason : problemOf(error).message
    await finish(deps, row, { status: 'Failed', reason })
  }
}

/** Whoever repeats what a policy has blocked hears the same. @throws Failure `policy.blocked` */
function unlessBlocked(row: SignatureRow): SignatureRow {
  if (row.status === 'Rejected' && row.approval_id === null)
    throw new Failure('policy.blocked', { reason: row.reason ?? '' })
  return row
}

async function signOrHold(
  deps: ExecuteDeps,
  row: SignatureRow,
  { signing, evidence }: { readonly signing: Signing; readonly evidence: Evidence },
): Promise<SignatureRow> {
  const { organization, key } = row
  try {
    const signed = await deps.sign({ organization, key, evidence })
    const result = JSON.stringify(resultOf(signing, signed))
    const isGoverned = await hasPolicies(deps.log, organization)
    const events = isGoverned ? await triggeredBy(deps, row, evidence) : []
    return await finish(deps, row, { status: 'Signed', result, signed_at: deps.now() }, events)
  } catch (error) {
    const approval = await approvalAfter(deps, row, { evidence, error })
    if (approval === undefined) throw error
    return hold(deps, row, approval)
  }
}

/**
 * That policies were triggered which block it, or want nothing done. Those with which it was held have
 * been told of when its approval was opened.
 */
async function triggeredBy(
  { database, log, rules, now }: ExecuteDeps,
  row: SignatureRow,
  evidence: Evidence | undefined,
): Promise<readonly Event[]> {
  if (evidence === undefined) return []
  const { organization, key, request } = row
  const at = now()
  const asked = { organization, stream: keyStream(key), evidence }
  const said = await evaluationsOf({ database, rules }, asked, at)
  const evaluations = await evaluationsAfter({ database, rules }, row, said)
  const activity = { kind: 'Wallets:Sign', signatureRequest: anySignatureOf(row) }
  return triggeredEvents({ database, log }, { organization, request, activity, evaluations, at })
}

/** What the request waits for now: opened here, or by a server that could not write that down. */
async function approvalAfter(
  { database, log }: ExecuteDeps,
  { organization, key, request, approval_id: known }: SignatureRow,
  { evidence, error }: { readonly evidence: Evidence; readonly error: unknown },
): Promise<ApprovalRow | undefined> {
  if (isFailure(error, 'policy.held'))
    return openApproval({ database, log }, { organization, stream: keyStream(key), evidence })
  if (known !== null || !isFailure(error, 'request.refused')) return undefined
  return approvalFor(database, organization, request)
}

async function hold(
  { database }: ExecuteDeps,
  row: SignatureRow,
  { approval_id }: ApprovalRow,
): Promise<SignatureRow> {
  const { organization, id } = row
  await database
    .updateTable('signature_requests')
    .set({ status: 'Pending', approval_id })
    .where('organization', '=', organization)
    .where('id', '=', id)
    .where('status', '=', 'Executing')
    // One with an approval waits for nobody any more: whoever decided has been faster.
    .where('approval_id', 'is', null)
    .execute()
  return findSignature(database, row, row.signature_id)
}

/** The others may pass: the same request can still be signed until it expires. */
const passing: ReadonlySet<string> = new Set([
  'signers.unavailable',
  'signing.failed',
  'clock.wrong',
  'chain.unavailable',
])

export function isPassing(error: unknown): boolean {
  return isFailure(error) && passing.has(error.code)
}

async function signingOf(
  { database, rules }: Pick<ExecuteDeps, 'database' | 'rules'>,
  row: SignatureRow,
): Promise<Signing> {
  const networks = networksOf(rules.manifest)
  const {
    scheme,
    curve,
    public_key: publicKey,
    untweaked,
  } = await database
    .selectFrom('keys')
    .select(['scheme', 'curve', 'public_key', 'untweaked'])
    .where('organization', '=', row.organization)
    .where('id', '=', row.key)
    .executeTakeFirstOrThrow()
  const intent = intentOf(decodeEvidence(row.evidence).payload)
  const named = row.wallet === null || row.network === null ? undefined : networks.find(row.network)
  const network = named ?? networkOf(networks, intent, { scheme, curve })
  return { network, scheme, curve, publicKey, untweaked, intent }
}

async function factsOf(
  deps: ExecuteDeps,
  row: SignatureRow,
  signing: Signing,
): Promise<Uint8Array> {
  const { opine } = deps
  if (factsNeeded(signing.network, signing.intent) === 'none')
    return encodeFacts(await withOpinions(opine, signing, noFacts))
  const { preimage, payload } = decodeEvidence(row.evidence)
  const { organization, key } = row
  const { maxFee } = decodePreimage(preimage)
  const facts = await deps.observeFacts({ ...signing, organization, key, payload, maxFee })
  return encodeFacts(await withOpinions(opine, signing, decodeFacts(facts)))
}

type Change = {
  readonly status: 'Signed' | 'Failed' | 'Rejected'
} & Partial<Pick<SignatureRow, 'reason' | 'result' | 'signed_at' | 'policy_resolved_at'>>

const eventKinds = {
  Signed: 'wallet.signature.signed',
  Failed: 'wallet.signature.failed',
  Rejected: 'wallet.signature.rejected',
} as const

/**
 * Ends the row as it was read. Whoever comes second changes nothing and tells of nothing; so does
 * whoever has not seen that it waited for an approval since, whose worker ends it with that.
 * @returns what stands there now, whoever has written it
 */
export async function finish(
  { database, now }: Pick<ExecuteDeps, 'database' | 'now'>,
  row: SignatureRow,
  change: Change,
  more: readonly Event[] = [],
): Promise<SignatureRow> {
  const changed = { ...row, ...change }
  const { organization, id, status, reason, result, signed_at, policy_resolved_at } = changed
  const seen = sql`status = ${row.status} and approval_id is not distinct from ${row.approval_id}`
  const event = eventRow({
    organization,
    kind: eventKinds[change.status],
    data: { signatureRequest: anySignatureOf(changed) },
    at: now(),
  })
  // Of each, a part of the one statement: told if it was this one that has finished it.
  const events = more.map(
    (one, i) =>
      sql`, ${sql.ref(`more${i}`)} as (${insertFor('finished', 'outbox', eventRow(one))})`,
  )
  const { rows } = await sql`
    with finished as (
      update signature_requests
      set status = ${status}, reason = ${reason}, result = ${result}, signed_at = ${signed_at},
        policy_resolved_at = ${policy_resolved_at}
      where organization = ${organization} and id = ${id} and ${seen}
      returning id
    ),
    told as (${insertFor('finished', 'outbox', event)})
    ${sql.join(events, sql``)}
    select id from finished`.execute(database)
  return rows.length > 0 ? changed : findSignature(database, row, row.signature_id)
}
