import { isDeepStrictEqual } from 'node:util'

import { isFailure } from '@quorate/core/failure'
import { parseJson } from '@quorate/core/json'
import type { Json } from '@quorate/core/json'

export type SignedRequest = {
  readonly method: string
  /** With or without a query: official clients sign both ways. */
  readonly path: string
  readonly payload: string
}
export type ActualRequest = {
  readonly method: string
  /** Path and query, as on the wire. */
  readonly url: string
  readonly body: string
}

/**
 * Whether a request is the one that was signed, with the tolerance that official clients need: an
 * unsigned query is ignored, a signed one is not; a body may be spelled differently; no body, an
 * empty one and `{}` are one. Harmless, since the payload that was signed is what is acted upon.
 */
export function matchesSignedRequest({
  signed,
  actual,
}: {
  readonly signed: SignedRequest
  readonly actual: ActualRequest
}): boolean {
  return (
    signed.method === actual.method &&
    isSamePath(signed.path, actual.url) &&
    isSameBody(signed.payload, actual.body)
  )
}

function isSamePath(path: string, url: string): boolean {
  return path.includes('?') ? path === url : path === url.split('?', 1)[0]
}

function isSameBody(a: string, b: string): boolean {
  if (a === b) return true
  const left = valueOf(a)
  const right = valueOf(b)
  return left !== undefined && right !== undefined && isDeepStrictEqual(left, right)
}

/** Undefined for what cannot be read: that equals nothing. */
function valueOf(text: string): Json | undefined {
  try {
    return text === '' ? {} : parseJson(text)
  } catch (error) {
    if (isFailure(error, 'json.malformed')) return undefined
    throw error
  }
}
