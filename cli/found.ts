import { createPrivateKey } from 'node:crypto'
import { toHex } from '@quorate/core/bytes'
import { idOf, nameOf } from '@quorate/core/id'
import { checkChallenge, Misled, requestOf } from '@quorate/client/check-request'
import { ApiError, assertionFor, memberOf, request } from '@quorate/client/session'
import { publicPem } from './key.ts'
import { logIn } from './log-in.ts'
import type { Progress, Stage } from './progress.ts'

export type Founded = NonNullable<Stage['founded']>

type Ask = {
  readonly baseUrl: string
  readonly setupToken: string
  readonly progress: Progress
  readonly name: string
  readonly username: string
  /** Hash of the manifest that the new organization is to trust. */
  readonly manifest: string
}

/**
 * Founds one organization, however often it is begun: the request is on disk before it is signed,
 * and the same request founds the same organization.
 */
export async function foundOrganization(ask: Ask): Promise<Founded> {
  const { progress } = ask
  const known = progress.current().founded
  if (known !== undefined) return known
  const earlier = progress.current().genesis
  if (earlier === undefined) return finish(ask, await start(ask))
  try {
    return await finish(ask, earlier)
  } catch (error) {
    // Too old to be signed. Either it was in time and only the answer was lost, or it never will be.
    if (!(error instanceof ApiError) || error.status !== 400) throw error
    const founded = foundedBy(earlier)
    if (await mayLogIn(ask, founded)) return save(ask, founded)
    return finish(ask, await start(ask))
  }
}

type Genesis = NonNullable<Stage['genesis']>

async function start({ baseUrl, setupToken, progress, ...said }: Ask): Promise<Genesis> {
  const { name, username, manifest } = said
  const publicKey = publicPem(progress.current().administrator)
  const payload = JSON.stringify({ name, username, publicKey, rootQuorum: 1, manifest })
  const answer = await request(baseUrl, {
    ...{ method: 'POST', path: '/orgs/init', token: setupToken },
    body: JSON.stringify({ payload }),
  })
  const challenge = memberOf(answer, 'challenge')
  const [preimage, salt] = [memberOf(answer, 'preimage'), memberOf(answer, 'salt')]
  const asked = { purpose: 'genesis', method: 'POST', path: '/orgs', payload } as const
  checkChallenge({ challenge, preimage, salt }, { ...asked, organization: undefined }, Date.now())
  const genesis = { payload, challenge, preimage, salt }
  progress.save({ genesis })
  return genesis
}

async function finish(ask: Ask, genesis: Genesis): Promise<Founded> {
  const { baseUrl, setupToken, progress } = ask
  const key = createPrivateKey(progress.current().administrator)
  const { challenge, ...words } = genesis
  const assertion = assertionFor(challenge, key)
  const answer = await request(baseUrl, {
    ...{ method: 'POST', path: '/orgs', token: setupToken },
    body: JSON.stringify({ ...words, assertion }),
  })
  const founded = foundedBy(genesis)
  for (const name of ['orgId', 'genesis', 'userId', 'credId'] as const)
    if (memberOf(answer, name) !== founded[name])
      throw new Misled(`The server says another ${name} than follows from the request.`)
  return save(ask, founded)
}

function save({ progress }: Ask, founded: Founded): Founded {
  progress.save({ founded })
  return founded
}

/** Every id follows from the request, so none has to be believed. */
function foundedBy(genesis: Genesis): Founded {
  const hash = requestOf(genesis)
  return {
    orgId: nameOf('organization', idOf(hash, 'organization')),
    genesis: toHex(hash),
    userId: nameOf('user', idOf(hash, 'user')),
    credId: nameOf('credential', idOf(hash, 'credential')),
  }
}

async function mayLogIn({ baseUrl, username, progress }: Ask, founded: Founded): Promise<boolean> {
  const { genesis, credId } = founded
  const privateKey = progress.current().administrator
  try {
    await logIn({ baseUrl, genesis, username, credId, privateKey })
    return true
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return false
    throw error
  }
}
