import { fromBase64url, fromUtf8, toUtf8 } from '@quorate/core/bytes'
import { Failure, isFailure } from '@quorate/core/failure'
import { sha256 } from '@quorate/core/hash'
import { createdName, nameOf } from '@quorate/core/id'
import { isObject, parseJson } from '@quorate/core/json'
import { fingerprintOf, type Assertion } from '@quorate/authority/credential'
import { userTable } from '@quorate/authority/records'
import { factsOf } from '@quorate/authority/reduce/registration-wallets'
import { completionHash } from '@quorate/authority/request'
import type { Evidence } from '@quorate/authority/step'
import { broughtIn, checkCredentialNames, firstOf } from '../auth/add-credentials.ts'
import type { Caller } from '../auth/caller.ts'
import { idNamed, readRoot, type Log } from '../auth/log.ts'
import { releaseNewcomer, useNewcomer } from '../auth/newcomer.ts'
import { settleCompleted, type SettleDeps } from '../auth/settle.ts'
import { inTransaction } from '../database/database.ts'
import type { RawRequest } from '../http/route.ts'
import type { CreateKey } from '../keys/create.ts'
import { applyRoot } from '../orgs/apply.ts'
import { walletOf } from '../wallets/entity.ts'
import { findWallet } from '../wallets/find.ts'
import { checkSuited, type SuitedDeps } from '../wallets/suited.ts'

export type RegisterDeps = SettleDeps & SuitedDeps & { readonly createKey: CreateKey }

/**
 * `POST /auth/registration`: burns the temporary token and puts what it brought in force. Until it
 * is, the same body may come again by the same token: a server that dies on the way leaves nothing
 * half done, and whoever asks again gets what he would have got.
 */
export async function register(deps: RegisterDeps, caller: Caller, raw: RawRequest) {
  return (await complete(deps, caller, raw, 0)).registered
}

/** `POST /auth/registration/enduser`: the same, with keys and wallets in the same step. */
export async function registerEndUser(
  deps: RegisterDeps,
  caller: Caller,
  raw: RawRequest,
  wanted: readonly { readonly network: string }[],
) {
  const { database } = deps
  for (const { network } of wanted) await checkSuited(deps, caller, { network })
  const { request, registered } = await complete(deps, caller, raw, wanted.length)
  const wallets = await Promise.all(
    wanted.map(async (_, index) =>
      walletOf(await findWallet(database, caller, createdName(request, 'wallet', index))),
    ),
  )
  return { ...registered, wallets }
}

async function complete(deps: RegisterDeps, caller: Caller, raw: RawRequest, keys: number) {
  const { database, log, now } = deps
  const { organization, user } = caller
  const pinned = await pinnedAssertion(deps, caller, raw.userAction)
  await checkUnregistered(log, caller)
  const handedIn = sha256(toUtf8(raw.body))
  const used = await inTransaction(database, async (transaction) => {
    await checkCredentialNames(transaction, organization, broughtIn(parseJson(raw.body)))
    return useNewcomer(transaction, caller, { purpose: 'register', handedIn, now: now() })
  })
  const request = completionHash(used.request, handedIn)
  const evidence: Evidence = { ...used.evidence(raw.body), assertions: pinned }
  try {
    const facts = await makeKeys(deps, organization, evidence, keys)
    const settled = { ...evidence, facts }
    await settleCompleted(deps, { organization, kind: 'registration', evidence: settled })
  } catch (error) {
    if (isFailure(error, 'signers.unavailable') || isFailure(error, 'clock.wrong'))
      await releaseNewcomer(database, caller, used)
    const isSecond =
      isFailure(error, 'request.refused') && (await isInForce(log, organization, request))
    if (!isSecond) throw error
    await applyRoot(database, organization)
  }
  const uuid = createdName(request, 'credential')
  return {
    request,
    registered: {
      credential: { uuid, ...firstOf(parseJson(raw.body)) },
      user: { id: nameOf('user', user), username: caller.username, orgId: caller.orgId },
    },
  }
}

/** A token whose way has been gone to its end is worth nothing, by whatever challenge it was. */
function checkUnregistered(log: Log, { organization, user }: Caller): Promise<void> {
  return readRoot(log, organization, ({ find }) => {
    if (find(userTable, user)?.registered === 'yes') throw new Failure('token.invalid', {})
  })
}

/** Has the very same registration, sent twice at once, come into force meanwhile? */
function isInForce(log: Log, organization: Uint8Array, request: Uint8Array): Promise<boolean> {
  const name = createdName(request, 'credential')
  return readRoot(log, organization, (root) => idNamed(root, 'credential', name) !== undefined)
}

/** The certificates of a newcomer's keys, made one after the other: all signers take part in each. */
async function makeKeys(
  { createKey }: RegisterDeps,
  organization: Uint8Array,
  evidence: Evidence,
  count: number,
): Promise<Uint8Array> {
  const certificates: Uint8Array[] = []
  for (let index = 0; index < count; index++)
    certificates.push((await createKey({ organization, evidence, index })).certificate)
  return factsOf(certificates)
}

/**
 * The word of the key that was pinned in the invitation, for the enrolment as a whole. It comes
 * where user actions come, since a body cannot hold a signature over itself: base64url of a JSON
 * object of `clientData` and `signature`.
 */
async function pinnedAssertion(
  { log }: Pick<RegisterDeps, 'log'>,
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
