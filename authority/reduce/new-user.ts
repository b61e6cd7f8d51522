import { idOf } from '@quorate/core/id'
import { fingerprintOf } from '../credential.ts'
import { credentialIdTable, credentialTable, userTable } from '../records.ts'
import type { NewCredential } from '../step.ts'
import type { User } from '../standing.ts'
import type { Judging } from './judging.ts'
import { put, putName, type Write } from './writes.ts'

type NewUser = Pick<User, 'kind' | 'origin'> & {
  readonly user: Uint8Array
  readonly spki: Uint8Array
  /** Of a service account: its credential is the token's, and not its own. */
  readonly token: Uint8Array | undefined
}

/** What is true of every user who has just come to be. */
export const newborn = {
  status: 'active',
  registered: 'no',
  inviter: undefined,
  pinned: undefined,
  ssoRequired: 'no',
  credentials: [],
  generation: 0,
  generationMax: 0,
  recovery: undefined,
} as const satisfies Partial<User>

/**
 * A user together with his first key, which is covered by a signature of somebody trusted and hence
 * confirmed at birth.
 */
export function newUser(judging: Judging, made: NewUser): readonly Write[] {
  const { user, kind, origin, spki, token } = made
  const credentials = token === undefined ? [fingerprintOf(spki)] : []
  const born = { ...newborn, kind, origin, registered: 'yes', credentials } as const
  const key = { kind: 'Key', publicKey: spki, rank: 'confirmed', relyingParty: undefined } as const
  return [
    put(userTable, [user], born),
    putName(judging, 'user', user),
    ...newCredential(judging, { user, index: 0, credential: key, generation: 0, token }),
  ]
}

/** The records of one credential that a request brings; the list of its user's is another's to write. */
export function newCredential(
  judging: Judging,
  made: {
    readonly user: Uint8Array
    /** Which of those that the request brings. */
    readonly index: number
    readonly credential: NewCredential
    readonly generation: number
    readonly token: Uint8Array | undefined
  },
): readonly Write[] {
  const { user, index, credential, generation, token } = made
  const { kind, publicKey: spki, rank, relyingParty } = credential
  const id = idOf(judging.request, 'credential', index)
  const fingerprint = fingerprintOf(spki)
  return [
    put(credentialTable, [user, fingerprint], {
      ...{ id, kind, spki, rank, token, relyingParty, generation },
      status: 'active',
    }),
    put(credentialIdTable, [id], { user, fingerprint }),
    putName(judging, 'credential', id),
  ]
}
