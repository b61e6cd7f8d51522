import { toHex } from '@quorate/core/bytes'
import { encode } from '@quorate/core/codec'
import { decodeBody } from '@quorate/authority/body'
import {
  decodeRecord,
  keyTable,
  recordKey,
  walletsPerKeyMax,
  walletTable,
} from '@quorate/authority/records'
import { encodeStep } from '@quorate/authority/step'
import { rootOf, streamCodec } from '@quorate/authority/stream'
import type { Database } from '../database/database.ts'
import type { WalletRow } from './find.ts'

type Named = Pick<WalletRow, 'organization' | 'id' | 'key'>

/** A key changes with each of its wallets, and when it is delegated and archived. */
const keyVersionsMax = walletsPerKeyMax + 2

/**
 * The steps in which the wallet and its key came into force, and the one in which the key was
 * delegated if that was later. Nobody needs to believe them.
 */
export async function proofOf(database: Database, named: Named) {
  const { organization, id, key } = named
  const [wallet] = await versionsOf(database, organization, recordKey(walletTable, id))
  const keys = await versionsOf(database, organization, recordKey(keyTable, key))
  const delegated = keys.find(({ value }) => decodeRecord(keyTable, value).owner !== undefined)
  const seqs = [wallet, keys[0], delegated].flatMap((version) => (version ? [version.seq] : []))
  const rows = await database
    .selectFrom('steps')
    .select(['body', 'certificate'])
    .where('organization', '=', organization)
    .where('stream', '=', encode(streamCodec, rootOf(organization)))
    .where('seq', 'in', [...new Set(seqs)])
    .execute()
  return {
    steps: rows.map(({ body, certificate }) => ({
      step: toHex(encodeStep(decodeBody(body).step)),
      certificate: toHex(certificate),
    })),
  }
}

/** Oldest first. */
function versionsOf(database: Database, organization: Uint8Array, name: string) {
  return database
    .selectFrom('records')
    .select(['seq', 'value'])
    .where('organization', '=', organization)
    .where('stream', '=', encode(streamCodec, rootOf(organization)))
    .where('name', '=', name)
    .orderBy('seq')
    .limit(keyVersionsMax)
    .execute()
}
