import type { Database } from '../database/database.ts'
import { leaseMs } from './lease.ts'
import type { Outgoing } from './tables.ts'
import type { WorkDeps } from './work.ts'

/** Nodes, signers and the database each have a limit of their own, and no step asks for so much. */
const keptMsMax = 120_000

export type Keeping = {
  readonly leaseMs?: number
  /** Whatever hangs for longer has neither its row nor its worker's place any more. */
  readonly keptMsMax?: number
}

/**
 * Keeps a row's lease while it is worked on, however long nodes and signers take. Who has lost it finds
 * out when he writes, and not here.
 * @param work is told how to look whether others may have it: without asking the database, since whoever stood still
 *   knows by his clock
 */
export async function keepingLease(
  { database, now, log }: Pick<WorkDeps, 'database' | 'now' | 'log'>,
  row: Outgoing,
  work: (isHeld: () => boolean) => Promise<void>,
  { leaseMs: lasting = leaseMs, keptMsMax: msMax = keptMsMax }: Keeping = {},
): Promise<void> {
  const { name: id, state } = row
  let heldUntil = row.lease_until
  const renew = async () => {
    const until = now() + lasting
    if (await renewLease(database, row, until)) heldUntil = until
  }
  const tryToRenew = () =>
    renew().catch((err: unknown) => log.warn({ err, id }, 'the lease of a row was not renewed'))
  const over = Promise.withResolvers<void>()
  const renewing = setInterval(() => void tryToRenew(), lasting / 3)
  const ending = setTimeout(() => {
    log.error({ id, state }, 'a row was at hand for too long, and is left to others')
    heldUntil = 0
    over.resolve()
  }, msMax)
  try {
    await Promise.race([work(() => now() < heldUntil), over.promise])
  } finally {
    clearInterval(renewing)
    clearTimeout(ending)
  }
}

async function renewLease(database: Database, row: Outgoing, until: number): Promise<boolean> {
  const { numUpdatedRows } = await database
    .updateTable('outgoing')
    .set({ lease_until: until })
    .where('organization', '=', row.organization)
    .where('id', '=', row.id)
    .where('lease_holder', '=', row.lease_holder)
    .executeTakeFirst()
  return numUpdatedRows > 0n
}
