import { toBase64url, toUtf8 } from '@quorate/core/bytes'
import { readClientData } from '../client-data.ts'

export type PasskeyClientData = {
  readonly type: 'webauthn.create' | 'webauthn.get'
  /** The 43 characters of the request. */
  readonly challenge: string
}

/**
 * The origin of a page that asked for exactly this (Web Authentication, section 5.8.1). The
 * official SDK hands the challenge's characters to the browser, which encodes them once more. A
 * page in a frame of another site is refused: nobody can see who is asking there.
 */
export function originOf(
  clientData: Uint8Array,
  { type, challenge }: PasskeyClientData,
): string | undefined {
  const read = readClientData(clientData)
  if (read === undefined || read['type'] !== type) return undefined
  if (read['challenge'] !== toBase64url(toUtf8(challenge))) return undefined
  const { origin, crossOrigin, topOrigin } = read
  const isFramed = (crossOrigin !== undefined && crossOrigin !== false) || topOrigin !== undefined
  return typeof origin === 'string' && !isFramed ? origin : undefined
}
