import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { DfnsApiClient, DfnsDelegatedApiClient } from '@dfns/sdk'
import { newKeyCredential, type KeyCredential } from '@quorate/authority/testing/key-credential'
import { newPasskey, type Passkey } from '@quorate/authority/testing/passkey'
import { checkedPasskeys } from '@quorate/client/checked'
import { keyFromPem } from '@quorate/client/keys'
import { fromHex } from '@quorate/core/bytes'
import { idOf } from '@quorate/core/id'
import { checkedAnswers } from '../checked-client.ts'
import type { Platform } from '../platform.ts'
import { ruleAlone } from './rulers.ts'

const key = { body: { scheme: 'EdDSA', curve: 'ed25519' } } as const
const unproven = /no client has proved that it checked this request/

type Challenge = { readonly challenge: string }
type Held = { readonly passkey: Passkey; readonly checker: KeyCredential }

/** Two more credentials of the administrator, confirmed by the one he has. */
async function addBoth(platform: Platform): Promise<Held> {
  const { port } = new URL(platform.bootstrap().baseUrl)
  const origin = `http://localhost:${port}`
  const passkey = newPasskey({ relyingParty: 'localhost', origin })
  const checker = newKeyCredential()
  const { auth } = await platform.sdk('administrator')
  const add = async (kind: 'Fido2' | 'Key', made: Passkey | KeyCredential) => {
    const begun = await auth.createCredentialChallenge({ body: { kind } })
    const { challengeIdentifier, challenge } = Object(begun)
    const body = { ...made.create(challenge), challengeIdentifier, credentialName: kind }
    await auth.createCredential({ body: body as never })
  }
  await add('Fido2', passkey)
  await add('Key', checker)
  return { passkey, checker }
}

/** The administrator's passkey as an application uses it that never looks at what it signs. */
function stockClient(platform: Platform, { passkey }: Held) {
  const signer = { sign: async ({ challenge }: Challenge) => passkey.get(challenge) }
  return checkedAnswers(new DfnsApiClient({ ...optionsOf(platform), signer }))
}

/** By one that looks at every request, and says so to the signers with the checker key. */
async function lookingClient(platform: Platform, { passkey, checker }: Held) {
  const { genesis } = platform.bootstrap()
  const { authToken } = optionsOf(platform)
  const privateKey = checker.key.export({ type: 'pkcs8', format: 'pem' }).toString()
  const delegated = await checkedAnswers(new DfnsDelegatedApiClient(optionsOf(platform)))
  const touched = { count: 0 }
  const client = checkedPasskeys<DfnsApiClient>(delegated, {
    ...{ organization: idOf(fromHex(genesis), 'organization'), authToken },
    checker: keyFromPem(checker.credId, privateKey),
    passkey: {
      sign: async ({ challenge }: Challenge) => {
        touched.count++
        return passkey.get(challenge)
      },
    },
  })
  return { client, touched }
}

function optionsOf(platform: Platform) {
  const { baseUrl, orgId, administrator } = platform.bootstrap()
  return { baseUrl, orgId, authToken: administrator.authToken }
}

/** The checker key as a plain second factor: two have signed, and neither says that it looked. */
async function signBlindlyTwice(platform: Platform, { passkey, checker }: Held) {
  const { keys } = new DfnsDelegatedApiClient(optionsOf(platform))
  const { challenge, challengeIdentifier } = await keys.createKeyInit(key)
  const [firstFactor, secondFactor] = [passkey.get(challenge), checker.get(challenge)]
  return keys.createKeyComplete(key, {
    ...{ challengeIdentifier, firstFactor, secondFactor: secondFactor as never },
  })
}

/** Everything here is judged by the real signers: what they allow is no server's word. */
export function checkedClients(platform: Platform): void {
  describe('a passkey with a checker key beside it', () => {
    let held: Held
    before(async () => {
      held = await addBoth(platform)
    })

    it('proves that its client has looked, where the organization wants it proved', async () => {
      const stock = await stockClient(platform, held)
      const { client } = await lookingClient(platform, held)
      for (const { keys } of [stock, client])
        assert.equal((await keys.createKey(key)).status, 'Active')
      await ruleAlone(platform, { settings: { requireChecked: ['keys.createKey'] } })
      try {
        await assert.rejects(stock.keys.createKey(key), unproven)
        await assert.rejects(signBlindlyTwice(platform, held), unproven)
        assert.equal((await client.keys.createKey(key)).status, 'Active')
      } finally {
        await ruleAlone(platform, { settings: { requireChecked: [] } })
      }
      assert.equal((await signBlindlyTwice(platform, held)).status, 'Active')
    })

    it('is touched once for what is signed, and not to read', async () => {
      const { client, touched } = await lookingClient(platform, held)
      const { id: keyId } = await client.keys.createKey(key)
      assert.equal((await client.keys.getKey({ keyId })).id, keyId)
      assert.equal(touched.count, 1)
    })
  })
}
