import { idPrefixes, type IdKind } from '@quorate/core/id'
import { parseJson, parseJsonWithDecimals, type Json } from '@quorate/core/json'
import { currentNames } from './permission-names.ts'
import { pathLengthMax } from './request.ts'
import { authOperations } from './operations/auth.ts'
import { registrationOperations } from './operations/registration.ts'
import { userOperations } from './operations/users.ts'
import { credentialOperations } from './operations/credentials.ts'
import { recoveryOperations } from './operations/recovery.ts'
import { serviceAccountOperations } from './operations/service-accounts.ts'
import { patOperations } from './operations/pats.ts'
import { permissionOperations } from './operations/permissions.ts'
import { organizationOperations } from './operations/organizations.ts'
import { keyOperations } from './operations/keys.ts'
import { walletOperations } from './operations/wallets.ts'
import { transferOperations } from './operations/transfers.ts'
import { policyOperations } from './operations/policies.ts'
import { feeSponsorOperations } from './operations/fee-sponsors.ts'
import { webhookOperations } from './operations/webhooks.ts'
import { networkOperations } from './operations/networks.ts'
import type { Operation } from './operations/operation.ts'

/** The one table; of two paths that both fit, the first one is taken. */
const table = {
  ...authOperations,
  ...registrationOperations,
  ...userOperations,
  ...credentialOperations,
  ...recoveryOperations,
  ...serviceAccountOperations,
  ...patOperations,
  ...permissionOperations,
  ...organizationOperations,
  ...keyOperations,
  ...walletOperations,
  ...transferOperations,
  ...policyOperations,
  ...feeSponsorOperations,
  ...webhookOperations,
  ...networkOperations,
}

export type OperationName = keyof typeof table
export const operations: Readonly<Record<OperationName, Operation>> = table
export const operationNames = Object.keys(table) as readonly OperationName[]

/** Every permission that there is today, sorted: what an administrator may do. */
export const permissionNames: readonly string[] = currentNames

/** What a parameter of a path is the id of. */
const pathIds: Readonly<Record<string, IdKind>> = {
  serviceAccountId: 'user',
  userId: 'user',
  credentialUuid: 'credential',
  tokenId: 'token',
  recoveryId: 'recovery',
  freezeId: 'freeze',
  permissionId: 'permission',
  assignmentId: 'assignment',
  keyId: 'key',
  walletId: 'wallet',
  signatureId: 'signature',
  transferId: 'transfer',
  transactionId: 'transaction',
  policyId: 'policy',
  approvalId: 'approval',
  feeSponsorId: 'feeSponsor',
}

export type NamedId = { readonly role: string; readonly kind: IdKind; readonly name: string }
export type Match = {
  readonly name: OperationName
  readonly operation: Operation
  readonly params: Readonly<Record<string, string>>
  /** What was signed of the query; empty for an unsigned one. */
  readonly query: Readonly<Record<string, string>>
}

const patterns = Map.groupBy(
  operationNames.map((name) => ({
    name,
    operation: operations[name],
    segments: operations[name].path.split('/').slice(1),
  })),
  ({ operation, segments }) => `${operation.method} ${segments.length}`,
)

/**
 * Finds the operation that a method and a path ask for. Strict, so that a path has one spelling
 * and two readers cannot disagree about it: every segment percent-encoded exactly as
 * `encodeURIComponent` does, none empty, no `.` or `..`, no slash at the end. A query may follow in
 * a signed path, of the members that the operation knows and no others, each `true` or `false`.
 */
export function matchOperation(method: string, target: string): Match | undefined {
  const [path = '', search, ...more] = target.split('?')
  const segments = more.length > 0 ? undefined : segmentsOf(path)
  if (segments === undefined) return undefined
  for (const { name, operation, segments: pattern } of patterns.get(
    `${method} ${segments.length}`,
  ) ?? []) {
    if (!pattern.every((part, i) => part.startsWith(':') || part === segments[i])) continue
    const params = pattern.flatMap((part, i) =>
      part.startsWith(':') ? [[part.slice(1), segments[i] ?? '']] : [],
    )
    const query = queryOf(operation, search)
    return query && { name, operation, params: Object.fromEntries(params), query }
  }
  return undefined
}

function queryOf(
  { signedQuery }: Operation,
  search: string | undefined,
): Readonly<Record<string, string>> | undefined {
  if (search === undefined) return {}
  const pairs = search.split('&').map((pair) => pair.split('='))
  const names = pairs.map(([name = '']) => name)
  const isKnown =
    new Set(names).size === names.length &&
    pairs.every(
      ([name = '', value = '', ...more]) =>
        signedQuery.includes(name) && /^(true|false)$/.test(value) && more.length === 0,
    )
  return isKnown ? Object.fromEntries(pairs) : undefined
}

/** For the HTTP edge alone: old clients end paths with a slash. Signed paths get no such grace. */
export function withoutTrailingSlash(path: string): string {
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path
}

/** Limits in a currency may have decimals; every other number of the API is whole. */
const withDecimals: ReadonlySet<OperationName> = new Set([
  ...(['policies.createPolicy', 'policies.updatePolicy', 'quorate.simulatePolicy'] as const),
])

/**
 * The value of a body's text; no text counts as an empty object.
 * @throws Failure `json.malformed`
 */
export function readRequestBody({ name }: Pick<Match, 'name'>, payload: string): Json {
  if (payload === '') return {}
  return withDecimals.has(name) ? parseJsonWithDecimals(payload) : parseJson(payload)
}

/** The permissions that this body needs, without repetition. */
export function permissionsFor(operation: Operation, body: unknown): readonly string[] {
  const conditional = operation.permissionsIf.flatMap(({ member, present, absent }) =>
    memberAt(body, member) === undefined ? absent : present,
  )
  return [...new Set([...operation.permissions, ...conditional])]
}

/** Everything that the path and the body name by an id; `role` is the parameter or the member. */
export function namedIds({ operation, params }: Match, body: unknown): readonly NamedId[] {
  const fromPath = Object.entries(params).flatMap(([role, name]) => {
    const kind = Object.hasOwn(pathIds, role) ? pathIds[role] : undefined
    return kind === undefined ? [] : [{ role, kind, name }]
  })
  const fromBody = Object.entries(operation.bodyIds).flatMap(([role, kind]) => {
    const name = memberAt(body, role)
    return typeof name === 'string' ? [{ role, kind: kindOf(kind, name), name }] : []
  })
  return [...fromPath, ...fromBody]
}

/** An identity is a token if it is named like one, and a user else. */
function kindOf(kind: IdKind | 'identity', name: string): IdKind {
  if (kind !== 'identity') return kind
  return name.startsWith(`${idPrefixes.token}-`) ? 'token' : 'user'
}

function segmentsOf(path: string): readonly string[] | undefined {
  if (!path.startsWith('/') || path.length > pathLengthMax) return undefined
  const decoded = path.slice(1).split('/').map(decodeSegment)
  return decoded.every((segment) => segment !== undefined) ? decoded : undefined
}

function decodeSegment(text: string): string | undefined {
  if (text === '' || text === '.' || text === '..') return undefined
  const decoded = decodeOrNothing(text)
  return decoded !== undefined && encodeURIComponent(decoded) === text ? decoded : undefined
}

function decodeOrNothing(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch (error) {
    if (error instanceof URIError) return undefined
    throw error
  }
}

function memberAt(body: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>(
      (value, name) =>
        typeof value === 'object' && value !== null && Object.hasOwn(value, name)
          ? (value as Readonly<Record<string, unknown>>)[name]
          : undefined,
      body,
    )
}
