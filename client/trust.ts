import { equalBytes, fromHex, toHex } from '@quorate/core/bytes'
import { idOf, nameOf } from '@quorate/core/id'
import { isObject, parseJson } from '@quorate/core/json'
import { verifyEd25519 } from '@quorate/authority/ed25519'
import { readManifest, type Manifest } from '@quorate/authority/manifest'
import { networksOf } from '@quorate/judge/networks'
import { commitTo, decodePreimage, requestHash } from '@quorate/authority/request'

/** What a server says about an organization's beginning, all of it checked. Hex throughout. */
export type TrustAnswer = {
  readonly preimage: string
  readonly payload: string
  readonly salt: string
  readonly manifest: string
}

export type Trust = {
  readonly organization: Uint8Array
  readonly orgId: string
  readonly manifest: Manifest
}

/** Something that was said does not follow from the pinned genesis. */
export class Untrusted extends Error {
  override readonly name = 'Untrusted'
}

/**
 * From the genesis to the signers' keys: the genesis is the hash of a request, the request commits
 * to its payload, and the payload names the manifest by its hash.
 *
 * @param genesis the 32 bytes, as hex, that were pinned when the organization was made
 * @throws Untrusted
 * @throws Error for a manifest that nobody may begin with
 */
export function trustFrom(genesis: string, answer: TrustAnswer): Trust {
  const request = fromHex(genesis)
  const encoded = fromHex(answer.preimage)
  if (!equalBytes(requestHash(encoded), request)) throw new Untrusted('Another genesis.')
  const preimage = decodePreimage(encoded)
  const committed = commitTo(answer.payload, fromHex(answer.salt))
  if (preimage.purpose !== 'genesis' || !equalBytes(committed.payload, preimage.payload))
    throw new Untrusted('The genesis says something else.')
  const body = parseJson(answer.payload)
  const manifest = readManifest(fromHex(answer.manifest), verifyEd25519)
  if (!isObject(body) || body['manifest'] !== toHex(manifest.hash))
    throw new Untrusted('The genesis names another cluster.')
  networksOf(manifest)
  const organization = idOf(request, 'organization')
  return { organization, orgId: nameOf('organization', organization), manifest }
}
