import { decodeBody } from '@quorate/authority/body'
import type { Scheme } from '@quorate/authority/key-certificate'
import { isSigning, type SigningOperation } from '@quorate/authority/step'
import { Failure } from '@quorate/core/failure'

import type { Database } from '../database/database.ts'
import { type Signature, signatureBytes, signatureFrom } from './signing.ts'
import { evidenceAt, type Standing } from './streams.ts'

export type Signed = {
  /** Hash of the step in which the use stands. */
  readonly step: Uint8Array
  readonly seq: number
  /** One for each digest. */
  readonly signatures: readonly Signature[]
  readonly digests: readonly Uint8Array[]
  readonly slot: bigint | undefined
  readonly network: string
  /** As they were agreed on, whatever a later ask says. */
  readonly facts: Uint8Array
}

type Use = { readonly standing: Standing; readonly request: Uint8Array }

/** Writes down what the signers have made of a use: whoever asks again is given the same. */
export async function keepSignatures(
  database: Database,
  { standing, request }: Use,
  signatures: readonly Signature[],
): Promise<Signed> {
  const { organization } = standing.place
  // A derivation is a secret of whoever asked for it: asked for again, it is made again.
  const lasting = signatures.filter(({ scheme }) => scheme !== 'DH')
  if (lasting.length === 0) return signedOf(standing, signatures)
  const rows = lasting.map((signature, digest) => ({
    organization,
    request,
    digest,
    signature: signatureBytes(signature),
    recovery: signature.scheme === 'ECDSA' ? signature.recid : null,
  }))
  await database
    .insertInto('signatures')
    .values(rows)
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  return signedOf(standing, signatures)
}

/** @returns nothing unless all that the use signs is there */
export async function keptSignatures(
  database: Database,
  scheme: Scheme,
  { standing, request }: Use,
): Promise<Signed | undefined> {
  const { organization } = standing.place
  const rows = await database
    .selectFrom('signatures')
    .select(['signature', 'recovery'])
    .where('organization', '=', organization)
    .where('request', '=', request)
    .orderBy('digest')
    .execute()
  if (rows.length < useOf(standing).digests.length) return undefined
  const signatures = rows.map((row) => signatureFrom(scheme, row.signature, row.recovery))
  return signedOf(standing, signatures)
}

function signedOf(standing: Standing, signatures: readonly Signature[]): Signed {
  const { digests, slot, network } = useOf(standing)
  const { hash: step, seq } = standing.step
  return { step, seq, signatures, digests, slot, network, facts: evidenceAt(standing).facts }
}

/** @throws Failure `request.refused` when the request has been used for something else */
function useOf({ step, item }: Standing): SigningOperation {
  const operation = decodeBody(step.body).step.items[item]?.operation
  if (operation !== undefined && isSigning(operation)) return operation
  throw new Failure('request.refused', { reason: 'the request is no use of a key' })
}
