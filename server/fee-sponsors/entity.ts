import type { FeeSponsor } from '@quorate/api/fee-sponsors'
import { feeSponsorTable } from '@quorate/authority/records'
import { nameOf } from '@quorate/core/id'
import type { Root } from '../auth/log.ts'
import type { FeeSponsorTables } from './tables.ts'

export type FeeSponsorRow = FeeSponsorTables['fee_sponsors']

const statuses = { active: 'Active', deactivated: 'Deactivated', archived: 'Archived' } as const

/** What a sponsor may do is in the records; how it is called is in the row. */
export function feeSponsorOf({ find }: Root, row: FeeSponsorRow): FeeSponsor {
  const record = find(feeSponsorTable, row.id)
  if (record === undefined) throw new TypeError('a fee sponsor has its record')
  return {
    id: nameOf('feeSponsor', row.id),
    ...(row.name === null ? {} : { name: row.name }),
    walletId: nameOf('wallet', record.wallet),
    network: record.network,
    status: statuses[record.status],
    dateCreated: new Date(row.created_at).toISOString(),
    allowEndUser: record.allowEndUser === 'yes',
    limits: limitsOf(record.limits),
  }
}

function limitsOf({ perOperation, perDay, perUserPerDay }: Limits): FeeSponsor['limits'] {
  return {
    perOperation: perOperation?.toString(),
    perDay: perDay?.toString(),
    perUserPerDay: perUserPerDay?.toString(),
  }
}
type Limits = {
  readonly perOperation: bigint | undefined
  readonly perDay: bigint | undefined
  readonly perUserPerDay: bigint | undefined
}
