import { toHex, toUtf8 } from '@quorate/core/bytes'
import {
  bytes,
  decode,
  encode,
  hash32,
  list,
  natural,
  oneOf,
  option,
  struct,
  text,
  u32,
  u64,
} from '@quorate/core/codec'
import type { Codec } from '@quorate/core/codec'
import { hashOf } from '@quorate/core/hash'
import { childPathCodec } from './child-path.ts'
import { keyTerms } from './key-certificate.ts'
import { spkiBytesMax } from './public-key.ts'
import { rootMembersMax, rootQuorumCodec, settingsCodec } from './settings.ts'

/**
 * What a stream's steps add up to: records by name. They are written by the reducer and read by it
 * and by the judge; the rest of the world gets copies. `Table<T>` ties a name to its format.
 */
export type Write = { readonly key: string; readonly value: Uint8Array }
export type Table<T> = { readonly prefix: string; readonly codec: Codec<T> }

/** In the root stream. */
export const organizationTable = table(
  'organization',
  struct({ genesis: hash32, manifest: hash32, rootQuorum: rootQuorumCodec }),
)
/** Once for an organization; before the first change the default stands. */
export const settingsTable = table('settings', settingsCodec)
/** A change of settings or of the root quorum that not enough members want yet, by its hash. */
export const proposalTable = table(
  'proposal',
  struct({
    signedBy: list(struct({ user: hash32, fingerprint: hash32 }), rootMembersMax),
    /** 0 once it has come into force: those signatures are used up. */
    expiresAt: u64,
  }),
)
export const credentialsPerUserMax = 32
export const userTable = table(
  'user',
  struct({
    kind: oneOf({ employee: 1, endUser: 2, serviceAccount: 3 }),
    status: oneOf({ active: 1, inactive: 2, archived: 3 }),
    registered: oneOf({ no: 0, yes: 1 }),
    /** How he came to be: whose word there is for his credentials depends on it. */
    origin: oneOf({ founded: 1, invited: 2, delegated: 3, social: 4, made: 5 }),
    /** Who invited him or had him registered. */
    inviter: option(hash32),
    /** The public key that was named in the invitation: it must sign the enrolment. */
    pinned: option(bytes(spkiBytesMax)),
    ssoRequired: oneOf({ no: 0, yes: 1 }),
    /** Fingerprints of his own that are not archived; of another generation than his they are dead. */
    credentials: list(hash32, credentialsPerUserMax),
    generation: u32,
    /** The last generation that was ever given out. */
    generationMax: u32,
    /** From then on the generation is another: nothing needs to happen at that moment. */
    recovery: option(struct({ id: hash32, effectiveAt: u64, generation: u32 })),
  }),
)
/** By user, then fingerprint: one public key may serve two users and is two credentials. */
export const credentialTable = table(
  'credential',
  struct({
    id: hash32,
    kind: oneOf({ Key: 1, Fido2: 2, PasswordProtectedKey: 3, RecoveryKey: 4 }),
    spki: bytes(spkiBytesMax),
    rank: oneOf({ unconfirmed: 0, confirmed: 1 }),
    status: oneOf({ active: 1, inactive: 2, archived: 3 }),
    /** The one token whose bearer this credential speaks for. */
    token: option(hash32),
    /** Of a passkey: the one relying party that it was made for. */
    relyingParty: option(text(253)),
    generation: u32,
  }),
)
/** Full ids to what they stand for, where a path or body names a credential or a recovery alone. */
export const credentialIdTable = table(
  'credentialId',
  struct({ user: hash32, fingerprint: hash32 }),
)
export const recoveryTable = table(
  'recovery',
  struct({
    user: hash32,
    generation: u32,
    effectiveAt: u64,
    status: oneOf({ waiting: 1, cancelled: 2 }),
  }),
)
/** A request for a one-time code: it may bring one credential, unconfirmed. */
export const credentialCodeTable = table(
  'code',
  struct({ user: hash32, expiresAt: u64, used: oneOf({ no: 0, yes: 1 }) }),
)
export const tokenTable = table(
  'token',
  struct({
    user: hash32,
    kind: oneOf({ ServiceAccount: 1, Pat: 2 }),
    status: oneOf({ active: 1, inactive: 2, archived: 3 }),
    expiresAt: u64,
    /** Of its user when it was made: a recovery ends it. */
    generation: u32,
    /** Once it was given permissions of its own, it has those alone, and its user's besides. */
    scoped: oneOf({ no: 0, yes: 1 }),
  }),
)
export const permissionOperationsMax = 256
/** A hundred characters, as UTF-8. */
export const permissionNameBytesMax = 300
export const permissionTable = table(
  'permission',
  struct({
    name: text(permissionNameBytesMax),
    all: oneOf({ no: 0, yes: 1 }),
    immutable: oneOf({ no: 0, yes: 1 }),
    status: oneOf({ active: 1, archived: 2 }),
    operations: list(text(64), permissionOperationsMax),
  }),
)
/** Names of permissions are taken for ever, an archived one's too. */
export const permissionNameTable = table('permissionName', struct({ permission: hash32 }))
/** The permissions assigned to an identity: a user, or a token. */
export const grantsTable = table(
  'grants',
  struct({ entries: list(struct({ permission: hash32, assignment: hash32 }), 64) }),
)
export const holdersMax = 64
/** Employees to whom a permission for everything is assigned: one of them must always remain. */
export const holdersTable = table('holders', struct({ users: list(hash32, holdersMax) }))
/** What a permission's assignments are, by their full id. */
export const assignmentTable = table(
  'assignment',
  struct({
    permission: hash32,
    identity: hash32,
    status: oneOf({ active: 1, ended: 2 }),
  }),
)
/** The longest canonical form of a policy. */
export const policyBytesMax = 16 * 1024
/** Active ones of one kind of activity: every use of a key reads their list. */
export const policiesMax = 1_024
export const policyTable = table(
  'policy',
  struct({
    kind: text(64),
    /** SHA-256 of its canonical form. */
    definition: hash32,
    status: oneOf({ active: 1, archived: 2 }),
  }),
)
/** By kind of activity. */
export const activePoliciesTable = table(
  'policies',
  struct({ policies: list(hash32, policiesMax) }),
)
/** By policy: who wants it to end although nobody can change it, and from when on it has. */
export const breakTable = table(
  'break',
  struct({
    signedBy: list(struct({ user: hash32, fingerprint: hash32 }), rootMembersMax),
    /** Until then the rest of the quorum has to sign. */
    expiresAt: u64,
    /** Empty while not enough have signed. */
    effectiveAt: option(u64),
  }),
)
/** By hash, for ever: what an approval was asked under is found when the policy has changed. */
export const definitionTable = table('definition', struct({ policy: bytes(policyBytesMax) }))
/** What stands still: a user, a key, or with no name the whole organization. */
export const freezeTable = table(
  'freeze',
  struct({
    what: oneOf({ organization: 1, user: 2, key: 3 }),
    target: hash32,
    status: oneOf({ active: 1, ended: 2 }),
  }),
)
/** By what is frozen: the freezes that are in force. */
export const frozenTable = table('frozen', struct({ freezes: list(hash32, 16) }))
/** Wallets of one key: more than one per network is refused, so this bounds itself. */
export const walletsPerKeyMax = 256
/** Users of whom nothing personal is kept any more: for ever. */
export const erasureTable = table('erasure', struct({ erasedAt: u64 }))
export const keyTable = table(
  'key',
  struct({
    terms: keyTerms,
    /** Of a derived key, its master's. */
    certificate: hash32,
    publicKey: bytes(33),
    /** Of a master alone. */
    chainCode: option(hash32),
    derivation: option(struct({ master: hash32, path: childPathCodec })),
    wallets: list(struct({ network: text(64), wallet: hash32 }), walletsPerKeyMax),
    /** Empty: the organization's own. Never changes once it names somebody. */
    owner: option(hash32),
    /** Made to be delegated later, by this service account, which alone may use it until then. */
    delegableBy: option(hash32),
    status: oneOf({ active: 1, archived: 2 }),
  }),
)
/** By master and path: the key there, for ever. */
export const childTable = table(
  'child',
  struct({
    key: hash32,
    /** Of the child at one end of a run of taken indexes, the other end; else of no meaning. */
    runTo: u32,
  }),
)
/** By master: the least index right below it that is free. None stands for 0. */
export const nextChildTable = table('nextChild', struct({ index: u32 }))
/** Keys that were born in the pool and are somebody's by now, by their certificates: for ever. */
export const pooledKeyTable = table('pooled', struct({ key: hash32 }))
export const tagsMax = 50
export const walletTable = table(
  'wallet',
  struct({ key: hash32, network: text(64), tags: list(text(100), tagsMax) }),
)
/** In wei, and each only where there is one; a day is the last 24 hours of the steps' time. */
export const sponsorLimitsCodec = struct({
  perOperation: option(natural),
  perDay: option(natural),
  perUserPerDay: option(natural),
})
export const feeSponsorStatusCodec = oneOf({ active: 1, deactivated: 2, archived: 3 })
/** A standing rule: this wallet pays the fees of others, whoever of them asks. */
export const feeSponsorTable = table(
  'feeSponsor',
  struct({
    wallet: hash32,
    network: text(64),
    status: feeSponsorStatusCodec,
    allowEndUser: oneOf({ no: 0, yes: 1 }),
    limits: sponsorLimitsCodec,
  }),
)
/** By wallet: the newest sponsor that it stands behind. */
export const sponsoringTable = table('sponsoring', struct({ sponsor: hash32 }))
/** Names on the wire, to full ids: a second object of the same name is invalid. */
export const nameTable = table('name', struct({ id: hash32 }))

/** In every stream that is some request's home: its one slot and digests, for ever. */
export const requestTable = table(
  'request',
  struct({
    slot: option(natural),
    digests: list(hash32, 64),
    fee: natural,
    executeBefore: u64,
    /** Of the newest step in which it was used or renewed: the execution window counts from it. */
    time: u64,
  }),
)
/** More policies than this at once, and nobody can be asked for so many approvals. */
export const holdingPoliciesMax = 64
export const decisionsMax = 256
/** What approvers are asked: its hash is the approval's id. */
export const openingCodec = struct({
  request: hash32,
  initiator: hash32,
  policies: list(struct({ policy: hash32, definition: hash32 }), holdingPoliciesMax, 1),
  /** As it was signed: the most that the request can cost in fees. */
  maxFee: option(natural),
  /** Later than that nobody decides any more. */
  expiresAt: u64,
})
/** In the stream where the request itself will stand. */
export const approvalTable = table(
  'approval',
  struct({
    opening: openingCodec,
    status: oneOf({ pending: 1, approved: 2, denied: 3 }),
    decisions: list(
      struct({
        user: hash32,
        fingerprint: hash32,
        value: oneOf({ approved: 1, denied: 2 }),
      }),
      decisionsMax,
    ),
  }),
)
/** By request: the approval that it waits for, or has waited for. */
export const heldTable = table('held', struct({ approval: hash32 }))
/** In the root stream, by approval: only a statement ever says so, where no log could be reached. */
export const denialTable = table('denial', struct({ deniedBy: hash32 }))
/** In a key's stream: how many entries there are. */
export const spentTable = table('spent', struct({ count: u32 }))
/** By number: all uses up to this one, so that two of them say what is between. */
export const spendTable = table(
  'spend',
  struct({
    time: u64,
    /** What only takes another's place is none. */
    uses: u32,
    /** Millionths of a dollar, of those that somebody could price. */
    micros: natural,
    unpriced: u32,
    /** Nobody could tell what they do. */
    unknown: u32,
  }),
)
/** The same by asset, in its smallest unit. */
export const assetSpentTable = table('assetSpent', struct({ count: u32 }))
export const assetSpendTable = table('assetSpend', struct({ time: u64, amount: natural }))
/** In the stream of a key that pays, by sponsor, and by sponsor and user: how many sponsorships. */
export const sponsoredTable = table('sponsored', struct({ count: u32 }))
/** By number as well: the most that all up to this one could cost. */
export const sponsorshipTable = table('sponsorship', struct({ time: u64, amount: natural }))
/** In a key's stream, by network and number: of all its uses the chain carries out one. */
export const slotTable = table(
  'slot',
  struct({
    uses: list(
      struct({
        request: hash32,
        fee: natural,
        /** Whose effect it has: its own request's, of a speed-up the first one's; of a cancellation none. */
        effect: option(hash32),
      }),
      64,
    ),
  }),
)

function table<T>(prefix: string, codec: Codec<T>): Table<T> {
  return { prefix, codec }
}

export function recordKey<T>(
  of: Table<T>,
  ...name: readonly (Uint8Array | string | bigint)[]
): string {
  const parts = name.map((part) => (part instanceof Uint8Array ? toHex(part) : String(part)))
  return [of.prefix, ...parts].join('/')
}

export function encodeRecord<T>(of: Table<T>, value: T): Uint8Array {
  return encode(of.codec, value)
}

/** @throws Failure `bytes.malformed`: the store has changed what was written */
export function decodeRecord<T>(of: Table<T>, value: Uint8Array): T {
  return decode(of.codec, value)
}

/** A step's `written`: over its writes in the order in which the reducer made them. */
export function writtenHash(writes: readonly Write[]): Uint8Array {
  return hashOf('quorate/written/1', ...writes.flatMap(({ key, value }) => [toUtf8(key), value]))
}

export type RecordOf<T> = T extends Table<infer V> ? V : never
