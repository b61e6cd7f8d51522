import { getApplication, listApplications } from '@quorate/api/applications'
import * as api from '@quorate/api/auth'
import * as federation from '@quorate/api/federation'
import { getKeySet } from '@quorate/api/health'
import { Failure } from '@quorate/core/failure'
import { routing, type Route } from '../http/route.ts'
import { completeAction, initAction, type ActionDeps } from './action.ts'
import type { Caller } from './caller.ts'
import { beginSso, endSso, logInBySocial, type FederationDeps } from './federation.ts'
import { logInDelegated } from './delegated-login.ts'
import { completeLogin, initLogin, sendLoginCode, type LoginDeps } from './login.ts'
import { exchangeSession, logOut } from './sessions.ts'

const { route, openRoute } = routing<Caller>()

export function authRoutes(
  deps: ActionDeps & LoginDeps & FederationDeps,
): readonly Route<Caller>[] {
  return [
    ...federationRoutes(deps),
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

function federationRoutes(deps: FederationDeps): readonly Route<Caller>[] {
  return [
    openRoute(federation.socialLogin, async ({ body: { orgId, idToken } }) =>
      logInBySocial(deps, { orgId: orgOf(orgId), idToken }),
    ),
    openRoute(federation.ssoLoginInit, async ({ body }) => ({
      ssoRedirectUrl: await beginSso(deps, body),
    })),
    openRoute(federation.ssoLogin, async ({ body: { code, state, iss } }) =>
      endSso(deps, { code, state, iss }),
    ),
    openRoute(federation.oidcLoginInit, async ({ body: { orgId, redirectUri } }) => ({
      redirectUrl: await beginSso(deps, { orgId: orgOf(orgId), clientId: undefined, redirectUri }),
    })),
    route(federation.exchangeToken, async ({ caller, body }) => {
      if (body.target !== caller.orgId)
        throw new Failure('request.unsupported', { reason: 'a user is of one organization' })
      return { token: await exchangeSession(deps, caller) }
    }),
    openRoute(federation.oidcLogin, async ({ body: { code, state, iss } }) =>
      endSso(deps, { code, state, iss }),
    ),
  ]
}

/** No name is the same in all organizations, so that one must be said. */
function orgOf(orgId: string | undefined): string {
  if (orgId === undefined)
    throw new Failure('request.unsupported', { reason: 'body.orgId is needed' })
  return orgId
}
