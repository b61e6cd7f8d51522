import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { toHex } from '@quorate/core/bytes'
import { setupToken, type TestPlatform } from './platform.ts'
import { assertionFor, rawClient, type Speaker } from './raw-client.ts'

/** An organization with an administrator and a service account that may do everything. */
export type Company = {
  readonly orgId: string
  readonly genesis: string
  readonly administrator: Person & { readonly username: string }
  readonly serviceAccount: Person
}
type Person = Required<Speaker> & { readonly userId: string }

export async function foundCompany({ baseUrl, solo }: TestPlatform): Promise<Company> {
  const username = 'admin@example.test'
  const privateKey = newKey()
  const payload = JSON.stringify({
    ...{ name: 'Example', username, publicKey: publicPem(privateKey), rootQuorum: 1 },
    manifest: toHex(solo.cluster.manifest.hash),
  })
  const setup = rawClient(baseUrl, { authToken: setupToken, credId: '', privateKey })
  const { challenge, preimage, salt } = (await setup.send('POST', '/orgs/init', { payload })).body
  const assertion = assertionFor(challenge, privateKey)
  const founded = await setup.send('POST', '/orgs', { payload, preimage, salt, assertion })
  const { orgId, genesis, userId, credId, token: authToken } = founded.body
  const administrator = { userId, username, credId, authToken, privateKey }
  const client = rawClient(baseUrl, administrator)
  const permissions = (await client.send('GET', '/permissions')).body.items
  const { id: permissionId } = permissions.find(({ name }: { readonly name: string }) =>
    name.includes('FullAdmin'),
  )
  const accountKey = newKey()
  const account = { name: 'robot', publicKey: publicPem(accountKey), permissionId }
  const made = (await client.call('/auth/service-accounts', account)).body
  const [token] = made.accessTokens
  return {
    ...{ orgId, genesis, administrator },
    serviceAccount: {
      userId: made.userInfo.userId,
      authToken: token.accessToken,
      credId: token.credId,
      privateKey: accountKey,
    },
  }
}

/** Ed25519, as PKCS#8 PEM. */
export function newKey(): string {
  const { privateKey } = generateKeyPairSync('ed25519')
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

export function publicPem(privateKey: string): string {
  const key = createPublicKey(createPrivateKey(privateKey))
  return key.export({ type: 'spki', format: 'pem' }).toString()
}
