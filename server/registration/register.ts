import { fromBase64url, fromUtf8, toUtf8 } from '@quorate/core/bytes'
import { Failure, isFailure } from '@quorate/core/failure'
import { sha256 } from '@quorate/core/hash'
import { idOf, nameOf } from '@quorate/core/id'
import { isObject, parseJson } from '@quorate/core/json'
import { fingerprintOf, type Assertion } from '@quorate/authority/credential'
import { userTable } from '@quorate/authority/records'
import { completionHash } from '@quorate/authority/request'
import type { Evidence } from '@quorate/authority/step'
import { broughtIn, checkCredentialNames, firstOf } from '../auth/add-credentials.ts'
import type { Caller } from '../auth/caller.ts'
import { readRoot } from '../auth/log.ts'
import { releaseNewcomer, useNewcomer } from '../auth/newcomer.ts'
import { settleCompleted, type SettleDeps } from '../auth/settle.ts'
import { inTransaction } from '../database/database.ts'
import type { RawRequest } from '../http/route.ts'

/**
 * `POST /auth/registration`: burns the temporary token and puts what it brought in force. A server
 * that dies on the way leaves the rest to its next start, or the newcomer a code that is still good.
 */
export async function register(deps: SettleDeps, caller: Caller, raw: RawRequest) {
  const { database, now } = deps
  const { organization, user } = caller
  const pinned = await pinnedAssertion(deps, caller, raw.userAction)
  const used = await inTransaction(database, async (transaction) => {
    await checkCredentialNames(transaction, organization, broughtIn(parseJson(raw.body)))
    return useNewcomer(transaction, caller, 'register', now())
  })
  const evidence: Evidence = { ...used.evidence(raw.body), assertions: pinned }
  try {
    await settleCompleted(deps, { organization, kind: 'registration', evidence })
  } catch (error) {
    if (isFailure(error, 'signers.unavailable')) await releaseNewcomer(database, caller, used)
    throw error
  }
  const request = completionHash(used.request, sha256(toUtf8(raw.body)))
  return {
    credential: {
      uuid: nameOf('credential', idOf(request, 'credential')),
      ...firstOf(parseJson(raw.body)),
    },
    user: { id: nameOf('user', user), username: caller.username, orgId: caller.orgId },
  }
}

/**
 * The word of the key that was pinned in the invitation, for the enrolment as a whole. It comes
 * where user actions come, since a body cannot hold a signature over itself: base64url of a JSON
 * object of `clientData` and `signature`.
 */
async function pinnedAssertion(
  { log }: Pick<SettleDeps, 'log'>,
  { organization, user }: Caller,
  header: string | undefined,
): Promise<Assertion[]> {
  if (header === undefined) return []
  const record = await readRoot(log, organization, (root) => root.find(userTable, user))
  const given = parseJson(fromUtf8(fromBase64url(header)))
  const { clientData, signature } = isObject(given) ? given : {}
  if (typeof clientData !== 'string' || typeof signature !== 'string' || !record?.pinned)
    throw new Failure('action.missing', {})
  return [
    {
      fingerprint: fingerprintOf(record.pinned),
      clientData: fromBase64url(clientData),
      signature: fromBase64url(signature),
      authenticatorData: undefined,
    },
  ]
}
