import { toHex } from '@quorate/core/bytes'
import { encode } from '@quorate/core/codec'
import { decodeBody } from '@quorate/authority/body'
import { keyTable, recordKey, walletTable } from '@quorate/authority/records'
import { encodeStep } from '@quorate/authority/step'
import { rootOf, streamCodec } from '@quorate/authority/stream'
import type { Database } from '../database/database.ts'
import type { WalletRow } from './find.ts'

/** The steps in which the wallet and its key came into force. Nobody needs to believe them. */
export async function proofOf(
  database: Database,
  { organization, id, key }: Pick<WalletRow, 'organization' | 'id' | 'key'>,
) {
  const stream = encode(streamCodec, rootOf(organization))
  const first = async (name: string) => {
    const { seq } = await database
      .selectFrom('records')
      .select('seq')
      .where('organization', '=', organization)
      .where('stream', '=', stream)
      .where('name', '=', name)
      .orderBy('seq')
      .limit(1)
      .executeTakeFirstOrThrow()
    return seq
  }
  const seqs = [await first(recordKey(walletTable, id)), await first(recordKey(keyTable, key))]
  const rows = await database
    .selectFrom('steps')
    .select(['body', 'certificate'])
    .where('organization', '=', organization)
    .where('stream', '=', stream)
    .where('seq', 'in', [...new Set(seqs)])
    .execute()
  return {
    steps: rows.map(({ body, certificate }) => ({
      step: toHex(encodeStep(decodeBody(body).step)),
      certificate: toHex(certificate),
    })),
  }
}
