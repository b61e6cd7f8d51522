import type { RootItem } from '@quorate/authority/operations/operation'
import type { Evidence } from '@quorate/authority/step'
import type { StreamId } from '@quorate/authority/stream'
import type { RawRequest } from '../http/route.ts'
import { applyRoot } from '../orgs/apply.ts'
import type { Caller } from './caller.ts'
import { carryOut, type CarryOutDeps, type Errand } from './carry-out.ts'
import type { InForce, Log, SettledKind } from './log.ts'
import type { SignedAction } from './use-action.ts'

export type SettleDeps = CarryOutDeps & { readonly log: Log }

export type Settled = { readonly action: SignedAction; readonly inForce: InForce }

export type SettleItem = Pick<Errand, 'check' | 'claim' | 'giveBack' | 'isHeld'> & {
  readonly kind: SettledKind
  /** The root unless said. */
  readonly stream?: StreamId
  /** What the item rests on besides, made after the action is burned. */
  readonly factsOf?: (action: SignedAction) => Promise<Uint8Array>
}

/**
 * From a signed request to what it has changed: burns the user action, puts the item in force and
 * makes its rows. A server that dies on the way has left nothing half done: rows are made of what is
 * in force alone, at the next start if need be, and the same request again is answered as the first
 * would have been, whether it stands already or not.
 */
export async function settleSigned(
  deps: SettleDeps,
  caller: Caller,
  raw: RawRequest,
  item: SettleItem,
): Promise<Settled> {
  const { database, log } = deps
  const { organization } = caller
  const { kind, stream, factsOf, ...errand } = item
  const at = stream === undefined ? {} : { stream }
  return carryOut(deps, caller, raw, {
    ...errand,
    work: async (action) => {
      const facts = (await factsOf?.(action)) ?? new Uint8Array()
      const evidence = action.evidence(facts)
      const inForce = await log.settle({ organization, kind, ...at, evidence })
      await applyRoot(database, organization)
      return { action, inForce }
    },
  })
}

/** The same for the end of an unsigned way: nothing was burned that could be given back. */
export async function settleCompleted(
  { database, log }: Pick<SettleDeps, 'database' | 'log'>,
  ask: {
    readonly organization: Uint8Array
    readonly kind: RootItem
    readonly evidence: Evidence
  },
): Promise<InForce> {
  const inForce = await log.settle(ask)
  await applyRoot(database, ask.organization)
  return inForce
}
