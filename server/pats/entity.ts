import type { Database } from '../database/database.ts'
import type { Root } from '../auth/log.ts'
import { grantsOf, isTokenLive } from '../auth/standing.ts'

/** Long-lived tokens of whatever kind, with the credential that speaks for each. */
export function tokens(database: Database, organization: Uint8Array) {
  return database
    .selectFrom('tokens')
    .innerJoin('users', (join) =>
      join
        .onRef('users.organization', '=', 'tokens.organization')
        .onRef('users.id', '=', 'tokens.user'),
    )
    .innerJoin('credentials', (join) =>
      join
        .onRef('credentials.organization', '=', 'tokens.organization')
        .onRef('credentials.id', '=', 'tokens.credential'),
    )
    .select([
      'users.id as user',
      'users.user_id as userId',
      'users.username',
      'tokens.id as token',
      'tokens.token_id as tokenId',
      'tokens.name as tokenName',
      'tokens.created_at as createdAt',
      'tokens.expires_at as expiresAt',
      'credentials.cred_id as credId',
      'credentials.public_key as publicKey',
    ])
    .where('tokens.organization', '=', organization)
}

export type TokenRow = Awaited<ReturnType<ReturnType<typeof tokens>['executeTakeFirstOrThrow']>>

type Seen = { readonly root: Root; readonly orgId: string; readonly now: number }

/** As the API shows it. A service account's token has the permissions of its account. */
export function accessTokenOf<K extends 'Pat' | 'ServiceAccount'>(
  row: TokenRow,
  kind: K,
  { root, orgId, now }: Seen,
) {
  const { userId, credId, publicKey, tokenId } = row
  return {
    dateCreated: new Date(row.createdAt).toISOString(),
    credId,
    isActive: isTokenLive(root, row.token, now),
    kind,
    linkedUserId: userId,
    linkedAppId: '',
    name: row.tokenName ?? row.username,
    orgId,
    permissionAssignments: grantsOf(root, kind === 'Pat' ? row.token : row.user),
    publicKey,
    tokenId,
  }
}
