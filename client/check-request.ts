import { equalBytes, fromBase64url, fromHex } from '@quorate/core/bytes'
import { matchOperation } from '@quorate/authority/operations'
import { standsInLine } from '@quorate/authority/operations/operation'
import {
  challengeOf,
  commitTo,
  decodePreimage,
  requestHash,
  type Preimage,
} from '@quorate/authority/request'

/** What a server answers to `POST /auth/action/init`, as far as it is checked. */
export type Challenge = {
  readonly challenge: string
  /** Base64url of the canonical pre-image. */
  readonly preimage: string
  /** Hex. */
  readonly salt: string
}

export type Asked = {
  readonly purpose: Preimage['purpose']
  readonly method: string
  /** As it will be sent, without query. */
  readonly path: string
  /** The exact JSON text that will be sent. */
  readonly payload: string
  /** Full id; nothing at genesis. */
  readonly organization: Uint8Array | undefined
}

/** The server's answer is not the request that was asked for: do not sign it. */
export class Misled extends Error {
  override readonly name = 'Misled'
}

/** A fresh challenge is not older, and gives its signature not longer, than this. */
const ageMsMax = 60_000
const signWithinMsMax = 15 * 60_000
/** What moves money may have to wait for a place on the chain, as long as the rules allow. */
const inLineMsMax = 60 * 60_000
/** What the rules allow a request to wait for its execution, from when it was issued. */
const executeWithinMsMax = 7 * 24 * 60 * 60_000

/**
 * Is signing this challenge signing what was asked, byte for byte, and nothing else?
 * @param now milliseconds since 1970, by the caller's own clock
 * @returns the pre-image, for what the server added to it: subjects and the bound on fees
 * @throws Misled
 */
export function checkChallenge(given: Challenge, asked: Asked, now: number): Preimage {
  const encoded = fromBase64url(given.preimage)
  if (challengeOf(encoded) !== given.challenge)
    throw new Misled('The challenge is not the hash of its pre-image.')
  const preimage = decodePreimage(encoded)
  const committed = commitTo(asked.payload, fromHex(given.salt))
  const isAsked =
    preimage.purpose === asked.purpose &&
    preimage.method === asked.method &&
    preimage.path === asked.path &&
    equalBytes(preimage.payload, committed.payload) &&
    equalBytes(preimage.fields, committed.fields) &&
    preimage.payloadLength === committed.payloadLength
  if (!isAsked) throw new Misled('The challenge is for another request.')
  const { organization } = preimage
  const isHome =
    asked.organization === undefined
      ? organization === undefined
      : organization !== undefined && equalBytes(organization, asked.organization)
  if (!isHome) throw new Misled('The challenge is for another organization.')
  if (
    Math.abs(now - preimage.issuedAt) > ageMsMax ||
    preimage.signBefore - preimage.issuedAt > withinMsMax(asked) ||
    preimage.executeBefore - now > executeWithinMsMax + ageMsMax
  )
    throw new Misled('The challenge is not of now.')
  return preimage
}

function withinMsMax({ method, path }: Asked): number {
  const match = matchOperation(method, path)
  return match !== undefined && standsInLine(match.operation) ? inLineMsMax : signWithinMsMax
}

/**
 * The one thing that a server adds and that costs money: what it may spend on fees.
 * @throws Misled when that is more than `maxFee`, in the smallest unit of the network's own asset
 */
export function checkFee(preimage: Preimage, maxFee: bigint): void {
  if (preimage.maxFee !== undefined && preimage.maxFee > maxFee)
    throw new Misled(`The challenge allows fees of ${preimage.maxFee}, above ${maxFee}.`)
}

/** The request's full hash: the ids of whatever it creates come from it. */
export function requestOf(given: Challenge): Uint8Array {
  return requestHash(fromBase64url(given.preimage))
}
