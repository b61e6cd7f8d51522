import assert from 'node:assert/strict'
import { globSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { exportLogCommand } from '@quorate/cli/export-log'
import { verifyLogCommand } from '@quorate/cli/verify-log'
import { openChain } from '../chain.ts'
import { send, userActionFor } from '../http.ts'
import { entry, type Platform, until } from '../platform.ts'
import { register } from './delegation.ts'
import { confirmed, recipient } from './transfers.ts'

/** Words that nobody else uses, so that they can be looked for in the bytes of files. */
const email = 'zoe-5d0e7b@example.test'
const words = {
  external: 'zoe-5d0e7b-external',
  wallet: 'zoe-5d0e7b-wallet',
  bill: 'zoe-5d0e7b-bill',
}
const theirs = 'zoe-5d0e7b'
/** Catching up, going through all bodies and writing the file anew, on a busy machine. */
const sweptMsMax = 60_000

/** Everybody who holds the log lets go: server and signers, one of which is away meanwhile. */
export function erasures(platform: Platform): void {
  describe('a customer who wants to be forgotten', () => {
    it('leaves no word in any store, and his payments are still accounted for', async () => {
      const { userId, walletId, named } = await someLife(platform)
      await until('every signer knows of him', sweptMsMax, () => {
        return storesWith(platform, theirs).length === 4
      })
      const admin = await platform.sdk('administrator')
      await admin.auth.archiveUser({ userId })

      const away = platform.signer(4)
      away.freeze()
      const first = await erase(platform, userId).finally(() => away.resume())
      assert.deepEqual(await erase(platform, userId), first)
      await platform.whole()
      // A signer that was away hears of it with the next change of the organization.
      await admin.permissions.createPermission({
        body: { name: 'After an erasure', operations: ['Wallets:Read'] },
      })
      await until('no signer has a word of his', sweptMsMax, () => {
        return storesWith(platform, theirs).length === 0
      })

      const backend = await platform.sdk()
      const transfer = await backend.wallets.getTransfer(named)
      assert.deepEqual([transfer.status, transfer.requester.userId], ['Confirmed', userId])
      assert.equal(transfer.externalId, undefined)
      assert.equal((await backend.wallets.getWallet({ walletId })).name, undefined)
      assert.equal((await admin.auth.getUser({ userId })).username, '')
      await isAccountedFor(platform, userId)
    })
  })
}

async function someLife(platform: Platform) {
  const { baseUrl, orgId } = platform.bootstrap()
  const [admin, backend] = [await platform.sdk('administrator'), await platform.sdk()]
  const body = { email, kind: 'EndUser', externalId: words.external } as const
  const invited = await backend.auth.createDelegatedRegistrationChallenge({ body })
  const { userId, sdk } = await register({ baseUrl, orgId, admin, backend }, invited)
  const { id: walletId, address = '' } = await backend.wallets.createWallet({
    body: { network: 'EthereumSepolia', delegateTo: userId, name: words.wallet },
  })
  await backend.wallets.updateWallet({ walletId, body: { name: `${words.wallet}, renamed` } })
  await openChain(platform.bootstrap()).fund(address as `0x${string}`, '1')
  const { id: transferId } = await sdk.wallets.transferAsset({
    walletId,
    body: { kind: 'Native', to: recipient, amount: '1', externalId: words.bill },
  })
  const named = { walletId, transferId }
  await confirmed(sdk, named)
  return { userId, walletId, named }
}

async function erase(platform: Platform, userId: string): Promise<unknown> {
  const { baseUrl, administrator: credentials } = platform.bootstrap()
  const asked = { method: 'PUT', path: `/auth/users/${userId}/erase`, body: '{}' } as const
  const userAction = await userActionFor({ baseUrl, credentials, ...asked })
  const token = credentials.authToken
  const { status, body } = await send(baseUrl, { ...asked, token, userAction })
  assert.equal(status, 200, JSON.stringify(body))
  assert.equal(Object(body).userId, userId)
  return body
}

/** Which signers have this word in their files: the store, its write-ahead log, and any other. */
function storesWith({ dataDir }: Platform, word: string): readonly number[] {
  const numbers = globSync('cluster/**/store.sqlite*', { cwd: dataDir }).flatMap((path) => {
    const [, number] = /signer-?([0-9]+)/.exec(path) ?? []
    return readFileSync(join(dataDir, path)).includes(word) ? [Number(number)] : []
  })
  return [...new Set(numbers)].toSorted()
}

/** By whoever has the log: who wanted which signature, with no gap, and no word of his. */
async function isAccountedFor(platform: Platform, userId: string): Promise<void> {
  const { baseUrl, genesis, administrator } = platform.bootstrap()
  const file = join(platform.dataDir, 'erased.log')
  const said: string[] = []
  const print = (line: string) => said.push(line)
  assert.equal(await exportLogCommand([baseUrl, file], administrator.authToken, print), 0)
  const text = readFileSync(file, 'utf8')
  for (const word of [theirs, Buffer.from(theirs).toString('hex')]) assert.ok(!text.includes(word))
  assert.equal(await verifyLogCommand([file, genesis], print), 0, said.join('\n'))
  assert.match(said.at(-1) ?? '', / signatures, 0 faults/)
  assert.ok(
    entry(
      said.filter((line) => line.includes(userId)),
      0,
    ).includes('transfer'),
    said.join('\n'),
  )
  rmSync(file)
}
