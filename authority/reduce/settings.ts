import { equalBytes } from '@quorate/core/bytes'
import { encode } from '@quorate/core/codec'
import { hashOf } from '@quorate/core/hash'
import type { Json, JsonObject } from '@quorate/core/json'
import {
  credentialTable,
  nameTable,
  organizationTable,
  proposalTable,
  settingsTable,
  userTable,
  type RecordOf,
} from '../records.ts'
import { rootQuorumCodec, settingsCodec, type RootQuorum, type Settings } from '../settings.ts'
import {
  isActive,
  isCredentialLive,
  isFrozen,
  settingsOf,
  type Credential,
  type User,
} from '../standing.ts'
import type { Authored } from './author.ts'
import { find, recordsOf, refuse, type Judging } from './judging.ts'
import { known, readRootQuorum, readSettings } from './settings-body.ts'
import { put, type Reduced } from './writes.ts'

/** So long a proposal waits for the rest of its quorum, from its first signature on. */
const proposalLifeMs = 7 * 24 * 60 * 60_000

type Change = { readonly settings: Settings; readonly rootQuorum: RootQuorum }
type Signer = RecordOf<typeof proposalTable>['signedBy'][number]

/**
 * `PUT /orgs/settings`: nothing but the root quorum changes what everybody else is judged by. Each
 * member signs what he wants in words of his own; those who arrive at the same outcome, to the
 * byte, have agreed, and with enough of them it is in force.
 */
export function reduceSettings(judging: Judging, authored: Authored): Reduced {
  const standing = standingOf(judging)
  const signer = memberAmong(judging, standing.rootQuorum, authored)
  const change = changeOf(judging, known(authored.body, ['settings', 'rootQuorum']), standing)
  const proposal = proposalHash(change)
  if (equalBytes(proposal, proposalHash(standing))) refuse('nothing would change')
  const earlier = earlierSigners(judging, standing.rootQuorum, proposal)
  const others = earlier.signedBy.filter(({ user }) => !equalBytes(user, signer.user))
  const signedBy = [...others, signer]
  const isInForce = signedBy.length >= standing.rootQuorum.needed
  const kept = isInForce
    ? { signedBy: [], expiresAt: 0 }
    : { signedBy, expiresAt: earlier.expiresAt }
  const writes = [put(proposalTable, [proposal], kept)]
  return {
    operation: { kind: 'settings', proposal, ...change, inForce: isInForce ? 'yes' : 'no' },
    writes: isInForce ? [...writes, ...enforced(judging, change)] : writes,
  }
}

/** Names an outcome: whoever signs for another one, however near, has not signed for this. */
export function proposalHash({ settings, rootQuorum }: Change): Uint8Array {
  return hashOf(
    'quorate/settings/1',
    encode(settingsCodec, settings),
    encode(rootQuorumCodec, rootQuorum),
  )
}

function standingOf(judging: Judging): Change {
  const organization = find(judging, organizationTable)
  if (organization === undefined) return refuse('an organization begins with its genesis')
  return { settings: settingsOf(recordsOf(judging)), rootQuorum: organization.rootQuorum }
}

function enforced(judging: Judging, { settings, rootQuorum }: Change) {
  const organization = find(judging, organizationTable)
  if (organization === undefined) return refuse('an organization begins with its genesis')
  return [
    put(settingsTable, [], settings),
    put(organizationTable, [], { ...organization, rootQuorum }),
  ]
}

/** The member who has signed, by whichever of his own credentials. */
function memberAmong(
  judging: Judging,
  rootQuorum: RootQuorum,
  { user, fingerprints }: Pick<Authored, 'user' | 'fingerprints'>,
): Signer {
  if (!isRootMember(rootQuorum, user)) refuse('the author is not of the root quorum')
  const fingerprint = fingerprints.find((one) => speaks(judging, { user, fingerprint: one }))
  return fingerprint === undefined
    ? refuse('the credential may not speak for the root quorum')
    : { user, fingerprint }
}

export function isRootMember({ members }: RootQuorum, user: Uint8Array): boolean {
  return members.some((member) => equalBytes(member, user))
}

/** Whoever signed before counts as long as the same signature would be believed today. */
function earlierSigners(judging: Judging, rootQuorum: RootQuorum, proposal: Uint8Array) {
  const { time } = judging.step
  const known = find(judging, proposalTable, proposal)
  if (known === undefined || time > known.expiresAt)
    return { signedBy: [], expiresAt: time + proposalLifeMs }
  const signedBy = known.signedBy.filter(
    (one) => isRootMember(rootQuorum, one.user) && stillSpeaks(judging, one),
  )
  return { signedBy, expiresAt: known.expiresAt }
}

/**
 * May this credential govern for this user? Not one that the server keeps under a password, which
 * it could guess.
 */
export function speaks(judging: Judging, { user, fingerprint }: Signer): boolean {
  const record = find(judging, userTable, user)
  const credential = find(judging, credentialTable, user, fingerprint)
  return (
    isEmployee(record) &&
    credential !== undefined &&
    (credential.kind === 'Key' || credential.kind === 'Fido2') &&
    isConfirmed(judging, record, credential)
  )
}

/** Would what was signed then be believed now? Whoever is frozen asks for nothing. */
export function stillSpeaks(judging: Judging, signer: Signer): boolean {
  return speaks(judging, signer) && !isFrozen(recordsOf(judging), signer.user)
}

function isEmployee(user: User | undefined): user is User {
  return isActive(user) && user.kind === 'employee'
}

function isConfirmed({ step }: Judging, user: User, credential: Credential): boolean {
  return credential.rank === 'confirmed' && isCredentialLive(user, credential, step.time)
}

function changeOf(judging: Judging, body: JsonObject, standing: Change): Change {
  const { settings, rootQuorum } = body
  return {
    settings:
      settings === undefined
        ? standing.settings
        : readSettings(settings, standing.settings, (name) => memberNamed(judging, name)),
    rootQuorum: rootQuorum === undefined ? standing.rootQuorum : quorumOf(judging, rootQuorum),
  }
}

function quorumOf(judging: Judging, asked: Json): RootQuorum {
  const { needed, members } = readRootQuorum(asked)
  const named = members.map((name) => memberNamed(judging, name))
  if (named.every((member) => isFrozen(recordsOf(judging), member)))
    refuse('nobody would be left to lift a freeze')
  return { needed, members: named }
}

/** Somebody who could sign the next change: a quorum of others would be the end of all changes. */
function memberNamed(judging: Judging, name: string): Uint8Array {
  const user = find(judging, nameTable, name)?.id
  const isAble =
    user !== undefined &&
    find(judging, userTable, user)?.credentials.some((fingerprint) =>
      speaks(judging, { user, fingerprint }),
    )
  return isAble ? user : refuse(`${name} is no employee with a confirmed credential`)
}
