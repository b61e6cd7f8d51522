import type { IdKind } from '@quorate/core/id'
import type { Purpose } from '../request.ts'

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
  /** Members of a query that count when they are signed with the path, and never otherwise. */
  readonly signedQuery: readonly string[]
  /** The caller needs every one of them. */
  readonly permissions: readonly string[]
  /** Needed besides, for what the body holds. */
  readonly permissionsIf: readonly Condition[]
  /** A credential must have signed this very request. */
  readonly userAction: boolean
  /**
   * What its pre-image must be for. Anything else than `action` ends an unsigned way: the challenge
   * was made before the body, which nobody trusted has signed.
   */
  readonly purpose: Purpose
  /** Empty: no token at all. */
  readonly callers: readonly CallerKind[]
  /** May it be asked through a personal access token? */
  readonly pats: boolean
  readonly changes: Change
  /** What gets an id made of this request, each with index 0. */
  readonly creates: readonly IdKind[]
  /** Members of the body that name something by its id. A dot leads one level down; an identity is
   * a user or a token. */
  readonly bodyIds: Readonly<Record<string, IdKind | 'identity'>>
  /**
   * Whose unconfirmed credentials the author vouches for by this request, by the role of a named
   * id: the pre-image then holds the hash of that set as the subject `credentials`.
   */
  readonly confirms: string | undefined
  /** Top-level members of the body that may be personal: no decision rests on them, they can go. */
  readonly erasable: readonly string[]
}
/** What it asks for may have to wait for a place in the line of its address. */
export function standsInLine({ creates }: Pick<Operation, 'creates'>): boolean {
  return creates.includes('transfer') || creates.includes('transaction')
}

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'
/**
 * `setup` is whoever holds the token that the operator made for the first organization;
 * `newcomer` whoever holds the temporary token of a registration or recovery that has begun.
 */
export type CallerKind = 'employee' | 'endUser' | 'serviceAccount' | 'setup' | 'newcomer'
export type Change =
  | { readonly item: RootItem; readonly stream: 'root' }
  | { readonly item: 'use'; readonly stream: 'key' }
  /** Wherever that stands which it is about. */
  | { readonly item: 'decision'; readonly stream: 'held' }
  | { readonly item: 'none'; readonly stream: 'none' }
/** Every kind of item that stands in a root stream. */
export type RootItem =
  | 'genesis'
  | 'user'
  | 'userUpdate'
  | 'userStatus'
  | 'registration'
  | 'confirmation'
  | 'credential'
  | 'credentialCode'
  | 'credentialStatus'
  | 'recovery'
  | 'recoveryEnd'
  | 'serviceAccount'
  | 'token'
  | 'tokenStatus'
  | 'permission'
  | 'permissionUpdate'
  | 'policy'
  | 'policyUpdate'
  | 'break'
  | 'breakEnd'
  | 'feeSponsor'
  | 'feeSponsorUpdate'
  | 'assignment'
  | 'assignmentEnd'
  | 'settings'
  | 'key'
  | 'keyStatus'
  | 'delegation'
  | 'wallet'
  | 'tags'
  | 'update'
  | 'agreement'
  | 'freeze'
  | 'erasure'
/** `member` as in `bodyIds`. */
export type Condition = {
  readonly member: string
  readonly present: readonly string[]
  readonly absent: readonly string[]
}

export const nothing: Change = { item: 'none', stream: 'none' }
export const use: Change = { item: 'use', stream: 'key' }
export const root = (item: RootItem): Change => ({ item, stream: 'root' })

export const ifPresent = (member: string, ...present: readonly string[]): Condition => ({
  member,
  present,
  absent: [],
})

export const open = {
  signedQuery: [],
  permissions: [],
  permissionsIf: [],
  userAction: false,
  purpose: 'action',
  callers: [],
  pats: true,
  changes: nothing,
  creates: [],
  bodyIds: {},
  confirms: undefined,
  erasable: [],
} satisfies Partial<Operation>

export const ask = { ...open, method: 'POST' } as const
export const everybody = ['employee', 'endUser', 'serviceAccount'] as const
export const staff = ['employee', 'serviceAccount'] as const
export const people = ['employee', 'endUser'] as const
export const read = { ...open, method: 'GET', callers: everybody } as const
export const signed = { ...read, method: 'POST', userAction: true } as const
export const setup = { ...open, method: 'POST', callers: ['setup'] } as const
export const newcomer = { ...open, method: 'POST', callers: ['newcomer'] } as const

/** A user's own credentials: his own business, without a permission, and never a token's. */
export const own = { ...signed, callers: people, pats: false } as const

export const delegated = { ...signed, callers: ['serviceAccount'] } as const

/** Where raw bytes, transactions and transfers all end: one use of one key. */
export const signature = {
  ...signed,
  permissions: ['Keys:Signatures:Create'],
  changes: use,
  creates: ['signature'],
  erasable: ['externalId'],
} as const
