import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { findEvmNetwork } from '@quorate/chains/networks/evm'
import { Failure, isFailure } from '@quorate/core/failure'
import { idOf, nameOf } from '@quorate/core/id'
import { encodeEvidence } from '@quorate/authority/step'
import type { TransactionIntent, TransferIntent } from '@quorate/effects/intent'
import { isSponsored } from '@quorate/effects/plan'
import { requesterOf, type Caller } from '../auth/caller.ts'
import { readRoot } from '../auth/log.ts'
import { burnFor, findSpendable, subjectOf, type SignedAction } from '../auth/use-action.ts'
import { askOf, checkIntent, readableIntent, type Payer } from '../chain/ask.ts'
import { evmNetwork, type Chains } from '../chain/chains.ts'
import { findListed } from '../assets/listed.ts'
import { tokenMoveOf, tokenWords } from '../chain/tokens.ts'
import type { ShownWords } from '../history/tokens.ts'
import { hasPolicies } from '../policies/evaluate.ts'
import { inTransaction, type Database, type DatabaseTransaction } from '../database/database.ts'
import { claimExternalId, findRepeated, fingerprintOfRequest } from '../external-id.ts'
import type { RawRequest } from '../http/route.ts'
import { checkUsable } from '../keys/reach.ts'
import { checkSponsor } from '../sponsorships/sponsor.ts'
import { recordEvent } from '../outbox.ts'
import type { Quota } from '../usage/quota.ts'
import { findWallet, type WalletRow } from '../wallets/find.ts'
import { requestedEventOf } from './entity.ts'
import { findOutgoing } from './find.ts'
import { giveBack, leaseMs } from './lease.ts'
import { payerOf } from './reading.ts'
import type { AskedKind, Outgoing } from './tables.ts'
import { untouched } from './untouched.ts'
import { workOnce, type WorkDeps } from './work.ts'

export type RequestDeps = WorkDeps & {
  /** Tells a worker of this process; others find the row by themselves. */
  readonly wake: () => void
  readonly quota: Quota
  /** Names this life of the server: what another has made of a request is shown by this one. */
  readonly life: Uint8Array
  /** How to wait, if not by this machine's clock. */
  readonly pause?: (ms: number) => Promise<unknown>
  /** How long the answer to a transaction waits for its hash, if not as long as clients do. */
  readonly hashWithinMs?: number
}

export type Asked = {
  readonly kind: AskedKind
  readonly walletId: string
  readonly raw: RawRequest
}

/**
 * Takes a signed request in: the user's signature is spent, the row is there with its evidence, and
 * the world is told, all in one transaction or not at all. What stands already under its external id is
 * shown, and today's balance, sponsor or wallet have no say in that; the signature is spent all the same.
 *
 * @throws Failure for everything that can be known to go wrong; then nothing has changed
 */
export async function requestOutgoing(
  deps: RequestDeps,
  caller: Caller,
  { kind, walletId, raw }: Asked,
): Promise<Outgoing> {
  const { database, quota, now, life } = deps
  const wallet = await findWallet(database, caller, walletId)
  const found = await findSpendable(database, caller, raw, { now: now(), life })
  if (found.isSpent) return showMade(deps, caller, kind, found.action)
  const { action } = found
  const { preimage, payload } = action
  const name = await findRepeated(database, caller, { kind, path: preimage.path, payload })
  if (name !== undefined)
    return beginOutgoing(deps, caller, action, (transaction) =>
      findOutgoing(transaction, caller, { kind, name }),
    )
  checkUsable(caller, wallet)
  await checkPaying(deps, caller, { kind, wallet, payload })
  const asset = await assetAsked(deps, { kind, wallet, payload })
  return beginOutgoing(deps, caller, action, (transaction, begun) =>
    enter(transaction, {
      ...{ caller, wallet, kind, quota, asset, chains: deps.chains },
      ...begun,
    }),
  )
}

/**
 * What a request has made, or what it has found standing under its external id: its answer was lost
 * on the way.
 * @throws Failure `action.used` where neither is there any more
 * @throws Failure `policy.blocked`
 */
export async function showMade(
  deps: Pick<RequestDeps, 'database' | 'now' | 'pause'>,
  caller: Caller,
  kind: AskedKind,
  action: SignedAction,
): Promise<Outgoing> {
  return spokenOf(deps, await findMade(deps.database, caller, kind, action))
}

async function findMade(
  database: Database,
  caller: Caller,
  kind: AskedKind,
  { request, preimage: { path }, payload }: SignedAction,
): Promise<Outgoing> {
  try {
    return await findOutgoing(database, caller, { kind, name: nameOf(kind, idOf(request, kind)) })
  } catch (error) {
    if (!isFailure(error, `${kind}.not_found`)) throw error
    const name = await findRepeated(database, caller, { kind, path, payload })
    if (name === undefined) throw new Failure('action.used', {}, { cause: error })
    return findOutgoing(database, caller, { kind, name })
  }
}

export type Begun = Pick<Entry, 'action' | 'now' | 'leased'>

/** Spends the signature and makes the row together; policies are asked while the caller waits. */
export async function beginOutgoing(
  deps: RequestDeps,
  caller: Caller,
  action: SignedAction,
  make: (transaction: DatabaseTransaction, begun: Begun) => Promise<Outgoing>,
): Promise<Outgoing> {
  const { database, coordinator, wake, life } = deps
  const { organization } = caller
  const leased = (await hasPolicies(coordinator, organization)) ? randomUUID() : undefined
  const row = await inTransaction(database, async (transaction) => {
    const now = deps.now()
    await burnFor(transaction, { organization, request: action.request }, { now, life })
    return make(transaction, { action, now, leased })
  })
  if (leased !== undefined && row.lease_holder === leased) await askNow(deps, row)
  wake()
  return leased === undefined ? row : spokenOf(deps, row)
}

type AskedAsset = Pick<Asked, 'kind'> &
  Pick<SignedAction, 'payload'> & { readonly wallet: WalletRow }

/**
 * Of what somebody else is to pay for.
 * @throws Failure `fee_sponsor.unsuitable`, `fee_sponsor.not_for_end_users`
 */
async function checkPaying(
  { coordinator }: Pick<RequestDeps, 'coordinator'>,
  caller: Caller,
  { kind, wallet, payload }: AskedAsset,
): Promise<void> {
  const { feeSponsorId } = readableIntent(kind, payload)
  if (feeSponsorId === undefined) return
  await readRoot(coordinator, caller.organization, (root) =>
    checkSponsor(root, caller, wallet, feeSponsorId),
  )
}

/**
 * What a token says of itself, as JSON, and whether the operator knows it. Only its node can tell, and
 * that is asked before anything is written down.
 * @throws Failure `asset.not_found`, and for whatever is wrong with the addresses
 */
async function assetAsked(
  { chains, database }: Pick<RequestDeps, 'chains' | 'database'>,
  { kind, wallet, payload }: AskedAsset,
): Promise<string | null> {
  const chain = chains.find(wallet.network)
  if (kind !== 'transfer') return null
  const intent = readableIntent(kind, payload)
  const move = tokenMoveOf(intent)
  if (move === undefined) return null
  checkIntent(payerOf({ ...wallet, address: wallet.address ?? '' }, chain.traits), intent)
  await chain.ready()
  const said = await tokenWords(chain, move)
  const contract = chain.adapter.parseAddress(move.contract)
  const listed = await findListed(database, wallet.network, [contract])
  const known = listed.find((one) => one.kind === move.kind)
  const words: ShownWords = known ? { ...said, symbol: known.symbol, verified: true } : said
  return JSON.stringify(words)
}

/** The answer is to say what policies say: so they are asked here, and by a worker if this fails. */
async function askNow(deps: RequestDeps, row: Outgoing): Promise<void> {
  const next = await workOnce(deps, row)
  if (next !== undefined) await giveBack(deps.database, next)
}

/** Signers and a node have to answer first: for five seconds, no longer than people wait for an answer. */
const [patienceMs, pollMs, pollsMax] = [5_000, 40, 125]

/** @throws Failure `policy.blocked`, for whoever repeats it as well */
async function spokenOf(
  { database, now, pause = sleep }: Pick<RequestDeps, 'database' | 'now' | 'pause'>,
  row: Outgoing,
): Promise<Outgoing> {
  const { kind, name } = row
  let found = await findOutgoing(database, row, { kind, name })
  // By a clock that may be set, and by a count that does not ask it.
  const end = now() + patienceMs
  for (let polls = 0; polls < pollsMax && now() < end; polls++) {
    if (found.state !== 'asked' || found.waiting !== null) break
    await pause(pollMs)
    found = await findOutgoing(database, row, { kind, name })
  }
  const { state, approval_id, reason } = found
  if (state === 'rejected' && approval_id === null)
    throw new Failure('policy.blocked', { reason: reason ?? '' })
  return found
}

export type Entry = {
  readonly caller: Caller
  readonly wallet: WalletRow
  readonly kind: AskedKind
  readonly action: SignedAction
  readonly quota: Pick<Quota, 'claim'>
  readonly chains: Pick<Chains, 'networks' | 'named'>
  readonly now: number
  /** Of a token: see `assetAsked`. */
  readonly asset?: string | null
  /** To whom: policies have to be asked first, and he does it at once. */
  readonly leased?: string | undefined
}

/** @returns the row of the request, or of the first one under the same external id */
export async function enter(transaction: DatabaseTransaction, entry: Entry): Promise<Outgoing> {
  const { caller, kind, action, quota, chains, now } = entry
  const intent = readableIntent(kind, action.payload)
  const { network, public_key, address } = entry.wallet
  const payer = payerOf(
    { public_key, address: address ?? '' },
    evmNetwork(chains.networks, network),
  )
  checkIntent(payer, intent)
  const { externalId } = intent
  const row = newRow(entry, {
    externalId,
    namesSlot: !isSponsored(intent) && namesSlot(intent, payer),
  })
  if (intent.externalId !== undefined) {
    const first = await claimExternalId(transaction, {
      ...{ caller, kind, externalId: intent.externalId, id: row.name },
      fingerprint: fingerprintOfRequest(action.preimage.path, action.payload),
    })
    if (first !== undefined)
      return findOutgoing(transaction, caller, { kind, name: first.duplicateOf })
  }
  await insertRow(transaction, { row, quota, now })
  return row
}

/** And tells the world of it. */
export async function insertRow(
  transaction: DatabaseTransaction,
  { row, quota, now }: Pick<Entry, 'quota' | 'now'> & { readonly row: Outgoing },
): Promise<void> {
  const { organization } = row
  await quota.claim(transaction, organization, now)
  await transaction.insertInto('outgoing').values(row).execute()
  const event = requestedEventOf(row)
  if (event !== undefined) await recordEvent(transaction, { organization, ...event, at: now })
}

/** What a row begins as. */
export function newRow(
  { caller, wallet, kind, action, chains, now, leased, asset = null }: Omit<Entry, 'quota'>,
  said: { readonly externalId: string | undefined; readonly namesSlot: boolean },
): Outgoing {
  const { network, public_key } = wallet
  const address = wallet.address ?? ''
  const id = idOf(action.request, kind)
  const { userId, tokenId } = requesterOf(caller)
  return {
    ...untouched,
    ...{ organization: caller.organization, id, kind, name: nameOf(kind, id) },
    ...{ wallet: wallet.id, wallet_id: wallet.wallet_id, key: wallet.key, public_key },
    ...{ network, address, request: action.request },
    user_id: userId,
    token_id: tokenId ?? null,
    external_id: said.externalId ?? null,
    fee_sponsor: subjectOf(action.preimage, 'feeSponsorId') ?? null,
    evidence: encodeEvidence(action.evidence(new Uint8Array())),
    asset: asset ?? (kind === 'transfer' ? nativeWords(chains, network) : null),
    execute_before: action.preimage.executeBefore,
    names_slot: said.namesSlot,
    ...(leased === undefined
      ? {}
      : { state: 'asked' as const, lease_holder: leased, lease_until: now + leaseMs }),
    due_at: now,
    created_at: now,
  }
}

function namesSlot(intent: TransferIntent | TransactionIntent, from: Payer): boolean {
  const ask = askOf(intent, from)
  return ask === undefined || ask.nonce !== undefined
}

/** Of a network that this cluster alone has. What is in the tables needs no row to say it. */
function nativeWords({ named }: Pick<Chains, 'named'>, network: string): string | null {
  if (findEvmNetwork(network) !== undefined) return null
  const words: ShownWords = { ...named(network).nativeAsset, verified: true }
  return JSON.stringify(words)
}
