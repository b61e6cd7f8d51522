import type { Database } from '../../database/database.ts'
import { deliver, type DeliverDeps } from '../deliver.ts'
import { dispatchEvents } from '../dispatch.ts'
import { findWaiting, leaseDeliveries, wakeDeliveries } from '../lease.ts'
import type { Delivery } from '../tables.ts'

/** Everything that is due now, one after the other, as the worker of a server does it. */
export async function tellAll(deps: DeliverDeps): Promise<void> {
  const { database, now } = deps
  while ((await dispatchEvents(database, now())) > 0);
  for (;;) {
    const rows = await takeReady(database, now(), 1)
    if (rows.length === 0) return
    for (const row of rows) await deliver(deps, row)
  }
}

/** @param count of each webhook, at most */
export async function takeReady(
  database: Database,
  now: number,
  count: number,
): Promise<readonly Delivery[]> {
  await wakeDeliveries(database, now)
  const waiting = await findWaiting(database)
  return leaseDeliveries(
    database,
    waiting.map((one) => ({ ...one, count })),
    now,
  )
}
