import { expirationOf } from '@quorate/authority/reduce/credentials'
import { Failure } from '@quorate/core/failure'
import { isObject, parseJson } from '@quorate/core/json'
import type { Caller } from '../auth/caller.ts'
import { issueCredentialCode } from '../auth/codes.ts'
import { receiptOf } from '../auth/receipt.ts'
import { settleSigned } from '../auth/settle.ts'
import { useAction } from '../auth/use-action.ts'
import { inTransaction } from '../database/database.ts'
import type { RawRequest } from '../http/route.ts'
import type { CredentialDeps } from './begin.ts'
import { localNamed } from './local.ts'

export type StatusChange = 'active' | 'inactive' | 'archived'

/** Activates, deactivates and deletes: of what the signers know they decide, of the rest we do. */
export async function changeCredential(
  deps: CredentialDeps,
  caller: Caller,
  raw: RawRequest,
  { credentialUuid, status }: { readonly credentialUuid: string; readonly status: StatusChange },
): Promise<{ readonly message: string } & Partial<ReturnType<typeof receiptOf>>> {
  const local = await localNamed(deps.database, caller, credentialUuid)
  if (local === undefined) {
    const { inForce } = await settleSigned(deps, caller, raw, { kind: 'credentialStatus' })
    const told = status === 'active' ? {} : receiptOf(inForce, deps.manifest)
    return { message: 'success', ...told }
  }
  await inTransaction(deps.database, async (transaction) => {
    await useAction(transaction, caller, raw, deps.now())
    const { organization } = caller
    if (status === 'archived')
      await transaction
        .deleteFrom('local_credentials')
        .where('organization', '=', organization)
        .where('id', '=', local)
        .execute()
    else
      await transaction
        .updateTable('local_credentials')
        .set({ status })
        .where('organization', '=', organization)
        .where('id', '=', local)
        .execute()
  })
  return { message: 'success' }
}

/** `POST /auth/credentials/code`: the signers know of it before anybody is told the code. */
export async function createCode(deps: CredentialDeps, caller: Caller, raw: RawRequest) {
  const { action } = await settleSigned(deps, caller, raw, { kind: 'credentialCode' })
  const { organization, user } = caller
  const body = parseJson(action.payload)
  const expiresAt = isObject(body) ? expirationOf(body) : undefined
  if (expiresAt === undefined) throw new Failure('challenge.invalid', {})
  const { request } = action
  const code = await inTransaction(deps.database, (transaction) =>
    issueCredentialCode(transaction, { organization, user, request, expiresAt }),
  )
  return { code, expiration: new Date(expiresAt).toISOString() }
}
