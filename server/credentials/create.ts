import { equalBytes, toHex } from '@quorate/core/bytes'
import { Failure } from '@quorate/core/failure'
import { idOf } from '@quorate/core/id'
import { parseJson } from '@quorate/core/json'
import type { Credential } from '@quorate/api/credentials'
import { createCredential as endpoint, createCredentialWithCode } from '@quorate/api/credentials'
import { parse } from '@quorate/api/parse'
import { requestOfEvidence } from '@quorate/authority/reduce/cause'
import { settingsOf } from '@quorate/authority/standing'
import { defaultCredentialName } from '../auth/add-credentials.ts'
import { endCode } from '../auth/codes.ts'
import type { Caller } from '../auth/caller.ts'
import { readRoot } from '../auth/log.ts'
import { seal } from '../auth/sealing.ts'
import { settleCompleted, settleSigned } from '../auth/settle.ts'
import { burn, findAction } from '../auth/use-action.ts'
import { inTransaction, type DatabaseTransaction } from '../database/database.ts'
import type { RawRequest } from '../http/route.ts'
import { enqueueMail, isAddress } from '../mail/queue.ts'
import { personOf } from '../users/person.ts'
import {
  addCredentialPath,
  codePath,
  openCredentialChallenge,
  openLocal,
  type CredentialDeps,
} from './begin.ts'
import { credentialNamed } from './list.ts'
import { localsPerKindMax, totpKey } from './local.ts'
import { hashPassword } from './password.ts'
import { totpStep } from './totp.ts'

/** `POST /auth/credentials` */
export async function createCredential(
  deps: CredentialDeps,
  caller: Caller,
  raw: RawRequest,
): Promise<Credential> {
  const { credentialKind } = parse(endpoint.body, parseJson(raw.body), 'body')
  if (credentialKind === 'Password' || credentialKind === 'Totp')
    return createLocal(deps, caller, raw)
  const { action } = await settleSigned(deps, caller, raw, {
    kind: 'credential',
    factsOf: async ({ payload }) => {
      const { challengeIdentifier } = parse(endpoint.body, parseJson(payload), 'payload')
      const { encoded, preimage } = await openCredentialChallenge(
        deps,
        challengeIdentifier,
        addCredentialPath,
      )
      const isHis = preimage.user !== undefined && equalBytes(preimage.user, caller.user)
      if (!isHis) throw new Failure('challenge.invalid', {})
      return encoded
    },
  })
  return credentialNamed(deps, caller, idOf(action.request, 'credential'))
}

/** What no signer believes stays here; its owner has signed for it all the same. */
async function createLocal(
  deps: CredentialDeps,
  caller: Caller,
  raw: RawRequest,
): Promise<Credential> {
  const { database, log, now } = deps
  const { passwords } = await readRoot(log, caller.organization, settingsOf)
  if (passwords === 'off')
    throw new Failure('request.unsupported', { reason: 'passwords are not in use here' })
  const action = await findAction(database, caller, raw, now())
  const id = idOf(action.request, 'credential')
  const secret = await secretOf(deps, caller, { id, payload: action.payload })
  await inTransaction(database, async (transaction) => {
    await burn(transaction, { ...caller, ...action }, now())
    await keepLocal(transaction, caller, { id, ...secret })
  })
  return credentialNamed(deps, caller, id)
}

type Local = {
  readonly kind: 'Password' | 'Totp'
  readonly name: string
  readonly secret: Uint8Array
  readonly lastStep: number | null
  readonly createdAt: number
}

async function secretOf(
  deps: CredentialDeps,
  caller: Caller,
  { id, payload }: { readonly id: Uint8Array; readonly payload: string },
): Promise<Local> {
  const body = parse(endpoint.body, parseJson(payload), 'payload')
  const { credentialKind: kind, challengeIdentifier, credentialName } = body
  if (kind !== 'Password' && kind !== 'Totp') throw new Failure('challenge.invalid', {})
  const [name, createdAt] = [credentialName ?? defaultCredentialName, deps.now()]
  const opened = openLocal(deps, caller, { kind, challengeIdentifier })
  if (kind === 'Password') {
    const secret = await hashPassword(body.credentialInfo.password)
    return { kind, name, secret, lastStep: null, createdAt }
  }
  const { otpCode } = body.credentialInfo
  const step = totpStep(opened, otpCode, { now: createdAt, lastStep: undefined })
  if (step === undefined) throw new Failure('code.invalid', {})
  const secret = seal(deps.tokens.keyFor(totpKey), opened, toHex(id))
  return { kind, name, secret, lastStep: step, createdAt }
}

async function keepLocal(
  transaction: DatabaseTransaction,
  { organization, user }: Caller,
  { id, kind, name, secret, lastStep, createdAt }: Local & { readonly id: Uint8Array },
): Promise<void> {
  const there = await transaction
    .selectFrom('local_credentials')
    .select('id')
    .where('organization', '=', organization)
    .where('user', '=', user)
    .where('kind', '=', kind)
    .execute()
  if (there.length >= localsPerKindMax)
    throw new Failure('request.unsupported', { reason: `no more than ${localsPerKindMax}` })
  await transaction
    .insertInto('local_credentials')
    .values({
      ...{ organization, id, user, kind, name, secret, status: 'active' },
      ...{ last_step: lastStep, created_at: createdAt },
    })
    .execute()
}

/** `POST /auth/credentials/code/verify` */
export async function createWithCode(deps: CredentialDeps, raw: RawRequest): Promise<Credential> {
  const body = parse(createCredentialWithCode.body, parseJson(raw.body), 'body')
  const opened = await openCredentialChallenge(deps, body.challengeIdentifier, codePath)
  const { organization, user } = opened.preimage
  if (organization === undefined || user === undefined) throw new Failure('challenge.invalid', {})
  const evidence = {
    ...{ preimage: opened.encoded, payload: raw.body, salt: opened.salt },
    ...{ assertions: [], facts: new Uint8Array() },
  }
  await settleCompleted(deps, { organization, kind: 'credential', evidence })
  const id = idOf(requestOfEvidence(evidence), 'credential')
  const created = await credentialNamed(deps, { organization, user }, id)
  await tellOwner(deps, { organization, user }, created)
  return created
}

/** A notice may come late; a day later nobody is helped by it. */
const noticeMs = 24 * 60 * 60_000

/** Whoever has not done it himself should hear of it, and the code is dead. */
async function tellOwner(
  { database, now }: CredentialDeps,
  whose: Pick<Caller, 'organization' | 'user'>,
  { name, words = [] }: Credential,
): Promise<void> {
  const person = await personOf(database, whose)
  await inTransaction(database, async (transaction) => {
    await endCode(transaction, whose, 'credential')
    if (person === undefined || !isAddress(person.username)) return
    const { organization, orgId, organizationName, username } = person
    const values = {
      ...{ orgId, organization: organizationName, username, name },
      ...{ words: words.join(' '), at: now() },
    }
    await enqueueMail(transaction, {
      ...{ organization, recipient: username, mail: { template: 'credential-added', values } },
      ...{ now: now(), expiresAt: now() + noticeMs },
    })
  })
}
