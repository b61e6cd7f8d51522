import { fromUtf8, toBase64url, toHex, toUtf8 } from '@quorate/core/bytes'
import { isObject, parseJson, type JsonObject } from '@quorate/core/json'
import { attempt } from './attempt.ts'

export const clientDataBytesMax = 4096

/**
 * The JSON object that every credential signs, one way or another. Its members stand in any order
 * and strangers are ignored: browsers add some on purpose (Web Authentication, section 5.8.1).
 */
export function readClientData(
  clientData: Uint8Array,
  bytesMax = clientDataBytesMax,
): JsonObject | undefined {
  if (clientData.length > bytesMax) return undefined
  const value = attempt(() => parseJson(fromUtf8(clientData)))
  return isObject(value) ? value : undefined
}

/** What a Key credential's owner signs: used by clients and tests. */
export function clientDataFor(challenge: string): Uint8Array {
  return toUtf8(JSON.stringify({ type: 'key.get', challenge }))
}

/** The same from a client that has looked at the request whose challenge it is. */
export function checkedClientDataFor(request: Uint8Array): Uint8Array {
  const challenge = toBase64url(request)
  return toUtf8(JSON.stringify({ type: 'key.get', challenge, request: toHex(request) }))
}
