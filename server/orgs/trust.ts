import { toHex } from '@quorate/core/bytes'
import { encode } from '@quorate/core/codec'
import { decodeBody } from '@quorate/authority/body'
import { rootOf, streamCodec } from '@quorate/authority/stream'
import type { Database } from '../database/database.ts'

/** The organization's first entry as it stands in the log. Nobody needs to believe it. */
export async function trustOf(
  { database, manifestFile }: { readonly database: Database; readonly manifestFile: Uint8Array },
  organization: Uint8Array,
) {
  const { body } = await database
    .selectFrom('steps')
    .select('body')
    .where('organization', '=', organization)
    .where('stream', '=', encode(streamCodec, rootOf(organization)))
    .where('seq', '=', 0)
    .executeTakeFirstOrThrow()
  const [genesis] = decodeBody(body).evidence
  if (genesis?.salt === undefined) throw new TypeError('an organization begins with its genesis')
  return {
    preimage: toHex(genesis.preimage),
    payload: genesis.payload,
    salt: toHex(genesis.salt),
    manifest: toHex(manifestFile),
  }
}
