import { encode } from '@quorate/core/codec'
import { rootQuorumCodec, settingsCodec } from '@quorate/authority/settings'
import type { DatabaseTransaction } from '../database/database.ts'
import type { Applied } from '../orgs/apply.ts'
import { replaceOrigins } from './origins.ts'

/** A proposal is a row until it is in force. */
export async function addProposal(
  transaction: DatabaseTransaction,
  { organization, item, time }: Applied,
): Promise<void> {
  if (item.operation.kind !== 'settings') throw new TypeError('not a change of settings')
  const { proposal, settings, rootQuorum, inForce } = item.operation
  await transaction
    .deleteFrom('settings_proposals')
    .where('organization', '=', organization)
    .where('proposal', '=', proposal)
    .execute()
  if (inForce === 'yes') return replaceOrigins(transaction, organization, settings)
  await transaction
    .insertInto('settings_proposals')
    .values({
      ...{ organization, proposal, created_at: time },
      settings: encode(settingsCodec, settings),
      root_quorum: encode(rootQuorumCodec, rootQuorum),
    })
    .execute()
}
