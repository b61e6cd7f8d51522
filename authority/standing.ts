import { equalBytes } from '@quorate/core/bytes'
import { hashOf } from '@quorate/core/hash'
import { covers, meaningOf } from './permission-names.ts'
import {
  credentialTable,
  feeSponsorTable,
  frozenTable,
  grantsTable,
  organizationTable,
  permissionTable,
  recoveryTable,
  settingsTable,
  sponsoringTable,
  tokenTable,
  userTable,
  type RecordOf,
  type Table,
} from './records.ts'
import { defaultSettings, type Settings } from './settings.ts'

/**
 * What the records of an organization say of somebody at a moment: the same for the rules, for the
 * server that lists it and for the verifier. `time` is in milliseconds since 1970: a step's time
 * where it decides, a clock's where it is shown.
 */
export type RootRecords = {
  readonly find: <T>(table: Table<T>, ...name: readonly (Uint8Array | string)[]) => T | undefined
}

export type User = RecordOf<typeof userTable>
export type Credential = RecordOf<typeof credentialTable>
export type Token = RecordOf<typeof tokenTable>
export type FeeSponsor = RecordOf<typeof feeSponsorTable>

export function settingsOf({ find }: RootRecords): Settings {
  return find(settingsTable) ?? defaultSettings
}

/** Which of his credentials count: a recovery whose time has come has moved on from the older ones. */
export function generationOf({ generation, recovery }: User, time: number): number {
  return recovery !== undefined && time >= recovery.effectiveAt ? recovery.generation : generation
}

/** A recovery that has been asked for and does not count yet. */
export function waitingRecovery({ recovery }: User, time: number): User['recovery'] {
  return recovery !== undefined && time < recovery.effectiveAt ? recovery : undefined
}

export function isActive(user: User | undefined): user is User {
  return user?.status === 'active'
}

/** Not archived or switched off, and not of before a recovery. Says nothing about its rank. */
export function isCredentialLive(user: User, credential: Credential, time: number): boolean {
  return credential.status === 'active' && credential.generation === generationOf(user, time)
}

/** A token lives and dies with its user, and with the generation it was made in. */
export function isTokenLive(records: RootRecords, token: Token, time: number): boolean {
  const user = records.find(userTable, token.user)
  return (
    isActive(user) &&
    token.status === 'active' &&
    time <= token.expiresAt &&
    token.generation === generationOf(user, time)
  )
}

/** What somebody may do, in today's names. */
export type Rights = { readonly all: boolean; readonly names: ReadonlySet<string> }

/**
 * @param token a personal access token has the rights that both it and its user have now; one that
 *   was never given any of its own has its user's
 */
export function rightsOf(
  records: RootRecords,
  user: Uint8Array,
  token?: { readonly id: Uint8Array; readonly record: Token },
): Rights {
  const own = grantedTo(records, user)
  if (token === undefined || token.record.kind !== 'Pat' || token.record.scoped === 'no') return own
  const given = grantedTo(records, token.id)
  if (given.all) return own
  if (own.all) return given
  return { all: false, names: new Set([...given.names].filter((name) => own.names.has(name))) }
}

export function has({ all, names }: Rights, needed: string): boolean {
  return all || names.has(needed)
}

/** The names of the permissions from which an identity has what is needed, for whoever asks why. */
export function permissionsBehind(
  { find }: RootRecords,
  identity: Uint8Array,
  needed: readonly string[],
): readonly string[] {
  return (find(grantsTable, identity)?.entries ?? []).flatMap(({ permission }) => {
    const record = find(permissionTable, permission)
    if (record?.status !== 'active') return []
    const gives = record.all === 'yes' || needed.some((name) => covers(record.operations, name))
    return gives ? [record.name] : []
  })
}

function grantedTo({ find }: RootRecords, identity: Uint8Array): Rights {
  const held = (find(grantsTable, identity)?.entries ?? []).flatMap(({ permission }) => {
    const record = find(permissionTable, permission)
    return record?.status === 'active' ? [record] : []
  })
  return {
    all: held.some(({ all }) => all === 'yes'),
    names: new Set(held.flatMap(({ operations }) => operations.flatMap(meaningOf))),
  }
}

/** The fingerprints of the credentials that nobody trusted has covered yet, sorted. */
export function unconfirmedOf(
  { find }: RootRecords,
  user: Uint8Array,
  time: number,
): readonly Uint8Array[] {
  const record = find(userTable, user)
  if (record === undefined) return []
  return record.credentials
    .filter((fingerprint) => {
      const credential = find(credentialTable, user, fingerprint)
      return (
        credential !== undefined &&
        credential.rank === 'unconfirmed' &&
        isCredentialLive(record, credential, time)
      )
    })
    .toSorted((a, b) => Buffer.compare(a, b))
}

/** What an author vouches for: this user, with just these credentials. */
export function credentialSetHash(
  user: Uint8Array,
  fingerprints: readonly Uint8Array[],
): Uint8Array {
  return hashOf('quorate/credentials/1', user, ...fingerprints)
}

/** Whose fees does this wallet pay others' with? An archived sponsor pays for nobody any more. */
export function sponsorOf(
  { find }: RootRecords,
  wallet: Uint8Array,
): { readonly id: Uint8Array; readonly record: FeeSponsor } | undefined {
  const id = find(sponsoringTable, wallet)?.sponsor
  const record = id && find(feeSponsorTable, id)
  return id === undefined || record === undefined || record.status === 'archived'
    ? undefined
    : { id, record }
}

/** Is the organization, this user or this key frozen? */
export function isFrozen({ find }: RootRecords, target: Uint8Array): boolean {
  return (find(frozenTable, target)?.freezes ?? []).length > 0
}

/**
 * Would somebody be left to lift freezes if these users stood still as well? Who is frozen lifts
 * nothing: if that were every member of the root quorum, it would be for ever.
 */
export function isLiftableWithout(records: RootRecords, ...users: readonly Uint8Array[]): boolean {
  const members = records.find(organizationTable)?.rootQuorum.members ?? []
  return members.some(
    (member) =>
      !users.some((user) => equalBytes(member, user)) &&
      isActive(records.find(userTable, member)) &&
      !isFrozen(records, member),
  )
}

/** Does this recovery bring anything confirmed? Then no credential below that rank may hold it up. */
export function bringsConfirmed(
  { find }: RootRecords,
  user: Uint8Array,
  generation: number,
): boolean {
  return (find(userTable, user)?.credentials ?? []).some((fingerprint) => {
    const credential = find(credentialTable, user, fingerprint)
    return credential?.generation === generation && credential.rank === 'confirmed'
  })
}

export function isRecoveryWaiting(
  { find }: RootRecords,
  recovery: Uint8Array,
  time: number,
): boolean {
  const record = find(recoveryTable, recovery)
  const user = record && find(userTable, record.user)
  const current = user?.recovery
  return (
    record?.status === 'waiting' &&
    current !== undefined &&
    equalBytes(current.id, recovery) &&
    time < record.effectiveAt
  )
}
