import { Failure } from '@quorate/core/failure'
import { idOf, nameOf } from '@quorate/core/id'
import { encodeEvidence } from '@quorate/authority/step'
import { noFacts } from '@quorate/effects/facts'
import { findNetwork, type Scheme } from '@quorate/effects/networks'
import { factsNeeded, plan } from '@quorate/effects/plan'
import { requesterOf, type Caller } from '../auth/caller.ts'
import { useAction, type SignedAction } from '../auth/use-action.ts'
import { inTransaction } from '../database/database.ts'
import { claimExternalId, fingerprintOfRequest } from '../external-id.ts'
import type { RawRequest } from '../http/route.ts'
import { recordEvent } from '../outbox.ts'
import { anySignatureOf, type SignatureRow } from './entity.ts'
import { execute, type ExecuteDeps } from './execute.ts'
import { findSignature } from './find.ts'
import { intentOf, networkOf, type Signing } from './signature.ts'

/** What is to sign: a key by itself, or through a wallet and then on the wallet's network. */
export type SignWith = {
  readonly key: Uint8Array
  readonly scheme: Scheme
  readonly curve: Signing['curve']
  readonly public_key: Uint8Array
  readonly wallet?: { readonly id: Uint8Array; readonly network: string }
}

/** The request is written down before any signer hears of it; the answer has the signature. */
export async function requestSignature(
  deps: ExecuteDeps,
  caller: Caller,
  raw: RawRequest,
  signWith: SignWith,
): Promise<SignatureRow> {
  const row = await inTransaction(deps.database, async (transaction) => {
    const action = await useAction(transaction, caller, raw, deps.now())
    const { path } = action.preimage
    const intent = checkSignable(action.payload, signWith)
    const made = newRow(caller, signWith, {
      ...action,
      externalId: intent.externalId,
      now: deps.now(),
    })
    if (intent.externalId !== undefined) {
      const first = await claimExternalId(transaction, {
        ...{ caller, kind: 'signature' },
        externalId: intent.externalId,
        fingerprint: fingerprintOfRequest(path, action.payload),
        id: made.signature_id,
      })
      if (first !== undefined) return findSignature(transaction, caller, first.duplicateOf)
    }
    await transaction.insertInto('signature_requests').values(made).execute()
    await recordEvent(transaction, {
      organization: caller.organization,
      kind: 'wallet.signature.requested',
      data: { signatureRequest: anySignatureOf(made) },
      at: deps.now(),
    })
    return made
  })
  return execute(deps, row)
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
    status: 'Executing',
    reason: null,
    result: null,
    requested_at: made.now,
    signed_at: null,
  }
}

/** What the rules would refuse is better refused before a request is made of it. */
function checkSignable(payload: string, { scheme, curve, public_key, wallet }: SignWith) {
  const intent = intentOf(payload)
  const network =
    (wallet === undefined ? undefined : findNetwork(wallet.network)) ??
    networkOf(intent, { scheme, curve })
  const signing: Signing = { network, scheme, curve, publicKey: public_key, intent }
  if (factsNeeded(network, intent) !== 'none') return intent
  const planned = plan({ ...signing, facts: noFacts })
  if (!planned.ok) throw new Failure('request.unsupported', { reason: planned.reason })
  if (planned.effect.raw && !network.rawAllowed)
    throw new Failure('request.refused', { reason: `raw bytes are not signed on ${network.id}` })
  return intent
}
