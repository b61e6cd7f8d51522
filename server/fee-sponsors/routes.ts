import * as api from '@quorate/api/fee-sponsors'
import type { FeeSponsor } from '@quorate/api/fee-sponsors'
import { parse } from '@quorate/api/parse'
import type { Manifest } from '@quorate/authority/manifest'
import { keyTable, walletTable } from '@quorate/authority/records'
import type { Rules } from '@quorate/authority/reduce/judging'
import { sponsorOf } from '@quorate/authority/standing'
import { Failure } from '@quorate/core/failure'
import { createdName } from '@quorate/core/id'
import { parseJson } from '@quorate/core/json'
import type { Caller } from '../auth/caller.ts'
import { idNamed, readRoot, type Root } from '../auth/log.ts'
import { receiptOf } from '../auth/receipt.ts'
import { settleSigned, type SettleDeps } from '../auth/settle.ts'
import { subjectNamed, type SignedAction } from '../auth/use-action.ts'
import { routing, type RawRequest, type Route } from '../http/route.ts'
import { newestFirst, pageOf, type Paging } from '../page.ts'
import { listSponsoredFees } from '../sponsorships/find.ts'
import { feeSponsorOf } from './entity.ts'

const { route } = routing<Caller>()

export type FeeSponsorDeps = SettleDeps & {
  readonly manifest: Pick<Manifest, 'signers'>
  readonly rules: Rules
}

export function feeSponsorRoutes(deps: FeeSponsorDeps): readonly Route<Caller>[] {
  return [
    route(api.createFeeSponsor, async ({ caller, raw }) => create(deps, caller, raw)),
    route(api.listFeeSponsors, async ({ caller, query }) => list(deps, caller, query)),
    route(api.getFeeSponsor, async ({ caller, params: { feeSponsorId } }) =>
      shown(deps, caller, feeSponsorId),
    ),
    route(api.updateFeeSponsor, async ({ caller, raw, params: { feeSponsorId } }) =>
      change(deps, caller, raw, feeSponsorId),
    ),
    ...[api.activateFeeSponsor, api.deactivateFeeSponsor, api.deleteFeeSponsor].map((endpoint) =>
      route(endpoint, async ({ caller, raw, params: { feeSponsorId } }) =>
        change(deps, caller, raw, feeSponsorId),
      ),
    ),
    route(api.listSponsoredFees, async ({ caller, query, params: { feeSponsorId } }) => {
      const { organization } = caller
      const { id: sponsor } = await rowNamed(deps, caller, feeSponsorId)
      return listSponsoredFees(deps.database, { organization, sponsor }, query)
    }),
  ]
}

async function create(deps: FeeSponsorDeps, caller: Caller, raw: RawRequest) {
  const { action } = await settleSigned(deps, caller, raw, {
    kind: 'feeSponsor',
    check: (used) =>
      readRoot(deps.log, caller.organization, (root) => checkSuited(deps, root, used)),
  })
  return shown(deps, caller, createdName(action.request, 'feeSponsor'))
}

/** The rules would say the same; a client is told in words that it knows. */
function checkSuited({ rules }: FeeSponsorDeps, root: Root, action: SignedAction): void {
  const wallet = subjectNamed(action, 'walletId')
  const record = root.find(walletTable, wallet)
  const key = record && root.find(keyTable, record.key)
  if (record === undefined || key === undefined) {
    const { walletId } = parse(api.createFeeSponsor.body, parseJson(action.payload), 'payload')
    throw new Failure('wallet.not_found', { walletId })
  }
  const unsuitable = (reason: string) => new Failure('fee_sponsor.unsuitable', { reason })
  if (key.owner !== undefined || key.delegableBy !== undefined || key.status !== 'active')
    throw unsuitable('a wallet that is delegated, or archived, pays for nobody')
  const network = rules.networkOf(record.network)
  if (network === undefined || !network.hasSponsors || network.isRetired)
    throw unsuitable(`there are no fee sponsors on ${record.network}`)
  if (sponsorOf(root, wallet) !== undefined) throw unsuitable('the wallet is a fee sponsor already')
}

/** What takes something away is answered with who has acknowledged it; other answers leave it out. */
async function change(deps: FeeSponsorDeps, caller: Caller, raw: RawRequest, feeSponsorId: string) {
  const { inForce } = await settleSigned(deps, caller, raw, {
    kind: 'feeSponsorUpdate',
    check: async () => {
      const { status } = await shown(deps, caller, feeSponsorId)
      if (status === 'Archived') throw new Failure('fee_sponsor.archived', { feeSponsorId })
    },
  })
  return { ...(await shown(deps, caller, feeSponsorId)), ...receiptOf(inForce, deps.manifest) }
}

function rows({ database }: FeeSponsorDeps, { organization }: Caller) {
  return database.selectFrom('fee_sponsors').selectAll().where('organization', '=', organization)
}

async function shown(
  deps: FeeSponsorDeps,
  caller: Caller,
  feeSponsorId: string,
): Promise<FeeSponsor> {
  const row = await rowNamed(deps, caller, feeSponsorId)
  return readRoot(deps.log, caller.organization, (root) => feeSponsorOf(root, row))
}

/** @throws Failure `fee_sponsor.not_found` */
async function rowNamed(deps: FeeSponsorDeps, caller: Caller, feeSponsorId: string) {
  const id = await readRoot(deps.log, caller.organization, (root) =>
    idNamed(root, 'feeSponsor', feeSponsorId),
  )
  const row = id && (await rows(deps, caller).where('id', '=', id).executeTakeFirst())
  if (row === undefined) throw new Failure('fee_sponsor.not_found', { feeSponsorId })
  return row
}

async function list(deps: FeeSponsorDeps, caller: Caller, query: Paging) {
  const found = await rows(deps, caller).$call(newestFirst(query)).execute()
  return readRoot(deps.log, caller.organization, (root) =>
    pageOf(found, query.limit, {
      positionAt: (row) => ({ at: row.created_at, id: row.id }),
      itemOf: (row) => feeSponsorOf(root, row),
    }),
  )
}
