import { idOf } from '@quorate/core/id'
import type { Json } from '@quorate/core/json'
import type { OperationName } from '../operations.ts'
import { feeSponsorTable, keyTable, sponsoringTable, walletTable } from '../records.ts'
import { sponsorOf, type FeeSponsor } from '../standing.ts'
import { subjectId, type Authored } from './author.ts'
import { find, recordsOf, refuse, type Judging } from './judging.ts'
import { networkOf } from './key.ts'
import { judgeActive } from './ownership.ts'
import { flagOf, objectOf, put, putName, type Reduced } from './writes.ts'

type Limits = FeeSponsor['limits']
type Status = FeeSponsor['status']

/** `POST /fee-sponsors`: from then on this wallet's key signs for requests of others. */
export function reduceFeeSponsor(judging: Judging, { body }: Authored): Reduced {
  const wallet = subjectId(judging, 'walletId')
  const network = judgeSponsoring(judging, wallet)
  const given = objectOf(body)
  const allowEndUser = flagOf(given, 'allowEndUser') ? 'yes' : 'no'
  const limits = limitsIn(given['limits'] ?? {})
  const sponsor = idOf(judging.request, 'feeSponsor')
  const made = { wallet, network, allowEndUser, limits } as const
  return {
    operation: { kind: 'feeSponsor', ...made },
    writes: [
      put(feeSponsorTable, [sponsor], { ...made, status: 'active' }),
      put(sponsoringTable, [wallet], { sponsor }),
      putName(judging, 'feeSponsor', sponsor),
    ],
  }
}

/** @returns the network on which the wallet is to pay */
function judgeSponsoring(judging: Judging, wallet: Uint8Array): string {
  const record = find(judging, walletTable, wallet)
  const key = record && find(judging, keyTable, record.key)
  if (record === undefined || key === undefined) return refuse('there is no such wallet')
  judgeActive(key)
  // What an end user owns, or will, is not the organization's to spend.
  if (key.owner !== undefined || key.delegableBy !== undefined)
    refuse("the wallet is not the organization's own")
  const traits = networkOf(judging, record.network)
  if (!traits.hasSponsors || traits.isRetired) refuse('the network has no fee sponsors')
  if (sponsorOf(recordsOf(judging), wallet) !== undefined)
    refuse('the wallet is a fee sponsor already')
  return record.network
}

const statusAfter: { readonly [N in OperationName]?: Status } = {
  'feeSponsors.activateFeeSponsor': 'active',
  'feeSponsors.deactivateFeeSponsor': 'deactivated',
  'feeSponsors.deleteFeeSponsor': 'archived',
}

/** `PUT` and `DELETE /fee-sponsors/:feeSponsorId`, and the two ways to switch it on and off. */
export function reduceFeeSponsorUpdate(judging: Judging, { match, body }: Authored): Reduced {
  const sponsor = subjectId(judging, 'feeSponsorId')
  const record = find(judging, feeSponsorTable, sponsor)
  if (record === undefined) return refuse('there is no such fee sponsor')
  if (record.status === 'archived') refuse('the fee sponsor is archived')
  const status = statusAfter[match.name] ?? record.status
  const limits =
    match.name === 'quorate.updateFeeSponsor' ? limitsIn(objectOf(body)['limits']) : record.limits
  return {
    operation: { kind: 'feeSponsorUpdate', sponsor, status, limits },
    writes: [put(feeSponsorTable, [sponsor], { ...record, status, limits })],
  }
}

/** All that there are: one that is not named is none. */
function limitsIn(value: Json | undefined): Limits {
  const { perOperation, perDay, perUserPerDay, ...others } = objectOf(value)
  if (Object.keys(others).length > 0) refuse('there is no such limit')
  return {
    perOperation: amountIn(perOperation),
    perDay: amountIn(perDay),
    perUserPerDay: amountIn(perUserPerDay),
  }
}

function amountIn(value: Json | undefined): bigint | undefined {
  if (value === undefined) return undefined
  const isAmount = typeof value === 'string' && /^(0|[1-9][0-9]{0,77})$/.test(value)
  const amount = isAmount ? BigInt(value) : refuse('a limit is not a whole number in digits')
  return amount < 2n ** 256n ? amount : refuse('a limit is too large')
}
