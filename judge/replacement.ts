import { isFailure } from '@quorate/core/failure'
import { isObject, parseJson } from '@quorate/core/json'
import { readOriginal, type Original } from '@quorate/authority/original'
import type { Facts } from '@quorate/effects/facts'
import { readIntent, type UseOperation } from '@quorate/effects/intent'
import type { ReplacementIntent } from '@quorate/effects/replacement'

const kinds: Readonly<Record<string, ReplacementIntent['kind']>> = {
  'wallets.speedUpTransfer': 'speedUp',
  'wallets.speedUpTransaction': 'speedUp',
  'wallets.cancelTransfer': 'cancellation',
  'wallets.cancelTransaction': 'cancellation',
}
const originals: Readonly<Record<string, Extract<UseOperation, 'transfer' | 'transaction'>>> = {
  'wallets.transferAsset': 'transfer',
  'wallets.broadcastTransaction': 'transaction',
}

export type ReadReplacement =
  | {
      readonly ok: true
      readonly intent: ReplacementIntent
      /** The request whose effect it has, if it has any. */
      readonly effect: Uint8Array | undefined
    }
  | { readonly ok: false; readonly reason: string }

/**
 * Of a request that only takes the place of another one. What that one was is in the facts, as its
 * user has signed it: the server cannot make another one of it.
 *
 * @returns nothing for any other request
 */
export function readReplacement(
  { operation, payload }: { readonly operation: string; readonly payload: string },
  facts: Facts,
): ReadReplacement | undefined {
  const kind = Object.hasOwn(kinds, operation) ? kinds[operation] : undefined
  if (kind === undefined) return undefined
  if (!isEmpty(payload)) return refused('a replacement says nothing of its own')
  const encoded = facts.family === 'evm' ? facts.original : undefined
  if (encoded === undefined)
    return {
      ...{ ok: true, effect: undefined },
      intent: kind === 'speedUp' ? { kind, original: undefined } : { kind },
    }
  if (kind === 'cancellation') return refused('a cancellation has no effect of another one')
  const original = originalIn(encoded)
  if (original === undefined) return refused('the original is not what was signed')
  const wanted = Object.hasOwn(originals, original.operation)
    ? originals[original.operation]
    : undefined
  if (wanted === undefined) return refused('the original is no transaction')
  const read = readIntent(wanted, original.payload)
  if (!read.ok) return refused(read.reason)
  if (read.intent.kind !== 'transfer' && read.intent.kind !== 'transaction')
    return refused('the original is no transaction')
  return { ok: true, intent: { kind, original: read.intent }, effect: original.request }
}

function isEmpty(payload: string): boolean {
  const body = parseJson(payload)
  return isObject(body) && Object.keys(body).length === 0
}

function originalIn(encoded: Uint8Array): Original | undefined {
  try {
    return readOriginal(encoded)
  } catch (error) {
    if (isFailure(error, 'bytes.malformed') || isFailure(error, 'json.malformed')) return undefined
    throw error
  }
}

function refused(reason: string): ReadReplacement {
  return { ok: false, reason }
}
