import type { Database, DatabaseTransaction } from '../database/database.ts'
import type { Outgoing } from '../transfers/tables.ts'

type Account = Pick<Outgoing, 'network' | 'address'>

/**
 * An account that is to be sponsored for the first time has signed for its own next nonce: any
 * transaction of its own that took it first would undo that. So nothing takes a slot meanwhile.
 *
 * @param mined the account's nonce by blocks: what was signed for a lower one is done with
 */
export async function isBeingDelegated(
  transaction: Database | DatabaseTransaction,
  { network, address }: Account,
  mined: bigint,
): Promise<boolean> {
  const found = await transaction
    .selectFrom('outgoing')
    .select('id')
    .where('network', '=', network)
    .where('address', '=', address)
    .where('delegation_nonce', '>=', Number(mined))
    // A node that is a block behind calls a nonce free that the newest one has used.
    .where('state', 'in', ['prepared', 'signed', 'broadcasted', 'included'])
    .limit(1)
    .executeTakeFirst()
  return found !== undefined
}

/** And the other way round: does a transaction of the account's own hold this nonce, or a later one? */
export async function isHeldFrom(
  transaction: DatabaseTransaction,
  { network, address }: Account,
  nonce: number,
): Promise<boolean> {
  const found = await transaction
    .selectFrom('slots')
    .select('slot')
    .where('network', '=', network)
    .where('address', '=', address)
    .where('slot', '>=', nonce)
    .limit(1)
    .executeTakeFirst()
  return found !== undefined
}
