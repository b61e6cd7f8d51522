import { fromUtf8 } from '@quorate/core/bytes'
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
