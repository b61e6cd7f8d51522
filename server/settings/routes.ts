import * as api from '@quorate/api/settings'
import type { Manifest } from '@quorate/authority/manifest'
import { rootQuorumCodec, settingsCodec } from '@quorate/authority/settings'
import { decode } from '@quorate/core/codec'
import type { Caller } from '../auth/caller.ts'
import { readRoot } from '../auth/log.ts'
import { receiptOf } from '../auth/receipt.ts'
import { settleSigned, type SettleDeps } from '../auth/settle.ts'
import { Held, routing, type RawRequest, type Route } from '../http/route.ts'
import { proposalEntity, rootQuorumEntity, settingsEntity, standing } from './entity.ts'

const { route } = routing<Caller>()

export type SettingsDeps = SettleDeps & { readonly manifest: Manifest }

/** The newest are shown. They are root members' own, and end within a week. */
const proposalsMax = 32

export function settingsRoutes(deps: SettingsDeps): readonly Route<Caller>[] {
  return [
    route(api.getSettings, async ({ caller }) => get(deps, caller)),
    route(api.updateSettings, async ({ caller, raw }) => update(deps, caller, raw)),
  ]
}

async function get({ database, log, now }: SettingsDeps, { organization }: Caller) {
  const rows = await database
    .selectFrom('settings_proposals')
    .selectAll()
    .where('organization', '=', organization)
    .orderBy('created_at', 'desc')
    .limit(proposalsMax)
    .execute()
  const proposals = rows.map(({ proposal, settings, root_quorum }) => ({
    proposal,
    settings: decode(settingsCodec, settings),
    rootQuorum: decode(rootQuorumCodec, root_quorum),
  }))
  return readRoot(log, organization, (root) => ({
    ...standing(root),
    proposals: proposals.flatMap((one) => proposalEntity(root, one, now()) ?? []),
  }))
}

async function update(deps: SettingsDeps, caller: Caller, raw: RawRequest) {
  const { log, manifest } = deps
  const { organization } = caller
  const { inForce } = await settleSigned(deps, caller, raw, { kind: 'settings' })
  const { operation } = inForce
  if (operation.kind !== 'settings') throw new TypeError('not a change of settings')
  if (operation.inForce === 'yes')
    return {
      status: 'InForce' as const,
      settings: settingsEntity(operation.settings),
      rootQuorum: rootQuorumEntity(operation.rootQuorum),
      ...receiptOf(inForce, manifest),
    }
  // As of the step: the next member may have signed since.
  const pending = await readRoot(log, organization, (root) =>
    proposalEntity(root, operation, inForce.time),
  )
  if (pending === undefined) throw new TypeError('a proposal has its record')
  return new Held({ status: 'Pending' as const, ...pending })
}
