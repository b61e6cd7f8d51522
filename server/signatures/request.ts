import { sql } from 'kysely'
import { Failure, isFailure } from '@quorate/core/failure'
import { idOf, nameOf } from '@quorate/core/id'
import { encodeEvidence } from '@quorate/authority/step'
import { noFacts } from '@quorate/effects/facts'
import type { Networks, Scheme } from '@quorate/effects/networks'
import { networksOf } from '@quorate/judge/networks'
import { factsNeeded, plan } from '@quorate/effects/plan'
import { requesterOf, type Caller } from '../auth/caller.ts'
import { leaveOpen } from '../auth/carry-out.ts'
import {
  burnFor,
  burning,
  findSpendable,
  rememberedAction,
  type SignedAction,
} from '../auth/use-action.ts'
import { inTransaction, type Database, type DatabaseTransaction } from '../database/database.ts'
import { insertFor } from '../database/insert-for.ts'
import { claimExternalId, findRepeated, fingerprintOfRequest } from '../external-id.ts'
import type { RawRequest } from '../http/route.ts'
import { checkUsable, type Standing } from '../keys/reach.ts'
import { eventRow } from '../outbox.ts'
import { anySignatureOf, type SignatureRow } from './entity.ts'
import { execute, isPassing, type ExecuteDeps } from './execute.ts'
import { findSignature } from './find.ts'
import { intentOf, networkOf, type Signing } from './signature.ts'

/** What is to sign: a key by itself, or through a wallet and then on the wallet's network. */
export type SignWith = {
  readonly key: Uint8Array
  readonly scheme: Scheme
  readonly curve: Signing['curve']
  readonly public_key: Uint8Array
  readonly untweaked: boolean
  readonly standing: Standing
  readonly wallet?: { readonly id: Uint8Array; readonly network: string }
}

export type RequestDeps = ExecuteDeps & {
  /** Names this life of the server: what another has made of a request is shown by this one. */
  readonly life: Uint8Array
}

/** The request is written down before any signer hears of it; the answer has the signature. */
export async function requestSignature(
  deps: RequestDeps,
  caller: Caller,
  raw: RawRequest,
  signWith: SignWith,
): Promise<SignatureRow> {
  const { database, now, life } = deps
  const known = rememberedAction(database, caller, raw, now())
  try {
    if (known !== undefined) return await begin(deps, caller, known, signWith)
  } catch (error) {
    // Another server has answered it meanwhile, as its row says.
    if (!isFailure(error, 'action.used')) throw error
  }
  const { action, isSpent } = await findSpendable(database, caller, raw, { now: now(), life })
  if (isSpent) {
    const made = await findMade(database, caller, action)
    return orLeaveOpen(deps, { ...caller, ...action }, execute(deps, made))
  }
  return begin(deps, caller, action, signWith)
}

/** Signers that were away, or did not agree: the same request with the same action asks them again. */
async function orLeaveOpen(
  deps: RequestDeps,
  { request, organization }: Pick<SignatureRow, 'request' | 'organization'>,
  made: Promise<SignatureRow>,
): Promise<SignatureRow> {
  try {
    return await made
  } catch (error) {
    if (isPassing(error)) await leaveOpen(deps, { request, organization })
    throw error
  }
}

/** @throws Failure `action.used` */
async function begin(
  deps: RequestDeps,
  caller: Caller,
  action: SignedAction,
  signWith: SignWith,
): Promise<SignatureRow> {
  const repeated = await repeatOf(deps, caller, action)
  if (repeated !== undefined)
    return orLeaveOpen(deps, { ...caller, ...action }, execute(deps, repeated))
  checkUsable(caller, signWith.standing)
  const signing = checkSignable(networksOf(deps.rules.manifest), action.payload, signWith)
  const { externalId } = signing.intent
  const made = newRow(caller, signWith, { ...action, externalId, now: deps.now() })
  if (externalId === undefined) {
    await writeDownCounted(deps, action, made)
    return orLeaveOpen(deps, made, execute(deps, made, signing))
  }
  const first = await writeDownOnce(deps, { caller, action, externalId }, made)
  return orLeaveOpen(deps, made, execute(deps, first))
}

/**
 * What stands already under the external id, whatever has become of the key; the action is spent.
 * @throws Failure `external_id.conflict`, `action.used`
 */
async function repeatOf(
  { database, now, life }: RequestDeps,
  caller: Caller,
  { request, preimage: { path }, payload }: SignedAction,
): Promise<SignatureRow | undefined> {
  const name = await findRepeated(database, caller, { kind: 'signature', path, payload })
  if (name === undefined) return undefined
  return inTransaction(database, async (transaction) => {
    await burnFor(transaction, { ...caller, request }, { now: now(), life })
    return findSignature(transaction, caller, name)
  })
}

/**
 * What a request has made, or what it has found standing under its external id.
 * @throws Failure `action.used` where neither is there any more
 */
async function findMade(
  database: Database,
  caller: Caller,
  { request, preimage: { path }, payload }: SignedAction,
): Promise<SignatureRow> {
  const kind = 'signature'
  try {
    return await findSignature(database, caller, nameOf(kind, idOf(request, kind)))
  } catch (error) {
    if (!isFailure(error, 'signature.not_found')) throw error
    const name = await findRepeated(database, caller, { kind, path, payload })
    if (name === undefined) throw new Failure('action.used', {}, { cause: error })
    return findSignature(database, caller, name)
  }
}

/** One statement is enough where nothing is counted. @throws Failure `quota.exceeded` besides */
async function writeDownCounted(
  { database, quota, life }: RequestDeps,
  action: SignedAction,
  made: SignatureRow,
): Promise<void> {
  if (quota.limit === undefined) return writeDown(database, { action, life }, made)
  await inTransaction(database, async (transaction) => {
    await quota.claim(transaction, made.organization, made.requested_at)
    await writeDown(transaction, { action, life }, made)
  })
}

/** @throws Failure `action.used` */
async function writeDown(
  database: Database | DatabaseTransaction,
  { action, life }: { readonly action: SignedAction; readonly life: Uint8Array },
  made: SignatureRow,
): Promise<void> {
  const { organization, requested_at: at } = made
  const data = { signatureRequest: anySignatureOf(made) }
  const event = eventRow({ organization, kind: 'wallet.signature.requested', data, at })
  const { rows } = await sql`
    with burned as (${burning({ organization, request: action.request }, { now: at, life })}),
      made as (${insertFor('burned', 'signature_requests', made)}),
      told as (${insertFor('burned', 'outbox', event)})
    select request from burned`.execute(database)
  if (rows.length === 0) throw new Failure('action.used', {})
}

/** The first request under an external id is the only one. */
function writeDownOnce(
  { database, quota, life }: RequestDeps,
  given: { readonly caller: Caller; readonly action: SignedAction; readonly externalId: string },
  made: SignatureRow,
): Promise<SignatureRow> {
  const { caller, action, externalId } = given
  const { signature_id: id, requested_at: at } = made
  const fingerprint = fingerprintOfRequest(action.preimage.path, action.payload)
  return inTransaction(database, async (transaction) => {
    const claim = { caller, kind: 'signature', externalId, fingerprint, id } as const
    const first = await claimExternalId(transaction, claim)
    if (first === undefined) {
      await quota.claim(transaction, caller.organization, at)
      await writeDown(transaction, { action, life }, made)
      return made
    }
    await burnFor(transaction, { ...caller, ...action }, { now: at, life })
    return findSignature(transaction, caller, first.duplicateOf)
  })
}

type Made = {
  readonly request: Uint8Array
  readonly payload: string
  readonly evidence: SignedAction['evidence']
  readonly externalId: string | undefined
  readonly now: number
}

function newRow(caller: Caller, { key, wallet }: SignWith, made: Made): SignatureRow {
  const id = idOf(made.request, 'signature')
  const { userId, tokenId } = requesterOf(caller)
  const named = intentOf(made.payload).network
  return {
    organization: caller.organization,
    id,
    signature_id: nameOf('signature', id),
    key,
    wallet: wallet?.id ?? null,
    network: wallet?.network ?? named ?? null,
    user_id: userId,
    token_id: tokenId ?? null,
    evidence: encodeEvidence(made.evidence(new Uint8Array())),
    external_id: made.externalId ?? null,
    request: made.request,
    status: 'Executing',
    reason: null,
    approval_id: null,
    policy_resolved_at: null,
    result: null,
    requested_at: made.now,
    signed_at: null,
  }
}

/** What the rules would refuse is better refused before a request is made of it. */
function checkSignable(networks: Networks, payload: string, key: SignWith): Signing {
  const { scheme, curve, public_key, untweaked, wallet } = key
  const intent = intentOf(payload)
  const network =
    (wallet === undefined ? undefined : networks.find(wallet.network)) ??
    networkOf(networks, intent, { scheme, curve })
  const signing: Signing = { network, scheme, curve, publicKey: public_key, untweaked, intent }
  if (factsNeeded(network, intent) !== 'none') return signing
  const planned = plan({ ...signing, facts: noFacts })
  if (!planned.ok) throw new Failure('request.unsupported', { reason: planned.reason })
  if (planned.effect.raw && !network.rawAllowed)
    throw new Failure('request.refused', { reason: `raw bytes are not signed on ${network.id}` })
  return signing
}
