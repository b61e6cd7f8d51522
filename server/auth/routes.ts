import { getApplication, listApplications } from '@quorate/api/applications'
import * as api from '@quorate/api/auth'
import { getKeySet } from '@quorate/api/health'
import { Failure } from '@quorate/core/failure'
import { routing, type Route } from '../http/route.ts'
import { completeAction, initAction, type ActionDeps } from './action.ts'
import type { Caller } from './caller.ts'
import { logInDelegated } from './delegated-login.ts'
import { completeLogin, initLogin, sendLoginCode, type LoginDeps } from './login.ts'
import { logOut } from './sessions.ts'

const { route, openRoute } = routing<Caller>()

export function authRoutes(deps: ActionDeps & LoginDeps): readonly Route<Caller>[] {
  return [
    openRoute(getKeySet, async () => deps.tokens.keySet),
    openRoute(api.sendLoginCode, async ({ body }) => sendLoginCode(deps, body)),
    openRoute(api.createLoginChallenge, async ({ body: { orgId, username, loginCode } }) =>
      initLogin(deps, { orgId, username, loginCode }),
    ),
    openRoute(api.login, async ({ body: { challengeIdentifier, firstFactor, secondFactor } }) =>
      completeLogin(deps, { challengeIdentifier, firstFactor, secondFactor }),
    ),
    route(api.logout, async ({ body, caller }) => {
      await logOut(deps, caller, { allSessions: body.allSessions ?? false })
      return { message: 'success' }
    }),
    route(api.delegatedLogin, async ({ caller, raw }) => logInDelegated(deps, caller, raw)),
    route(listApplications, async () => ({ items: [] })),
    route(getApplication, async ({ params: { appId } }) => {
      throw new Failure('application.not_found', { appId })
    }),
    route(api.createUserActionChallenge, async ({ body, caller }) =>
      initAction(deps, caller, {
        method: body.userActionHttpMethod,
        path: body.userActionHttpPath,
        payload: body.userActionPayload,
      }),
    ),
    route(
      api.createUserActionSignature,
      async ({ body: { challengeIdentifier, firstFactor, secondFactor }, caller }) => ({
        userAction: await completeAction(deps, caller, {
          ...{ challengeIdentifier, firstFactor, secondFactor },
        }),
      }),
    ),
  ]
}
