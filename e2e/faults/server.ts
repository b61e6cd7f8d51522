import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { DfnsError, type DfnsApiClient } from '@dfns/sdk'
import { getAddress, toHex } from 'viem'
import { openChain } from '../chain.ts'
import type { Platform } from '../platform.ts'
import { settings } from '../settings.ts'
import { confirmed, richWallet } from '../sdk/transfers.ts'

const transfersPerWallet = 5
const walletsOfTest = 4
const kills = settings.serverKills
/** Long after the last restart, on a machine that is busy. */
const settledMsMax = 120_000

type Payment = { readonly walletId: string; readonly to: `0x${string}`; readonly amount: bigint }

export function killedServers(platform: Platform): void {
  describe('a server that is killed', () => {
    it(`${kills} times while transfers are under way sends each of them once`, async (test) => {
      const sdk = await platform.sdk()
      const chain = openChain(platform.bootstrap())
      const wallets = []
      for (let i = 0; i < walletsOfTest; i++) wallets.push(await richWallet(platform, sdk))
      const payments = wallets.flatMap(({ id: walletId }, w) =>
        Array.from({ length: transfersPerWallet }, (_, i): Payment => {
          const number = w * transfersPerWallet + i + 1
          return { walletId, to: payee(number), amount: BigInt(1_000 + number) }
        }),
      )
      const paying = Promise.all(payments.map((payment) => insist(sdk, payment)))
      test.diagnostic(`killed after ${(await killAtRandom(platform)).join(', ')} ms`)
      const ids = await paying
      await platform.whole()
      for (const [i, transferId] of ids.entries()) {
        const { walletId = '' } = payments[i] ?? {}
        const done = await confirmed(sdk, { walletId, transferId }, settledMsMax)
        assert.equal(done.status, 'Confirmed')
      }
      for (const { to, amount } of payments) assert.equal(await chain.balance(to), amount)
      for (const { address, id: walletId } of wallets) {
        assert.equal(await chain.sent(address), transfersPerWallet)
        const { items } = await sdk.wallets.listTransfers({ walletId })
        assert.equal(items.length, transfersPerWallet)
      }
    })
  })
}

/** Nobody has ever paid to this address. */
function payee(number: number): `0x${string}` {
  return getAddress(toHex(0xfa117n * 2n ** 64n + BigInt(number), { size: 20 }))
}

/** @returns how long each life of the server lasted */
async function killAtRandom(platform: Platform): Promise<number[]> {
  const lives: number[] = []
  for (let i = 0; i < kills; i++) {
    const lifeMs = randomInt(100, 2_500)
    await sleep(lifeMs)
    const pid = platform.server.pid()
    platform.server.kill()
    await platform.server.restarted(pid)
    lives.push(lifeMs)
  }
  return lives
}

/** A client that lost its answer asks again, and its external id keeps that from paying twice. */
async function insist(sdk: DfnsApiClient, payment: Payment): Promise<string> {
  const { walletId, to, amount } = payment
  const externalId = `payment ${amount}`
  const body = { kind: 'Native', to, amount: String(amount), externalId } as const
  const deadline = Date.now() + settledMsMax
  for (;;) {
    try {
      return (await sdk.wallets.transferAsset({ walletId, body })).id
    } catch (error) {
      if (Date.now() > deadline || !isPassing(error)) throw error
      await sleep(200)
    }
  }
}

/** Nobody listens, the answer broke off, or signers are not back yet: not a refusal. */
function isPassing(error: unknown): boolean {
  if (error instanceof DfnsError) return error.httpStatus >= 500
  return (
    error instanceof Error && /ECONNREFUSED|ECONNRESET|hang up|EPIPE|Premature/.test(error.message)
  )
}
