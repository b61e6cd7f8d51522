import { randomBytes, sign } from 'node:crypto'
import { toBase64url, toUtf8 } from '@quorate/core/bytes'
import { sha256 } from '@quorate/core/hash'
import { clientDataFor } from '../client-data.ts'
import { fingerprintOf, type Assertion } from '../credential.ts'
import { commitTo, completionHash, encodePreimage, requestHash, type Preimage } from '../request.ts'
import type { WholeEvidence } from '../step.ts'
import { t0, type Person } from './world.ts'

/** A challenge over nothing, as a server gives it to somebody whom nobody has signed for. */
export type Opened = { readonly preimage: Uint8Array; readonly salt: Uint8Array }

export function openCompletion(
  asked: Pick<Preimage, 'organization' | 'user' | 'purpose' | 'path'> & Partial<Preimage>,
): Opened {
  const salt = new Uint8Array(randomBytes(32))
  const preimage = encodePreimage({
    ...{ token: undefined, method: 'POST', verification: 'none', subjects: [], maxFee: undefined },
    ...{ ...commitTo('', salt), nonce: new Uint8Array(randomBytes(32)), issuedAt: t0 },
    ...{ signBefore: t0 + 15 * 60_000, executeBefore: t0 + 15 * 60_000, ...asked },
  })
  return { preimage, salt }
}

/** What was brought to it. */
export function completed({ preimage, salt }: Opened, body: unknown): WholeEvidence {
  const payload = JSON.stringify(body)
  return { preimage, payload, salt, assertions: [], facts: new Uint8Array() }
}

/** The same, with this key's word for all of it. */
export function signedBy(
  { key, spki }: Pick<Person, 'key' | 'spki'>,
  ended: WholeEvidence,
): WholeEvidence {
  const request = completionHash(requestHash(ended.preimage), sha256(toUtf8(ended.payload)))
  const clientData = clientDataFor(toBase64url(request))
  const algorithm = key.asymmetricKeyType === 'ed25519' ? null : 'sha256'
  const assertion: Assertion = {
    fingerprint: fingerprintOf(spki),
    clientData,
    signature: new Uint8Array(sign(algorithm, clientData, key)),
    authenticatorData: undefined,
  }
  return { ...ended, assertions: [assertion] }
}
