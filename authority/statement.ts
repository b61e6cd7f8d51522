import { equalBytes, toBase64url } from '@quorate/core/bytes'
import { bytes, decode, encode, hash32, oneOf, struct, u64 } from '@quorate/core/codec'
import type { Decoded } from '@quorate/core/codec'
import { hashOf, sha256 } from '@quorate/core/hash'
import { idOf } from '@quorate/core/id'
import { tagged } from './agreement/messages.ts'
import { assertionsCodec, fingerprintOf, verifyAssertion, type Assertion } from './credential.ts'
import {
  breakTable,
  credentialIdTable,
  credentialTable,
  denialTable,
  freezeTable,
  frozenTable,
  keyTable,
  organizationTable,
  recordKey,
  encodeRecord,
  recoveryTable,
  tokenTable,
  userTable,
  type Table,
  type Write,
} from './records.ts'
import { policyOf } from './reduce/author.ts'
import { recoveryWaitMsMax } from './settings.ts'
import {
  bringsConfirmed,
  has,
  isActive,
  isCredentialLive,
  isFrozen,
  isLiftableWithout,
  isRecoveryWaiting,
  isTokenLive,
  rightsOf,
  settingsOf,
  type RootRecords,
  type Token,
  type User,
} from './standing.ts'

/**
 * The second road to the signers: words that take something away, signed by themselves, and needing
 * no server, no challenge and no order. Whoever carries them can only withhold them.
 */
const words = struct({
  organization: hash32,
  user: hash32,
  kind: oneOf({
    freezeOrganization: 1,
    freezeUser: 2,
    freezeKey: 3,
    revokeCredential: 4,
    revokeToken: 5,
    cancelRecovery: 6,
    denyApproval: 7,
    keepPolicy: 8,
  }),
  /** In full: of the organization, user, key, credential, token, recovery, approval or policy. */
  target: hash32,
  nonce: hash32,
  /** For people. One that was signed in advance and kept in a safe counts as well. */
  issuedAt: u64,
})
export type Statement = Decoded<typeof words>
/** No request begins like this: what is signed for one is never taken for the other. */
const statementCodec = tagged('quorate/statement/1', words)

const signedCodec = struct({ statement: bytes(256), assertions: assertionsCodec })
export const signedStatementBytesMax = 16 * 1024

export function encodeStatement(statement: Statement): Uint8Array {
  return encode(statementCodec, statement)
}

/** What a key or passkey signs, as for any request. */
export function statementChallenge(encoded: Uint8Array): string {
  return toBase64url(sha256(encoded))
}

export function encodeSigned(encoded: Uint8Array, assertion: Assertion): Uint8Array {
  return encode(signedCodec, { statement: encoded, assertions: [assertion] })
}

/** What a signer signs when it has kept a statement. */
export function acknowledgement(manifest: Uint8Array, statement: Uint8Array): Uint8Array {
  return hashOf('quorate/acknowledgement/1', manifest, statement)
}

export type ReadStatement = {
  /** Of what was signed: the same words by another signature are the same statement. */
  readonly hash: Uint8Array
  readonly challenge: string
  readonly statement: Statement
  readonly assertion: Assertion
}

/** Says nothing yet of who has signed. @throws Failure `bytes.malformed` */
export function readStatement(signed: Uint8Array): ReadStatement | undefined {
  const { statement, assertions } = decode(signedCodec, signed)
  const [assertion, ...more] = assertions
  if (assertion === undefined || more.length > 0) return undefined
  return {
    hash: sha256(statement),
    challenge: statementChallenge(statement),
    statement: decode(statementCodec, statement),
    assertion,
  }
}

/**
 * May this author take this away, as far as these records know? The signature is a live and
 * confirmed credential's over the statement itself.
 *
 * @param restricted the records as earlier statements would leave them: together they must leave
 *   somebody to lift what they stop
 * @returns why not
 */
export function refusedStatement(
  records: RootRecords,
  read: ReadStatement,
  time: number,
  restricted = records,
): string | undefined {
  const { statement } = read
  const user = records.find(userTable, statement.user)
  if (!isActive(user)) return 'the user is not active'
  const signer = signerOf(records, read, user, time)
  if (typeof signer === 'string') return signer
  const rights = rightsOf(records, statement.user, signer.token)
  const holds = (name: string) => user.kind !== 'endUser' && has(rights, name)
  if (!mayTake(records, statement, { time, holds })) return 'the author may not take this away'
  if (isFrozen(restricted, statement.user) && !mayFrozenTake(records, statement))
    return 'the user is frozen'
  const isForEver =
    statement.kind === 'freezeUser' && !isLiftableWithout(restricted, statement.target)
  return isForEver ? 'nobody would be left to lift it' : undefined
}

type Signer = { readonly token: { readonly id: Uint8Array; readonly record: Token } | undefined }

function signerOf(
  records: RootRecords,
  { statement, assertion, challenge }: ReadStatement,
  user: User,
  time: number,
): Signer | string {
  const credential = records.find(credentialTable, statement.user, assertion.fingerprint)
  if (credential === undefined || !isCredentialLive(user, credential, time))
    return 'the credential is not active'
  if (credential.rank !== 'confirmed' && !isOfEqualRank(records, statement))
    return 'the credential is not confirmed'
  if (credential.kind === 'RecoveryKey') return 'a recovery key signs recoveries alone'
  const settings = settingsOf(records)
  const isSigned =
    equalBytes(fingerprintOf(credential.spki), assertion.fingerprint) &&
    verifyAssertion(credential, challenge, assertion, policyOf(settings))
  if (!isSigned) return 'the signature is not valid'
  if (credential.token === undefined) return { token: undefined }
  const record = records.find(tokenTable, credential.token)
  if (record === undefined || !isTokenLive(records, record, time)) return 'the token is not active'
  return { token: { id: credential.token, record } }
}

/** As in the log: whom nobody has confirmed may cancel a recovery that brings nothing confirmed. */
function isOfEqualRank(records: RootRecords, { kind, target, user }: Statement): boolean {
  const recovery = kind === 'cancelRecovery' ? records.find(recoveryTable, target) : undefined
  return recovery !== undefined && !bringsConfirmed(records, user, recovery.generation)
}

/** As in the log: whoever is frozen freezes, which can be lifted, and ends what is his own. */
function mayFrozenTake({ find }: RootRecords, { kind, target, user }: Statement): boolean {
  if (kind === 'denyApproval' || kind === 'keepPolicy') return false
  const token = kind === 'revokeToken' ? find(tokenTable, target) : undefined
  return token === undefined || equalBytes(token.user, user)
}

function mayTake(
  records: RootRecords,
  { organization, user, kind, target }: Statement,
  { time, holds }: { readonly time: number; readonly holds: (name: string) => boolean },
): boolean {
  const { find } = records
  const isOwn = (owner: Uint8Array | undefined) => owner !== undefined && equalBytes(owner, user)
  switch (kind) {
    case 'freezeOrganization':
      return (
        equalBytes(target, organization) &&
        (find(organizationTable)?.rootQuorum.members.some(isOwn) ?? false)
      )
    case 'freezeUser':
      return (
        find(userTable, target) !== undefined && (isOwn(target) || holds('Auth:Users:Deactivate'))
      )
    case 'freezeKey': {
      const key = find(keyTable, target)
      return key !== undefined && (isOwn(key.owner) || holds('Keys:Update'))
    }
    case 'revokeCredential':
      return isOwn(find(credentialIdTable, target)?.user)
    case 'revokeToken': {
      const token = find(tokenTable, target)
      const isAccount = token?.kind === 'ServiceAccount'
      return isOwn(token?.user) || (isAccount && holds('Auth:ServiceAccounts:Deactivate'))
    }
    case 'cancelRecovery':
      return isOwn(find(recoveryTable, target)?.user) && isRecoveryWaiting(records, target, time)
    // It stands in a stream that nobody may have shown this signer: its id stands for all of it.
    case 'denyApproval':
      return holds('Policies:Approvals:Approve')
    case 'keepPolicy': {
      const effectiveAt = find(breakTable, target)?.effectiveAt
      const isEmployee = find(userTable, user)?.kind === 'employee'
      return isEmployee && effectiveAt !== undefined && time < effectiveAt
    }
  }
}

/** A freeze by statement has an id like any other, so that the log can say that it was lifted. */
export function freezeOf(hash: Uint8Array): Uint8Array {
  return idOf(hash, 'freeze')
}

/**
 * What the records would be if the statement stood in them: whoever has accepted it judges all that
 * is new by these. Nothing, where a freeze was lifted since by the root quorum.
 */
export function overridesOf(
  { find }: RootRecords,
  { hash, statement }: Pick<ReadStatement, 'hash' | 'statement'>,
): readonly Write[] {
  const { kind, target } = statement
  switch (kind) {
    case 'freezeOrganization':
    case 'freezeUser':
    case 'freezeKey':
      return find(freezeTable, freezeOf(hash))?.status === 'ended'
        ? []
        : [write(frozenTable, [target], { freezes: [freezeOf(hash)] })]
    case 'revokeCredential': {
      const named = find(credentialIdTable, target)
      const credential = named && find(credentialTable, named.user, named.fingerprint)
      if (named === undefined || credential === undefined) return []
      const name = [named.user, named.fingerprint]
      return [write(credentialTable, name, { ...credential, status: 'archived' })]
    }
    case 'revokeToken': {
      const token = find(tokenTable, target)
      return token === undefined
        ? []
        : [write(tokenTable, [target], { ...token, status: 'archived' })]
    }
    case 'cancelRecovery': {
      const recovery = find(recoveryTable, target)
      const user = recovery && find(userTable, recovery.user)
      if (recovery === undefined || user?.recovery === undefined) return []
      // A later recovery of the same user is another matter.
      if (!equalBytes(user.recovery.id, target)) return []
      return [
        write(userTable, [recovery.user], { ...user, recovery: undefined }),
        write(recoveryTable, [target], { ...recovery, status: 'cancelled' }),
      ]
    }
    case 'denyApproval':
      return [write(denialTable, [target], { deniedBy: statement.user })]
    case 'keepPolicy': {
      const effectiveAt = find(breakTable, target)?.effectiveAt
      // A later end of the same policy is another matter.
      const isMeant =
        effectiveAt !== undefined &&
        statement.issuedAt <= effectiveAt &&
        effectiveAt - statement.issuedAt <= recoveryWaitMsMax
      const kept = { signedBy: [], expiresAt: 0, effectiveAt: undefined }
      return isMeant ? [write(breakTable, [target], kept)] : []
    }
  }
}

function write<T>(table: Table<T>, name: readonly Uint8Array[], value: T): Write {
  return { key: recordKey(table, ...name), value: encodeRecord(table, value) }
}
