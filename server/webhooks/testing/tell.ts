import { deliver, type DeliverDeps } from '../deliver.ts'
import { dispatchEvents } from '../dispatch.ts'
import { leaseDeliveries } from '../lease.ts'

/** Everything that is due now, one after the other, as the worker of a server does it. */
export async function tellAll(deps: DeliverDeps): Promise<void> {
  const { database, now } = deps
  while ((await dispatchEvents(database, now())) > 0);
  for (;;) {
    const [row] = await leaseDeliveries(database, { count: 1, now: now() })
    if (row === undefined) return
    await deliver(deps, row)
  }
}
