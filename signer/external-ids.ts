import { randomBytes } from 'node:crypto'
import type { Body } from '@quorate/authority/body'
import type { Judgement } from '@quorate/authority/agreement/voter'
import { matchOperation } from '@quorate/authority/operations'
import { decodePreimage, requestHash } from '@quorate/authority/request'
import type { Evidence } from '@quorate/authority/step'
import { streamName } from '@quorate/authority/stream'
import { equalBytes, toUtf8 } from '@quorate/core/bytes'
import { hmacSha256, transcript } from '@quorate/core/hash'
import { isObject, parseJson } from '@quorate/core/json'
import type { KeyEncryption } from './kek.ts'
import type { Place, Store } from './store/store.ts'

/**
 * A client that is told of a failure that was none retries under the same `externalId`, with a
 * request that is as validly signed as the first: paid twice (steps.md section 3). So each signer
 * remembers which request an external id was used for, under a key of its own, since such an id may
 * be a name or a mail address.
 */
export type ExternalIds = {
  readonly judge: (place: Place, body: Body) => Judgement
  readonly keep: (place: Place, body: Body) => void
}

const associated = toUtf8('quorate/external-id-key/1')

export function externalIdsOf(store: Store, kek: KeyEncryption): ExternalIds {
  const key = keyIn(store, kek)
  const tagged = (place: Place, { step, evidence }: Body) =>
    evidence.flatMap((one, item) => {
      // Whoever pays for others sees the ids of many wallets, each with its own: theirs are judged there.
      const isOwn = place.stream.kind === 'key' && step.items[item]?.cause.kind !== 'rule'
      const tag = isOwn ? tagOf(key, place, one) : undefined
      return tag === undefined ? [] : [{ item, tag, request: requestHash(one.preimage) }]
    })
  return {
    judge(place, body) {
      const seen = new Map<string, Uint8Array>()
      for (const { item, tag, request } of tagged(place, body)) {
        const name = tag.join()
        const known = seen.get(name) ?? store.memory.externalId(tag)
        if (known !== undefined && !equalBytes(known, request))
          return { ok: false, item, detail: 'the external id stands for another request' }
        seen.set(name, request)
      }
      return { ok: true }
    },
    keep(place, body) {
      for (const { tag, request } of tagged(place, body)) store.memory.keepExternalId(tag, request)
    },
  }
}

/** Nothing when the request carries no external id. */
function tagOf(key: Uint8Array, { stream }: Place, evidence: Evidence): Uint8Array | undefined {
  const body = evidence.payload === '' ? {} : parseJson(evidence.payload)
  const externalId = isObject(body) ? body['externalId'] : undefined
  if (typeof externalId !== 'string') return undefined
  const { method, path } = decodePreimage(evidence.preimage)
  const endpoint = matchOperation(method, path)?.name ?? ''
  return hmacSha256(
    key,
    transcript(
      'quorate/external-id/1',
      toUtf8(streamName(stream)),
      toUtf8(endpoint),
      toUtf8(externalId),
    ),
  )
}

/** @throws Error when the key-encryption key is not the one that this store was begun with */
function keyIn(store: Store, kek: KeyEncryption): Uint8Array {
  const kept = store.memory.bytes('external-id-key')
  if (kept === undefined) {
    const key = new Uint8Array(randomBytes(32))
    store.commit(() => store.memory.setBytes('external-id-key', kek.wrap(key, associated)))
    return key
  }
  const key = kek.unwrap(kept, associated)
  if (key === undefined) throw new Error('Cannot start: the store was sealed under another key.')
  return key
}
