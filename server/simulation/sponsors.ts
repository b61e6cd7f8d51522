import { requestHash } from '@quorate/authority/request'
import { createdName, idOf } from '@quorate/core/id'
import { settleInRoot, type RootParts } from './root.ts'

export type SimulatedSponsor = { readonly id: Uint8Array; readonly name: string }
/** In wei; one that is not named is none. */
export type Limits = {
  readonly perOperation?: string
  readonly perDay?: string
  readonly perUserPerDay?: string
}
export type SponsorChange = 'activate' | 'deactivate' | 'archive' | Limits

/** From now on this wallet pays fees of others, within limits: in the log, and in the row that the API reads. */
export async function makeSponsor(
  world: RootParts,
  { walletId }: { readonly walletId: string },
  limits: Limits = {},
): Promise<SimulatedSponsor> {
  const { client, database, time } = world
  const wallet = client.ids.get(walletId)
  if (wallet === undefined) throw new TypeError(`nobody knows ${walletId}`)
  const body = { walletId, limits }
  const evidence = await settleInRoot(world, { kind: 'feeSponsor', path: '/fee-sponsors', body })
  const request = requestHash(evidence.preimage)
  const [id, name] = [idOf(request, 'feeSponsor'), createdName(request, 'feeSponsor')]
  client.ids.set(name, id)
  const { organization } = client
  await database
    .insertInto('fee_sponsors')
    .values({ organization, id, wallet, name: null, created_at: time })
    .execute()
  return { id, name }
}

/** Other limits of a sponsor, or whether it pays at all; archived, it never does again. */
export async function changeSponsor(
  world: RootParts,
  sponsor: SimulatedSponsor,
  change: SponsorChange,
): Promise<void> {
  await settleInRoot(world, { kind: 'feeSponsorUpdate', ...changeOf(sponsor, change) })
}

/** What is asked for it. */
export function changeOf({ name }: Pick<SimulatedSponsor, 'name'>, change: SponsorChange) {
  const path = `/fee-sponsors/${name}`
  if (typeof change !== 'string') return { method: 'PUT', path, body: { limits: change } } as const
  if (change === 'archive') return { method: 'DELETE', path, body: {} } as const
  return { method: 'PUT', path: `${path}/${change}`, body: {} } as const
}
