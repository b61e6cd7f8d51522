import * as api from '@quorate/api/genesis'
import { getTrust } from '@quorate/api/trust'
import type { Caller } from '../auth/caller.ts'
import { routing, type Route } from '../http/route.ts'
import { finishGenesis, startGenesis, type GenesisDeps } from './genesis.ts'
import { trustOf } from './trust.ts'

const { route } = routing<Caller>()

export function organizationRoutes(
  deps: GenesisDeps & { readonly manifestFile: Uint8Array },
): readonly Route<Caller>[] {
  return [
    route(api.startGenesis, async ({ body }) => startGenesis(deps, body.payload)),
    route(api.finishGenesis, async ({ body }) => finishGenesis(deps, body)),
    route(getTrust, async ({ caller }) => trustOf(deps, caller.organization)),
  ]
}
