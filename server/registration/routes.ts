import * as api from '@quorate/api/registration'
import { parse } from '@quorate/api/parse'
import { userTable } from '@quorate/authority/records'
import { isActive } from '@quorate/authority/standing'
import { Failure } from '@quorate/core/failure'
import { idOf } from '@quorate/core/id'
import { parseJson } from '@quorate/core/json'
import { isEndUser, type Caller } from '../auth/caller.ts'
import { carryOut } from '../auth/carry-out.ts'
import { evenly, proveCode, sendCode } from '../auth/codes.ts'
import { readRoot } from '../auth/log.ts'
import { beginSession } from '../auth/sessions.ts'
import { openNewcomer } from '../auth/newcomer.ts'
import { settleSigned } from '../auth/settle.ts'
import { routing, type RawRequest, type Route } from '../http/route.ts'
import {
  claimUsername,
  findPerson,
  freeUsername,
  usernameOf,
  type Person,
} from '../users/person.ts'
import { register, registerEndUser, type RegisterDeps } from './register.ts'
import { enrolBySocial, type SocialDeps } from './social.ts'

const { route, openRoute } = routing<Caller>()

export type RegistrationDeps = SocialDeps & RegisterDeps

export function registrationRoutes(deps: RegistrationDeps): readonly Route<Caller>[] {
  return [
    openRoute(api.resendRegistrationCode, async ({ body }) =>
      evenly(async () => sendCode(deps, await invitedOf(deps, body))),
    ),
    openRoute(api.createRegistrationChallenge, async ({ body }) => {
      const { registrationCode: code, ...named } = body
      const person = await evenly(async () =>
        proveCode(deps, { ...(await invitedOf(deps, named)), code }),
      )
      return openNewcomer(deps, { person, purpose: 'register' })
    }),
    route(api.createDelegatedRegistrationChallenge, async ({ caller, raw }) =>
      enrol(deps, caller, raw),
    ),
    route(api.restartDelegatedRegistration, async ({ caller, raw, body }) => {
      const person = await endUserOf(deps, caller, body.email)
      if (person === undefined) throw new Failure('user.not_found', {})
      return restart(deps, { caller, raw, person })
    }),
    openRoute(api.createSocialRegistrationChallenge, async ({ body: { orgId, idToken } }) => {
      if (orgId === undefined)
        throw new Failure('request.unsupported', { reason: 'body.orgId is needed' })
      return enrolBySocial(deps, { orgId, idToken })
    }),
    route(api.register, async ({ caller, raw }) => register(deps, caller, raw)),
    route(api.registerEndUser, async ({ caller, raw, body: { wallets } }) => {
      if (!isEndUser(caller)) throw new Failure('token.invalid', {})
      const registered = await registerEndUser(deps, caller, raw, wallets)
      return { ...registered, authentication: { token: await beginSession(deps, caller) } }
    }),
  ]
}

/** Who is named, if he is still to register: for everybody else there is no code. */
async function invitedOf(
  { database, log }: RegistrationDeps,
  named: { readonly orgId: string; readonly username: string },
) {
  const person = await findPerson(database, { ...named, kinds: ['employee'] })
  const isInvited = person !== undefined && (await isAwaited(log, person))
  return { ...named, purpose: 'registration', person: isInvited ? person : undefined } as const
}

function isAwaited(log: RegistrationDeps['log'], { organization, user }: Person): Promise<boolean> {
  return readRoot(log, organization, ({ find }) => {
    const record = find(userTable, user)
    return isActive(record) && record.registered === 'no'
  })
}

function endUserOf({ database }: RegistrationDeps, { orgId }: Caller, username: string) {
  return findPerson(database, { orgId, username, kinds: ['endUser'] })
}

/** `POST /auth/registration/delegated`: of one who is there already, it begins again. */
async function enrol(deps: RegistrationDeps, caller: Caller, raw: RawRequest) {
  const { database, now } = deps
  const { organization } = caller
  const { email } = parse(bodyOf, parseJson(raw.body), 'body')
  const known = await endUserOf(deps, caller, email)
  if (known !== undefined) return restart(deps, { caller, raw, person: known })
  const username = usernameOf(email)
  const userOf = (request: Uint8Array) => ({ organization, user: idOf(request, 'user') })
  await settleSigned(deps, caller, raw, {
    kind: 'user',
    claim: (transaction, { request }) =>
      claimUsername(transaction, { ...userOf(request), kind: 'endUser', username, now: now() }),
    giveBack: ({ request }) => freeUsername(database, userOf(request)),
  })
  const person = await endUserOf(deps, caller, username)
  if (person === undefined) throw new TypeError('a user in force has his rows')
  return openNewcomer(deps, { person, purpose: 'register' })
}

const bodyOf = api.createDelegatedRegistrationChallenge.body

/** The signed request is burned, as every one is, though nothing changes by it. */
async function restart(
  deps: RegistrationDeps,
  asked: { readonly caller: Caller; readonly raw: RawRequest; readonly person: Person },
) {
  const { caller, raw, person } = asked
  return carryOut(deps, caller, raw, {
    work: async () => {
      if (!(await isAwaited(deps.log, person))) throw new Failure('user.already_exists', {})
      return openNewcomer(deps, { person, purpose: 'register' })
    },
  })
}
