import * as api from '@quorate/api/credentials'
import type { Caller } from '../auth/caller.ts'
import { routing, type Route } from '../http/route.ts'
import { beginCredential, beginWithCode, type CredentialDeps } from './begin.ts'
import { changeCredential, createCode } from './change.ts'
import { createCredential, createWithCode } from './create.ts'
import { credentialsOf } from './list.ts'

const { route, openRoute } = routing<Caller>()

export function credentialRoutes(deps: CredentialDeps): readonly Route<Caller>[] {
  return [
    route(api.createCredentialChallenge, async ({ body, caller }) =>
      beginCredential(deps, caller, body.kind),
    ),
    route(api.createCredential, async ({ caller, raw }) => createCredential(deps, caller, raw)),
    route(api.listCredentials, async ({ caller }) => ({
      items: await credentialsOf(deps, caller),
    })),
    route(api.activateCredential, async ({ body, caller, raw }) =>
      changeCredential(deps, caller, raw, { ...body, status: 'active' }),
    ),
    route(api.deactivateCredential, async ({ body, caller, raw }) =>
      changeCredential(deps, caller, raw, { ...body, status: 'inactive' }),
    ),
    route(api.deleteCredential, async ({ params, caller, raw }) =>
      changeCredential(deps, caller, raw, { ...params, status: 'archived' }),
    ),
    route(api.createCredentialCode, async ({ caller, raw }) => createCode(deps, caller, raw)),
    openRoute(api.createCredentialChallengeWithCode, async ({ body }) =>
      beginWithCode(deps, { code: body.code, kind: body.credentialKind }),
    ),
    openRoute(api.createCredentialWithCode, async ({ raw }) => createWithCode(deps, raw)),
  ]
}
