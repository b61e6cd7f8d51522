import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { quorateClient } from '@quorate/client/quorate-client'
import { toHex } from '@quorate/core/bytes'
import { send, userActionFor } from '../http.ts'
import { type Platform, until } from '../platform.ts'
import { birthOf, filled, promised, waiting } from '../pooled.ts'
import { isEd25519 } from '../signatures.ts'

const network = 'KeyEdDSA'
const message = new Uint8Array(32).fill(7)
/** Long after the last restart, on a machine that is busy. */
const settledMsMax = 120_000
const all = { query: { limit: 500 } }

export function killedPools(platform: Platform, size: number): void {
  /** Twice as many as wait: so it is emptied, and filled while it is. */
  const names = Array.from({ length: 2 * size }, (_, i) => `deposit ${i}`)

  describe('a pool of keys, with the server and a signer killed while it is filled and bound', () => {
    it('has given none of them twice, has lost none, and is full again', async () => {
      const sdk = await platform.sdk()
      await sdk.wallets.createWallet({ body: { network } })
      await filled(platform, 'ed25519', size)
      const asks = []
      for (const name of names) asks.push(await askFor(platform, name))
      const answers = asks.map((ask) => insist(platform, ask))
      await Promise.any(answers)
      await restarted(platform.server)
      await platform.whole()
      // Nobody has asked this life of the server for anything but what he repeats.
      await until(
        'a key waits',
        settledMsMax,
        async () => (await waiting(platform, 'ed25519')).length > 0,
      )
      await restarted(platform.signer(2))
      await platform.whole()
      const ids = await Promise.all(answers)
      assert.equal(new Set(ids).size, ids.length)
      await filled(platform, 'ed25519', size)
      for (let i = 0; i < size; i++)
        await sdk.wallets.createWallet({ body: { network, name: `deposit ${names.length + i}` } })
      await filled(platform, 'ed25519', size)

      const { items } = await sdk.wallets.listWallets(all)
      const deposits = items.filter(({ name }) => name?.startsWith('deposit '))
      const [made, given] = [deposits.map(({ name }) => name), items.map(birthOf)]
      assert.equal(deposits.length, names.length + size)
      assert.equal(new Set(made).size, made.length)
      assert.ok(given.some(({ kind }) => kind === 'pooled'))
      const births = [...given.map(({ name }) => name), ...(await waiting(platform, 'ed25519'))]
      assert.equal(new Set(births).size, births.length)
      assert.deepEqual(await promised(platform), [])
      await proveAll(platform, deposits)
    })
  })
}

type Deposit = Awaited<ReturnType<Awaited<ReturnType<Platform['sdk']>>['wallets']['getWallet']>>

/** By the word of all signers, and by a signature. */
async function proveAll(platform: Platform, deposits: readonly Deposit[]): Promise<void> {
  const sdk = await platform.sdk()
  const { baseUrl, genesis, serviceAccount } = platform.bootstrap()
  const client = quorateClient({ baseUrl, genesis, authToken: serviceAccount.authToken })
  const body = { kind: 'Message', message: toHex(message) } as const
  for (const deposit of deposits) {
    await client.verifyAddress(deposit)
    const signed = await sdk.wallets.generateSignature({ walletId: deposit.id, body })
    assert.ok(isEd25519(deposit.signingKey.publicKey, message, signed))
  }
}

async function restarted(puppet: Platform['server']): Promise<void> {
  const pid = puppet.pid()
  puppet.kill()
  await puppet.restarted(pid)
}

/** Signed once: whoever sends it again asks for the same wallet. */
async function askFor(platform: Platform, name: string) {
  const { baseUrl, serviceAccount: credentials } = platform.bootstrap()
  const [path, body] = ['/wallets', JSON.stringify({ network, name })]
  const userAction = await userActionFor({ baseUrl, credentials, path, body })
  return { path, body, userAction, token: credentials.authToken }
}

/** @returns the wallet of whoever repeats what he has signed until he is answered */
async function insist(
  { bootstrap }: Platform,
  ask: Awaited<ReturnType<typeof askFor>>,
): Promise<string> {
  const { baseUrl } = bootstrap()
  const deadline = Date.now() + settledMsMax
  for (;;) {
    const answer = await send(baseUrl, ask).catch((error: unknown) => {
      // Killed meanwhile, or not there yet.
      if (error instanceof TypeError) return undefined
      throw error
    })
    if (answer?.status === 200) return String(Object(answer.body).id)
    const said = JSON.stringify(answer?.body)
    assert.ok(answer === undefined || answer.status >= 500, said)
    assert.ok(Date.now() < deadline, `still ${said}`)
    await sleep(100)
  }
}
