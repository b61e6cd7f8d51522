import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fromHex } from '@quorate/core/bytes'
import { idOf, nameOf } from '@quorate/core/id'
import { manifestHashOf } from '@quorate/client/manifest'
import { quorateClient } from '@quorate/client/quorate-client'
import { ApiError, memberOf, openSession, type Session } from '@quorate/client/session'
import { foundOrganization, type Founded } from './found.ts'
import { publicPem } from './key.ts'
import { logIn } from './log-in.ts'
import { openProgress, type Progress } from './progress.ts'

/** What the first start of a platform leaves for its people and programs. */
export type BootstrapFile = {
  readonly baseUrl: string
  readonly orgId: string
  /** 32 bytes in hex: whoever pins them need not believe the server anything. */
  readonly genesis: string
  readonly administrator: Identity & { readonly username: string }
  readonly serviceAccount: Identity
}
export type Identity = {
  readonly userId: string
  readonly authToken: string
  readonly credId: string
  /** PKCS#8 PEM. Made here, never sent. */
  readonly privateKey: string
}

export const administratorName = 'admin@quorate.local'
const organizationName = 'Quorate'
const serviceAccountName = 'bootstrap'
/** The longest that a token may live. */
const tokenDays = 730

/**
 * Makes an organization with its administrator, and a service account that may do everything. It
 * can be cut short anywhere and called again: keys are on disk before anything is signed with them,
 * and what has been founded is not founded twice.
 */
export async function bootstrap(ask: {
  readonly baseUrl: string
  readonly dataDir: string
  readonly setupToken: string
}): Promise<BootstrapFile> {
  const { baseUrl, dataDir, setupToken } = ask
  const progress = openProgress(join(dataDir, 'bootstrap-keys.json'))
  const { administrator, serviceAccount } = progress.current()
  const founded = await foundOrganization({
    baseUrl,
    setupToken,
    progress,
    name: organizationName,
    username: administratorName,
    manifest: manifestHashOf(readFileSync(join(dataDir, 'cluster', 'manifest'))),
  })
  const { genesis, orgId, userId, credId } = founded
  const authToken = await logIn({
    baseUrl,
    genesis,
    username: administratorName,
    credId,
    privateKey: administrator,
  })
  const { organization } = await quorateClient({ baseUrl, authToken, genesis }).trust()
  const session = openSession({
    ...{ baseUrl, authToken, credId, organization },
    privateKey: administrator,
  })
  const account = await makeServiceAccount(session, progress)
  await assignEverything(session, founded, account.userId)
  await layDownSettings(session, baseUrl)
  return {
    baseUrl,
    orgId,
    genesis,
    administrator: {
      ...{ userId, username: administratorName, authToken, credId },
      privateKey: administrator,
    },
    serviceAccount: { ...account, privateKey: serviceAccount },
  }
}

/** A session lasts hours, a platform longer: at every start its administrator is logged in again. */
export async function refresh<File extends BootstrapFile>(file: File): Promise<File> {
  const { baseUrl, genesis, administrator } = file
  const authToken = await logIn({ baseUrl, genesis, ...administrator })
  return { ...file, administrator: { ...administrator, authToken } }
}

/**
 * Its token is shown once. If that answer was lost, nobody holds the token: the account is left
 * alone, without any permission, and another one is made.
 */
async function makeServiceAccount(session: Session, progress: Progress) {
  const known = progress.current().account
  if (known !== undefined) return known
  const publicKey = publicPem(progress.current().serviceAccount)
  const create = async (name: string) => {
    const body = { name, publicKey, daysValid: tokenDays }
    return session.call('POST', '/auth/service-accounts', body)
  }
  const answer = await create(serviceAccountName).catch((error: unknown) => {
    if (!isStatus(error, 409)) throw error
    return create(`${serviceAccountName} ${new Date().toISOString()}`)
  })
  const { userInfo, accessTokens } = answer as {
    readonly userInfo?: unknown
    readonly accessTokens?: readonly unknown[]
  }
  const token = accessTokens?.[0]
  const account = {
    userId: memberOf(userInfo, 'userId'),
    authToken: memberOf(token, 'accessToken'),
    credId: memberOf(token, 'credId'),
  }
  progress.save({ account })
  return account
}

async function assignEverything(
  session: Session,
  { genesis }: Founded,
  identityId: string,
): Promise<void> {
  // The first permission that a genesis makes is the one that holds all others.
  const permissionId = nameOf('permission', idOf(fromHex(genesis), 'permission'))
  try {
    await session.call('POST', `/permissions/${permissionId}/assignments`, { identityId })
  } catch (error) {
    if (!isStatus(error, 409)) throw error
  }
}

/**
 * A browser on this machine may use passkeys on the platform's own pages. Whatever its people have
 * laid down by themselves stays.
 */
async function layDownSettings(session: Session, baseUrl: string): Promise<void> {
  const { settings } = (await session.get('/orgs/settings')) as {
    readonly settings?: { readonly relyingParties?: readonly unknown[] }
  }
  if (settings?.relyingParties?.length !== 0) return
  const origin = `http://localhost:${new URL(baseUrl).port}`
  const relyingParties = [{ id: 'localhost', origins: [origin] }]
  await session.call('PUT', '/orgs/settings', { settings: { relyingParties } })
}

function isStatus(error: unknown, status: number): boolean {
  return error instanceof ApiError && error.status === status
}
