import { toHex } from '@quorate/core/bytes'
import { Failure } from '@quorate/core/failure'
import { nameOf } from '@quorate/core/id'
import { fingerprintWords } from '@quorate/core/words'
import type { Credential } from '@quorate/api/credentials'
import { credentialTable, userTable } from '@quorate/authority/records'
import { isCredentialLive } from '@quorate/authority/standing'
import { defaultCredentialName } from '../auth/add-credentials.ts'
import type { Caller } from '../auth/caller.ts'
import { readRoot, type Root } from '../auth/log.ts'
import type { SettleDeps } from '../auth/settle.ts'
import type { Database } from '../database/database.ts'

/** More than the rules let a user have, with the archived. */
const credentialsMax = 1000

type Whose = Pick<Caller, 'organization' | 'user'>

/** His own, oldest first: not those of his tokens, and none that is archived. */
export async function credentialsOf(
  { database, log, now }: SettleDeps,
  whose: Whose,
): Promise<Credential[]> {
  const rows = await database
    .selectFrom('credentials')
    .select(['id', 'cred_id', 'fingerprint', 'public_key', 'name', 'origin', 'created_at'])
    .where('organization', '=', whose.organization)
    .where('user', '=', whose.user)
    .where('token', 'is', null)
    .orderBy('created_at')
    .orderBy('id')
    .limit(credentialsMax)
    .execute()
  const signing = await readRoot(log, whose.organization, (root) =>
    rows.flatMap((row) => {
      const shown = credentialOf(root, whose, { row, now: now() })
      return shown === undefined ? [] : [shown]
    }),
  )
  return [...signing, ...(await localsOf(database, whose))]
}

/** @throws Failure `credential.not_found` */
export async function credentialNamed(
  deps: SettleDeps,
  whose: Whose,
  id: Uint8Array,
): Promise<Credential> {
  const credentialUuid = nameOf('credential', id)
  const all = await credentialsOf(deps, whose)
  const found = all.find((one) => one.credentialUuid === credentialUuid)
  if (found === undefined) throw new Failure('credential.not_found', { credentialUuid })
  return found
}

type Row = {
  readonly id: Uint8Array
  readonly cred_id: string
  readonly fingerprint: Uint8Array
  readonly public_key: string
  readonly name: string | null
  readonly origin: string | null
  readonly created_at: number
}

function credentialOf(
  root: Root,
  { user }: Whose,
  { row, now }: { readonly row: Row; readonly now: number },
): Credential | undefined {
  const record = root.find(userTable, user)
  const credential = root.find(credentialTable, user, row.fingerprint)
  if (record === undefined || credential === undefined || credential.status === 'archived')
    return undefined
  return {
    ...{ kind: credential.kind, credentialId: row.cred_id, publicKey: row.public_key },
    credentialUuid: nameOf('credential', row.id),
    dateCreated: new Date(row.created_at).toISOString(),
    isActive: isCredentialLive(record, credential, now),
    name: row.name ?? defaultCredentialName,
    relyingPartyId: credential.relyingParty ?? '',
    origin: row.origin ?? '',
    rank: credential.rank,
    fingerprint: toHex(row.fingerprint),
    words: [...fingerprintWords(row.fingerprint)],
  }
}

async function localsOf(database: Database, whose: Whose): Promise<Credential[]> {
  const rows = await database
    .selectFrom('local_credentials')
    .select(['id', 'kind', 'name', 'status', 'created_at'])
    .where('organization', '=', whose.organization)
    .where('user', '=', whose.user)
    .orderBy('created_at')
    .orderBy('id')
    .limit(credentialsMax)
    .execute()
  return rows.map(({ id, kind, name, status, created_at }) => ({
    ...{ kind, name, publicKey: '', relyingPartyId: '', origin: '' },
    credentialId: nameOf('credential', id),
    credentialUuid: nameOf('credential', id),
    dateCreated: new Date(created_at).toISOString(),
    isActive: status === 'active',
  }))
}
