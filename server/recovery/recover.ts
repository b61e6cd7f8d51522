import type { RecoveryAnswer } from '@quorate/api/recovery'
import { toUtf8 } from '@quorate/core/bytes'
import { isFailure } from '@quorate/core/failure'
import { sha256 } from '@quorate/core/hash'
import { idOf, nameOf } from '@quorate/core/id'
import { isObject, parseJson } from '@quorate/core/json'
import { completionHash } from '@quorate/authority/request'
import { broughtIn, checkCredentialNames, firstOf } from '../auth/add-credentials.ts'
import type { Caller } from '../auth/caller.ts'
import { readRoot } from '../auth/log.ts'
import { releaseNewcomer, useNewcomer } from '../auth/newcomer.ts'
import { settleCompleted, type SettleDeps } from '../auth/settle.ts'
import { inTransaction } from '../database/database.ts'
import { Held, type RawRequest } from '../http/route.ts'
import { recoveryOf } from './find.ts'

/**
 * `POST /auth/recover/user`: burns the temporary token and puts the recovery in force. Everything
 * about it is judged by the signers; that a code was mailed, or a service account asked, is not
 * even shown to them.
 */
export async function recover(
  deps: SettleDeps,
  caller: Caller,
  raw: RawRequest,
): Promise<RecoveryAnswer | Held<RecoveryAnswer>> {
  const { database, log, now } = deps
  const { organization, orgId, user, userId, username } = caller
  const body = parseJson(raw.body)
  const newCredentials = isObject(body) ? body['newCredentials'] : undefined
  const used = await inTransaction(database, async (transaction) => {
    await checkCredentialNames(transaction, organization, broughtIn(newCredentials))
    return useNewcomer(transaction, caller, { purpose: 'recover', now: now() })
  })
  const evidence = used.evidence(raw.body)
  const { time } = await settleCompleted(deps, { organization, kind: 'recovery', evidence }).catch(
    async (error: unknown) => {
      if (isFailure(error, 'signers.unavailable') || isFailure(error, 'clock.wrong'))
        await releaseNewcomer(database, caller, used)
      throw error
    },
  )
  const request = completionHash(used.request, sha256(toUtf8(raw.body)))
  const row = await database
    .selectFrom('recoveries')
    .select(['organization', 'id', 'recovery_id', 'user', 'created_at', 'effective_at'])
    .where('organization', '=', organization)
    .where('id', '=', idOf(request, 'recovery'))
    .executeTakeFirstOrThrow()
  if (time < row.effective_at) {
    const recovery = await readRoot(log, organization, (root) => recoveryOf(root, row, time))
    return new Held<RecoveryAnswer>({ recovery: { ...recovery, userId } })
  }
  const uuid = nameOf('credential', idOf(request, 'credential'))
  return {
    credential: { uuid, ...firstOf(newCredentials) },
    user: { id: nameOf('user', user), username, orgId },
  }
}
