import { fromBase64url, fromUtf8 } from '@quorate/core/bytes'
import { isFailure } from '@quorate/core/failure'
import { nameOf } from '@quorate/core/id'
import { isObject, parseJson } from '@quorate/core/json'
import type { Preimage } from '@quorate/authority/request'
import { Misled } from './check-request.ts'

/** Whom an auth token speaks for. */
export type Bearer = {
  readonly userId: string
  /** Only of a long-lived token, which is itself in the log. */
  readonly tokenId: string | undefined
}

const metadataClaim = 'https://custom/app_metadata'

/**
 * What the token says of itself, unverified: it was handed to the caller, who now wants to know
 * whether later words of the server fit it.
 *
 * @throws Misled
 */
export function bearerOf(authToken: string): Bearer {
  const claims = claimsOf(authToken.split('.')[1] ?? '')
  const metadata = isObject(claims) ? claims[metadataClaim] : undefined
  const { userId, tokenKind, tokenId } = isObject(metadata) ? metadata : {}
  if (typeof userId !== 'string') throw new Misled('The token names no user.')
  const isState = tokenKind === 'ServiceAccount' || tokenKind === 'Pat'
  if (isState && typeof tokenId !== 'string') throw new Misled('The token does not name itself.')
  return { userId, tokenId: isState && typeof tokenId === 'string' ? tokenId : undefined }
}

/** @throws Misled when the request would be another's, or of another of his tokens */
export function checkBearer({ user, token }: Preimage, { userId, tokenId }: Bearer): void {
  const isHis =
    user !== undefined &&
    nameOf('user', user) === userId &&
    (token === undefined ? undefined : nameOf('token', token.id)) === tokenId
  if (!isHis) throw new Misled('The challenge is for another user or token.')
}

function claimsOf(encoded: string) {
  try {
    return parseJson(fromUtf8(fromBase64url(encoded)))
  } catch (error) {
    if (isFailure(error)) throw new Misled('The token cannot be read.', { cause: error })
    throw error
  }
}
