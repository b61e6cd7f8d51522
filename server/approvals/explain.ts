import { z } from 'zod'
import { decodeBody } from '@quorate/authority/body'
import { matchOperation, readRequestBody } from '@quorate/authority/operations'
import {
  assignmentTable,
  decodeRecord,
  definitionTable,
  openingCodec,
  permissionTable,
  policyTable,
  recordKey,
  userTable,
  type Table,
} from '@quorate/authority/records'
import type { PolicyAsk, PolicyEvaluation, Reader, Rules } from '@quorate/authority/reduce/judging'
import { evaluationOf } from '@quorate/authority/reduce/questions'
import { decodePreimage } from '@quorate/authority/request'
import type { Evidence, Step } from '@quorate/authority/step'
import { rootOf, streamCodec } from '@quorate/authority/stream'
import { decode } from '@quorate/core/codec'
import { nameOf } from '@quorate/core/id'
import { isObject, type JsonObject } from '@quorate/core/json'
import { decodePolicy, writePolicy } from '@quorate/policy/format'
import type { Policy } from '@quorate/policy/policy'
import { operationsOf } from '../auth/standing.ts'
import { Ledger } from '../coordinator/ledger.ts'
import { Views } from '../coordinator/views.ts'
import type { Database } from '../database/database.ts'
import type { ApprovalRow } from './tables.ts'

export type ExplainDeps = { readonly database: Database; readonly rules: Rules }

const explanation = z.object({
  evaluations: z.array(
    z.object({ policyId: z.string(), triggered: z.boolean(), reason: z.string() }),
  ),
  /** Of a change: what it would make of the entity. */
  body: z.record(z.string(), z.unknown()).optional(),
})
export type Explained = z.output<typeof explanation>

/**
 * What policies said of a held request in the moment in which its approval was opened, in words. The
 * log alone says so, at its place there: whoever asks first writes it down for all others.
 */
export async function explained(deps: ExplainDeps, row: ApprovalRow): Promise<Explained> {
  if (row.explained !== null) return explanation.parse(JSON.parse(row.explained))
  const { approvers, ...said } = await explain(deps, row)
  await deps.database
    .updateTable('approvals')
    .set({ explained: JSON.stringify(said), approvers })
    .where('organization', '=', row.organization)
    .where('id', '=', row.id)
    .where('explained', 'is', null)
    .execute()
  return said
}

type Held = {
  readonly row: ApprovalRow
  readonly step: Step
  readonly evidence: readonly Evidence[]
  readonly reader: Reader
}

async function explain({ database, rules }: ExplainDeps, row: ApprovalRow) {
  const ledger = new Ledger(database)
  const place = { organization: row.organization, stream: decode(streamCodec, row.stream) }
  const certified = await ledger.step(place, row.seq)
  if (certified === undefined) throw new TypeError('an approval in force has its step')
  const { step, evidence } = decodeBody(certified.body)
  const seqs = { root: step.heads[0]?.seq ?? step.seq - 1, own: step.seq - 1 }
  return new Views(ledger).readAt(place, seqs, (reader) => {
    const held = { row, step, evidence, reader }
    return {
      approvers: approversOf(held),
      evaluations: evaluationsOf(held, rules),
      ...bodyOf(held),
    }
  })
}

function find<T>(
  { reader, row }: Held,
  table: Table<T>,
  ...name: readonly (Uint8Array | string)[]
): T | undefined {
  const value = reader.read(rootOf(row.organization), recordKey(table, ...name))
  return value === undefined ? undefined : decodeRecord(table, value)
}

/** Those that hold it, as they were; a policy made in the very same step is not in the records. */
function holding(held: Held): PolicyAsk['policies'] {
  return decode(openingCodec, held.row.opening).policies.flatMap(({ policy, definition }) => {
    const known = find(held, definitionTable, definition)
    return known === undefined ? [] : [{ id: nameOf('policy', policy), definition: known.policy }]
  })
}

/** Of what was erased nobody can say more than that it was held. */
function evaluationsOf(held: Held, rules: Rules): PolicyEvaluation[] {
  const { step, evidence, reader, row } = held
  const outcome = evaluationOf({ step, evidence, reader, rules }, row.item)
  const found = outcome.ok ? (outcome.said?.evaluations ?? []) : []
  const { policies } = decode(openingCodec, row.opening)
  const missing = policies
    .map(({ policy }) => nameOf('policy', policy))
    .filter((id) => !found.some(({ policyId, triggered }) => policyId === id && triggered))
  const plain = ({ policyId, triggered, reason }: PolicyEvaluation) => ({
    ...{ policyId, triggered, reason },
  })
  return [
    ...found.filter(({ policyId }) => !missing.includes(policyId)).map(plain),
    ...missing.map((policyId) => ({
      ...{ policyId, triggered: true, reason: 'The policy wants such requests approved.' },
    })),
  ]
}

/** Between spaces, each of them, so that one can be looked for. */
function approversOf(held: Held): string {
  const groups = holding(held).flatMap(({ definition }) => {
    const { action } = decodePolicy(definition)
    return action.kind === 'RequestApproval' ? action.groups : []
  })
  const names = new Set(groups.flatMap(({ approvers }) => approvers ?? []))
  const isOpen = groups.length === 0 || groups.some(({ approvers }) => approvers === undefined)
  return isOpen ? '*' : ` ${[...names].join(' ')} `
}

/** What the change would make of its entity, whole. */
function bodyOf(held: Held): { readonly body?: JsonObject } {
  const beside = held.evidence[held.row.item]
  const item = held.step.items[held.row.item]
  if (beside === undefined || item === undefined) return {}
  const { method, path } = decodePreimage(beside.preimage)
  const match = matchOperation(method, path)
  if (match === undefined) return {}
  const asked = readRequestBody(match, beside.payload)
  const named = new Map(item.subjects.map(({ role, id }) => [role, id]))
  const change = { held, params: match.params, asked: isObject(asked) ? asked : {}, named }
  switch (match.name) {
    case 'permissions.updatePermission':
    case 'permissions.archivePermission':
      return { body: permissionAfter(change) }
    case 'permissions.deleteAssignment':
    case 'permissions.createAssignment':
      return { body: assignmentAfter(change) }
    case 'policies.createPolicy':
    case 'policies.updatePolicy':
    case 'policies.archivePolicy':
      return { body: policyAfter(change) }
    default:
      return {}
  }
}

type Change = {
  readonly held: Held
  readonly params: Readonly<Record<string, string>>
  readonly asked: JsonObject
  readonly named: ReadonlyMap<string, Uint8Array>
}

function permissionAfter({ held, params, asked, named }: Change): JsonObject {
  const record = find(held, permissionTable, named.get('permissionId') ?? new Uint8Array())
  const { name = record?.name ?? '', operations, isArchived } = asked
  return {
    id: params['permissionId'] ?? '',
    name,
    status: 'Active',
    operations: operations ?? (record === undefined ? [] : [...operationsOf(record)]),
    isImmutable: record?.immutable === 'yes',
    isArchived: isArchived ?? record?.status === 'archived',
  }
}

/** Of one that is to end, the log alone knows to whom it was given: somebody, or a token. */
function assignmentAfter({ held, params, asked, named }: Change): JsonObject {
  const ending = find(held, assignmentTable, named.get('assignmentId') ?? new Uint8Array())
  const kind = ending && find(held, userTable, ending.identity) ? 'user' : 'token'
  return {
    id: held.row.entity_id ?? '',
    permissionId: params['permissionId'] ?? '',
    identityId: ending === undefined ? (asked['identityId'] ?? '') : nameOf(kind, ending.identity),
    isImmutable: false,
  }
}

function policyAfter({ held, asked, named }: Change): JsonObject {
  const id = held.row.entity_id ?? ''
  const isArchiving = held.row.operation === 'policies.archivePolicy'
  if (!isArchiving) return { id, ...asked, status: 'Active' }
  const record = find(held, policyTable, named.get('policyId') ?? new Uint8Array())
  const known = record && find(held, definitionTable, record.definition)
  const policy: Policy | undefined = known && decodePolicy(known.policy)
  return { id, ...(policy === undefined ? {} : writePolicy(policy)), status: 'Archived' }
}
