import { Failure } from '@quorate/core/failure'
import { parseJson } from '@quorate/core/json'
import { delegatedLogin } from '@quorate/api/auth'
import { parse } from '@quorate/api/parse'
import { isActive } from './standing.ts'
import type { RawRequest } from '../http/route.ts'
import { findPerson } from '../users/person.ts'
import type { Caller } from './caller.ts'
import { readRoot } from './log.ts'
import { beginSession, type SessionDeps } from './sessions.ts'
import { useAction } from './use-action.ts'

/**
 * `POST /auth/login/delegated`: a service account asks for an end user's session. Nothing changes
 * in the log: it is good for reading, and whatever changes anything the end user signs himself.
 */
export async function logInDelegated(
  deps: SessionDeps,
  caller: Caller,
  raw: RawRequest,
): Promise<{ readonly token: string }> {
  const { database, log, now } = deps
  const { payload } = await useAction(database, caller, raw, now())
  const { username } = parse(delegatedLogin.body, parseJson(payload), 'payload')
  const { orgId } = caller
  const person = await findPerson(database, { orgId, username, kinds: ['endUser'] })
  if (person === undefined) throw new Failure('user.not_found', {})
  if (!(await readRoot(log, person.organization, (root) => isActive(root, person.user))))
    throw new Failure('user.deactivated', {})
  return { token: await beginSession(deps, person) }
}
