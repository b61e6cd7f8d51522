import { nameOf } from '@quorate/core/id'
import { isObject, parseJson } from '@quorate/core/json'
import { decodeEvidence } from '@quorate/authority/step'
import { getKeySignature, getWalletSignature } from '@quorate/api/signatures'
import type { IdentityTables } from '../auth/tables.ts'
import type { SignatureResult } from './signature.ts'

export type SignatureRow = IdentityTables['signature_requests']

/** A signature request as the API and its events give it. */
export function signatureOf(row: SignatureRow) {
  const body = parseJson(decodeEvidence(row.evidence).payload)
  if (!isObject(body) || typeof body['kind'] !== 'string')
    throw new TypeError('the body was checked before it was signed')
  const { kind, ...rest } = body
  const result: Partial<SignatureResult> = row.result === null ? {} : JSON.parse(row.result)
  const { signature, signatures, signedData } = result
  return {
    id: row.signature_id,
    keyId: nameOf('key', row.key),
    ...(row.network === null ? {} : { network: row.network }),
    requester: {
      userId: row.user_id,
      ...(row.token_id === null ? {} : { tokenId: row.token_id }),
    },
    requestBody: { kind, ...rest },
    status: row.status,
    ...(row.reason === null ? {} : { reason: row.reason }),
    ...(signature === undefined ? {} : { signature }),
    ...(signatures === undefined ? {} : { signatures: [...signatures] }),
    ...(signedData === undefined ? {} : { signedData }),
    ...(row.approval_id === null ? {} : { approvalId: row.approval_id }),
    ...(row.external_id === null ? {} : { externalId: row.external_id }),
    dateRequested: new Date(row.requested_at).toISOString(),
    ...(row.policy_resolved_at === null
      ? {}
      : { datePolicyResolved: new Date(row.policy_resolved_at).toISOString() }),
    ...(row.signed_at === null ? {} : { dateSigned: new Date(row.signed_at).toISOString() }),
  }
}

export function walletSignatureOf(row: SignatureRow) {
  if (row.wallet === null || row.network === null) throw new TypeError('signed by a wallet')
  const walletId = nameOf('wallet', row.wallet)
  return { ...signatureOf(row), walletId, network: row.network }
}

/** For events, which know both kinds, as each is read. */
export function anySignatureOf(row: SignatureRow): unknown {
  return row.wallet === null
    ? getKeySignature.returns.parse(signatureOf(row))
    : getWalletSignature.returns.parse(walletSignatureOf(row))
}
