import type { AllowsOrigin } from '../http/cors.ts'
import type { Database, DatabaseTransaction } from '../database/database.ts'
import type { Settings } from '@quorate/authority/settings'

/** Its own, from the settings in force: those of its passkeys. */
export async function replaceOrigins(
  transaction: DatabaseTransaction,
  organization: Uint8Array,
  { relyingParties }: Settings,
): Promise<void> {
  await transaction
    .deleteFrom('organization_origins')
    .where('organization', '=', organization)
    .execute()
  const origins = new Set(relyingParties.flatMap((party) => party.origins))
  if (origins.size === 0) return
  await transaction
    .insertInto('organization_origins')
    .values([...origins].map((origin) => ({ organization, origin })))
    .execute()
}

/**
 * Those of all organizations, since a preflight names none of them, and those of the operator. One
 * look into an index: to ask whether something remembered still holds would cost as much.
 */
export function originsOf(database: Database, operators: readonly string[]): AllowsOrigin {
  const always: ReadonlySet<string> = new Set(operators)
  return async (origin) => {
    if (always.has(origin)) return true
    const row = await database
      .selectFrom('organization_origins')
      .select('origin')
      .where('origin', '=', origin)
      .limit(1)
      .executeTakeFirst()
    return row !== undefined
  }
}
