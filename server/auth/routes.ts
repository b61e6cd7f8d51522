import * as api from '@quorate/api/auth'
import { getKeySet } from '@quorate/api/health'
import { routing, type Route } from '../http/route.ts'
import { completeAction, initAction, type ActionDeps } from './action.ts'
import type { Caller } from './caller.ts'
import { completeLogin, initLogin, type LoginDeps } from './login.ts'

const { route, openRoute } = routing<Caller>()

export function authRoutes(deps: ActionDeps & LoginDeps): readonly Route<Caller>[] {
  return [
    openRoute(getKeySet, async () => deps.tokens.keySet),
    openRoute(api.createLoginChallenge, async ({ body }) =>
      initLogin(deps, { orgId: body.orgId, username: body.username }),
    ),
    openRoute(api.login, async ({ body: { challengeIdentifier, firstFactor } }) => {
      const assertion = firstFactor.credentialAssertion
      return { token: await completeLogin(deps, { challengeIdentifier, assertion }) }
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
      async ({ body: { challengeIdentifier, firstFactor }, caller }) => {
        const assertion = firstFactor.credentialAssertion
        return {
          userAction: await completeAction(deps, caller, { challengeIdentifier, assertion }),
        }
      },
    ),
  ]
}
