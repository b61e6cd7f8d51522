import type { IdKind } from '@quorate/core/id'
import { pathLengthMax } from './request.ts'

/**
 * Everything a caller may ask for, as data: the one table that the router, the permission check,
 * the reducer and the signers all read. A request that is not in it does not exist.
 *
 * Names are those of the official SDK's methods, `<client>.<method>`; ours begin with `quorate.`.
 */
export type Operation = {
  readonly method: Method
  /** A segment that begins with a colon names a parameter. */
  readonly path: string
  /** The caller needs every one of them. */
  readonly permissions: readonly string[]
  /** Needed besides, for what the body holds. */
  readonly permissionsIf: readonly Condition[]
  /** Whether a credential must have signed this very request. */
  readonly userAction: boolean
  /** Empty: no token at all. */
  readonly callers: readonly CallerKind[]
  readonly changes: Change
  /** What gets an id made of this request, each with index 0. */
  readonly creates: readonly IdKind[]
  /** Members of the body that name something by its id. A dot leads one level down. */
  readonly bodyIds: Readonly<Record<string, IdKind>>
  /** Top-level members of the body that may be personal: no decision rests on them, they can go. */
  readonly erasable: readonly string[]
}
export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'
/** `setup` is whoever holds the token that the operator made for the first organization. */
export type CallerKind = 'employee' | 'serviceAccount' | 'setup'
export type Change =
  | { readonly item: 'genesis' | RootItem; readonly stream: 'root' }
  | { readonly item: 'use'; readonly stream: 'key' }
  | { readonly item: 'none'; readonly stream: 'none' }
type RootItem = 'serviceAccount' | 'assignment' | 'key' | 'wallet'
/** `member` as in `bodyIds`. */
type Condition = {
  readonly member: string
  readonly present: readonly string[]
  readonly absent: readonly string[]
}

const nothing: Change = { item: 'none', stream: 'none' }
const use: Change = { item: 'use', stream: 'key' }
const root = (item: 'genesis' | RootItem): Change => ({ item, stream: 'root' })

const open = {
  permissions: [],
  permissionsIf: [],
  userAction: false,
  callers: [],
  changes: nothing,
  creates: [],
  bodyIds: {},
  erasable: [],
} satisfies Partial<Operation>
const read = { ...open, method: 'GET', callers: ['employee', 'serviceAccount'] } as const
const signed = { ...read, method: 'POST', userAction: true } as const
const setup = { ...open, method: 'POST', callers: ['setup'] } as const

/** Where raw bytes, transactions and transfers all end: one use of one key. */
const signature = {
  ...signed,
  permissions: ['Keys:Signatures:Create'],
  changes: use,
  creates: ['signature'],
  erasable: ['externalId'],
} as const

const table = {
  'auth.createUserActionChallenge': { ...read, method: 'POST', path: '/auth/action/init' },
  'auth.createUserActionSignature': { ...read, method: 'POST', path: '/auth/action' },
  'auth.createLoginChallenge': { ...open, method: 'POST', path: '/auth/login/init' },
  'auth.login': { ...open, method: 'POST', path: '/auth/login' },

  'auth.createServiceAccount': {
    ...signed,
    path: '/auth/service-accounts',
    permissions: ['Auth:ServiceAccounts:Create'],
    permissionsIf: [{ member: 'permissionId', present: ['Permissions:Assign'], absent: [] }],
    callers: ['employee'],
    changes: root('serviceAccount'),
    creates: ['user', 'token', 'credential', 'assignment'],
    bodyIds: { permissionId: 'permission' },
    erasable: ['name', 'externalId'],
  },
  'auth.listServiceAccounts': {
    ...read,
    path: '/auth/service-accounts',
    permissions: ['Auth:ServiceAccounts:Read'],
  },
  'auth.getServiceAccount': {
    ...read,
    path: '/auth/service-accounts/:serviceAccountId',
    permissions: ['Auth:ServiceAccounts:Read'],
  },

  'permissions.listPermissions': {
    ...read,
    path: '/permissions',
    permissions: ['Permissions:Read'],
  },
  'permissions.createAssignment': {
    ...signed,
    path: '/permissions/:permissionId/assignments',
    permissions: ['Permissions:Assign'],
    changes: root('assignment'),
    creates: ['assignment'],
    bodyIds: { identityId: 'user' },
  },

  'keys.createKey': {
    ...signed,
    path: '/keys',
    permissions: ['Keys:Create'],
    changes: root('key'),
    creates: ['key'],
    erasable: ['name'],
  },
  'keys.listKeys': { ...read, path: '/keys', permissions: ['Keys:Read'] },
  'keys.getKey': { ...read, path: '/keys/:keyId', permissions: ['Keys:Read'] },
  'keys.generateSignature': { ...signature, path: '/keys/:keyId/signatures' },
  'keys.listSignatures': {
    ...read,
    path: '/keys/:keyId/signatures',
    permissions: ['Keys:Signatures:Read'],
  },
  'keys.getSignature': {
    ...read,
    path: '/keys/:keyId/signatures/:signatureId',
    permissions: ['Keys:Signatures:Read'],
  },

  'wallets.createWallet': {
    ...signed,
    path: '/wallets',
    permissions: ['Wallets:Create'],
    permissionsIf: [{ member: 'signingKey.id', present: ['Keys:Reuse'], absent: ['Keys:Create'] }],
    changes: root('wallet'),
    creates: ['wallet', 'key'],
    bodyIds: { 'signingKey.id': 'key' },
    erasable: ['name', 'externalId'],
  },
  'wallets.listWallets': { ...read, path: '/wallets', permissions: ['Wallets:Read'] },
  'wallets.getWallet': { ...read, path: '/wallets/:walletId', permissions: ['Wallets:Read'] },
  'wallets.getWalletAssets': {
    ...read,
    path: '/wallets/:walletId/assets',
    permissions: ['Wallets:Read'],
  },
  'wallets.getWalletHistory': {
    ...read,
    path: '/wallets/:walletId/history',
    permissions: ['Wallets:Read'],
  },

  'wallets.transferAsset': {
    ...signed,
    path: '/wallets/:walletId/transfers',
    permissions: ['Wallets:Transfers:Create'],
    changes: use,
    creates: ['transfer'],
    erasable: ['externalId'],
  },
  'wallets.listTransfers': {
    ...read,
    path: '/wallets/:walletId/transfers',
    permissions: ['Wallets:Transfers:Read'],
  },
  'wallets.getTransfer': {
    ...read,
    path: '/wallets/:walletId/transfers/:transferId',
    permissions: ['Wallets:Transfers:Read'],
  },

  'wallets.broadcastTransaction': {
    ...signed,
    path: '/wallets/:walletId/transactions',
    permissions: ['Wallets:Transactions:Create'],
    changes: use,
    creates: ['transaction'],
    erasable: ['externalId'],
  },
  'wallets.listTransactions': {
    ...read,
    path: '/wallets/:walletId/transactions',
    permissions: ['Wallets:Transactions:Read'],
  },
  'wallets.getTransaction': {
    ...read,
    path: '/wallets/:walletId/transactions/:transactionId',
    permissions: ['Wallets:Transactions:Read'],
  },

  'wallets.generateSignature': { ...signature, path: '/wallets/:walletId/signatures' },
  'wallets.listSignatures': {
    ...read,
    path: '/wallets/:walletId/signatures',
    permissions: ['Keys:Signatures:Read'],
  },
  'wallets.getSignature': {
    ...read,
    path: '/wallets/:walletId/signatures/:signatureId',
    permissions: ['Keys:Signatures:Read'],
  },

  'quorate.startGenesis': { ...setup, path: '/orgs/init' },
  'quorate.finishGenesis': {
    ...setup,
    path: '/orgs',
    changes: root('genesis'),
    creates: ['organization', 'user', 'credential', 'permission', 'assignment'],
  },
  'quorate.getTrust': { ...read, path: '/orgs/trust' },
  'quorate.getWalletProof': {
    ...read,
    path: '/wallets/:walletId/proof',
    permissions: ['Wallets:Read'],
  },
  'quorate.getHealth': { ...open, method: 'GET', path: '/health' },
  'quorate.getKeySet': { ...open, method: 'GET', path: '/.well-known/jwks.json' },
} as const satisfies Record<string, Operation>

export type OperationName = keyof typeof table
export const operations: Readonly<Record<OperationName, Operation>> = table
export const operationNames = Object.keys(table) as readonly OperationName[]

/** Every permission that any operation asks for, sorted: what an administrator may do. */
export const permissionNames: readonly string[] = [
  ...new Set(
    Object.values(operations).flatMap(({ permissions, permissionsIf }) => [
      ...permissions,
      ...permissionsIf.flatMap(({ present, absent }) => [...present, ...absent]),
    ]),
  ),
].toSorted((a, b) => (a < b ? -1 : 1))

/** What a parameter of a path is the id of. */
const pathIds: Readonly<Record<string, IdKind>> = {
  serviceAccountId: 'user',
  permissionId: 'permission',
  keyId: 'key',
  walletId: 'wallet',
  signatureId: 'signature',
  transferId: 'transfer',
  transactionId: 'transaction',
}

export type NamedId = { readonly role: string; readonly kind: IdKind; readonly name: string }
export type Match = {
  readonly name: OperationName
  readonly operation: Operation
  readonly params: Readonly<Record<string, string>>
}

const patterns = operationNames.map((name) => ({
  name,
  operation: operations[name],
  segments: operations[name].path.split('/').slice(1),
}))

/**
 * Finds the operation that a method and a path without query ask for. Strict, so that a path has
 * one spelling and two readers cannot disagree about it: every segment percent-encoded exactly as
 * `encodeURIComponent` does, none empty, no `.` or `..`, no slash at the end.
 */
export function matchOperation(method: string, path: string): Match | undefined {
  const segments = segmentsOf(path)
  if (segments === undefined) return undefined
  for (const { name, operation, segments: pattern } of patterns) {
    if (operation.method !== method || pattern.length !== segments.length) continue
    if (!pattern.every((part, i) => part.startsWith(':') || part === segments[i])) continue
    const params = pattern.flatMap((part, i) =>
      part.startsWith(':') ? [[part.slice(1), segments[i] ?? '']] : [],
    )
    return { name, operation, params: Object.fromEntries(params) }
  }
  return undefined
}

/** For the HTTP edge alone: old clients end paths with a slash. Signed paths get no such grace. */
export function withoutTrailingSlash(path: string): string {
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path
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
    return typeof name === 'string' ? [{ role, kind, name }] : []
  })
  return [...fromPath, ...fromBody]
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
