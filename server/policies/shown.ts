import type { Policy } from '@quorate/api/policies'
import { definitionTable, policyTable } from '@quorate/authority/records'
import { nameOf } from '@quorate/core/id'
import { decodePolicy, writePolicy } from '@quorate/policy/format'
import type { Root } from '../auth/log.ts'
import type { PolicyTables } from './tables.ts'

/** A policy as the API and its events give it: what it says is in the records. */
export function policyOf({ find }: Root, row: PolicyTables['policies']): Policy {
  const record = find(policyTable, row.id)
  const definition = record && find(definitionTable, record.definition)
  if (record === undefined || definition === undefined)
    throw new TypeError('a policy has its records')
  const { name, activityKind, rule, action, filters } = writePolicy(
    decodePolicy(definition.policy),
  ) as Pick<Policy, 'name' | 'activityKind' | 'rule' | 'action' | 'filters'>
  return {
    id: nameOf('policy', row.id),
    status: record.status === 'active' ? 'Active' : 'Archived',
    ...{ name, activityKind, rule, action },
    ...(filters === undefined ? {} : { filters }),
    dateCreated: new Date(row.created_at).toISOString(),
    dateUpdated: new Date(row.updated_at).toISOString(),
  }
}
