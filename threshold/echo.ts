import { equalBytes, toUtf8 } from '@quorate/core/bytes'
import { hashOf } from '@quorate/core/hash'
import type { Abort, Party } from './session.ts'

/**
 * Echo broadcast (Goldwasser and Lindell 2005, broadcast with abort). Every message of
 * round r + 1 carries the hash of all broadcasts of round r, the sender's own among them. Two
 * parties who were told different things by somebody cannot both go on.
 */
export function echoOf(
  sid: Uint8Array,
  round: number,
  broadcasts: ReadonlyMap<Party, Uint8Array>,
): Uint8Array {
  const inOrder = [...broadcasts].sort(([a], [b]) => a - b)
  const parts = inOrder.flatMap(([party, body]) => [toUtf8(String(party)), body])
  return hashOf('quorate/echo/v1', sid, toUtf8(String(round)), ...parts)
}

/**
 * Nobody is named: whether the echoing peer lies or a third party told two stories shows only in
 * the signed bodies, which the runner keeps.
 */
export function echoMismatch(
  own: Uint8Array,
  received: ReadonlyMap<Party, Uint8Array>,
): Abort | undefined {
  const agree = [...received.values()].every((echo) => equalBytes(echo, own))
  return agree ? undefined : { reason: 'echo mismatch', culprits: [], burned: [] }
}
