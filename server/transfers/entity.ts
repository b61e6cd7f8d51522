import type { EventKind } from '@quorate/api/event-kinds'
import { toHex } from '@quorate/core/bytes'
import { nameOf } from '@quorate/core/id'
import { parseJson, isObject } from '@quorate/core/json'
import type { Transaction } from '@quorate/api/transactions'
import type { Transfer } from '@quorate/api/transfers'
import { decodeEvidence } from '@quorate/authority/step'
import { findEvmNetwork } from '@quorate/chains/networks/evm'
import type { ShownWords } from '../history/tokens.ts'
import { statusOf, type Status } from './lifecycle.ts'
import type { Outgoing } from './tables.ts'

/** A transfer as the API and its events give it. */
export function transferOf(row: Outgoing): Transfer {
  const feeSponsorId = row.fee_sponsor && nameOf('feeSponsor', row.fee_sponsor)
  return {
    ...transactionOf(row),
    ...optional('feeSponsorId', feeSponsorId),
    metadata: { asset: assetOf(row) },
  }
}

/** Of a token it is what the contract said of itself when it was asked for, or the operator. */
function assetOf({ network, asset }: Outgoing): Transfer['metadata']['asset'] {
  if (asset !== null) return { verified: false, ...(JSON.parse(asset) as ShownWords) }
  const known = findEvmNetwork(network)
  if (known === undefined) throw new TypeError('the words of a network of their own are in the row')
  const { symbol, decimals } = known.nativeAsset
  return { symbol, decimals, verified: true }
}

/** A transaction as the API and its events give it. */
export function transactionOf(row: Outgoing): Transaction {
  const { user_id: userId, token_id: tokenId } = row
  return {
    id: row.name,
    walletId: row.wallet_id,
    network: row.network,
    requester: { userId, ...optional('tokenId', tokenId) },
    requestBody: bodyOf(row),
    status: statusOf(row.state),
    ...optional('reason', row.reason),
    // Before the broadcast nobody else can know it, and it may yet come to nothing.
    ...optional('txHash', row.broadcasted_at === null ? null : row.hash),
    ...optional('fee', row.fee),
    ...optional('approvalId', row.approval_id),
    ...optional('externalId', row.external_id),
    ...optional('replacementId', row.replacement_id),
    ...detailsOf(row),
    dateRequested: isoDate(row.created_at),
    ...optional('datePolicyResolved', isoDateOf(row.policy_resolved_at)),
    ...optional('dateBroadcasted', isoDateOf(row.broadcasted_at)),
    ...optional('dateConfirmed', isoDateOf(row.confirmed_at)),
  }
}

type Told = { readonly kind: EventKind; readonly data: object }
const newsByStatus = {
  Pending: undefined,
  Executing: undefined,
  Broadcasted: 'broadcasted',
  Confirmed: 'confirmed',
  Failed: 'failed',
  Rejected: 'rejected',
} as const

/** What is told to whoever listens when a row has come to where it is now. */
export function eventOf(row: Outgoing): Told | undefined {
  const news = newsByStatus[statusOf(row.state)]
  return news && toldOf(row, news)
}

/** The same when it is made, whatever it begins as: once, even if it has to begin again. */
export function requestedEventOf(row: Outgoing): Told | undefined {
  return toldOf(row, 'requested')
}

type News = 'requested' | NonNullable<(typeof newsByStatus)[Status]>

function toldOf(row: Outgoing, news: News): Told | undefined {
  if (row.kind === 'sponsorship') return undefined
  const kind = `wallet.${row.kind}.${news}` as const
  return row.kind === 'transfer'
    ? { kind, data: { transferRequest: transferOf(row) } }
    : { kind, data: { transactionRequest: transactionOf(row) } }
}

function detailsOf(row: Outgoing): Pick<Transaction, 'details'> {
  const details = {
    ...optional('nonce', row.slot),
    ...optional('waiting', row.waiting),
    ...optional('blockNumber', row.block_number),
  }
  return Object.keys(details).length === 0 ? {} : { details }
}

function bodyOf(row: Outgoing): Transaction['requestBody'] {
  const { evidence, replacement } = row
  if (replacement !== null) return replacementOf(row, replacement)
  const body = parseJson(decodeEvidence(evidence).payload)
  const kind = isObject(body) ? body['kind'] : undefined
  if (!isObject(body) || typeof kind !== 'string') throw new TypeError('a request has a kind')
  return { ...body, kind }
}

/** The hash is that of what it replaces: the one that it has itself stands where every hash stands. */
function replacementOf(
  { replaces_hash, signed }: Outgoing,
  replacement: NonNullable<Outgoing['replacement']>,
): Transaction['requestBody'] {
  return {
    kind: replacement === 'cancellation' ? 'CancelTransaction' : 'SpeedUpTransaction',
    ...optional('txHash', replaces_hash),
    signedTx: signed === null ? '' : `0x${toHex(signed)}`,
  }
}

function optional<const N extends string, T>(name: N, value: T | null): { readonly [K in N]?: T } {
  if (value === null) return {}
  const member: Partial<Record<N, T>> = {}
  member[name] = value
  return member
}

function isoDateOf(at: number | null): string | null {
  return at === null ? null : isoDate(at)
}

function isoDate(at: number): string {
  return new Date(at).toISOString()
}
