import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { openChain } from '../chain.ts'
import type { Platform } from '../platform.ts'
import { isReadOnly, type OwnNetwork } from '../sdk/own-network.ts'
import { confirmed, recipient, richWallet } from '../sdk/transfers.ts'

/** Five seconds on idle cores. Whoever runs other things beside has not found a fault of ours. */
const secondStartMsMax = 60_000

export function restarts(platform: Platform, own: OwnNetwork): void {
  describe('a platform that is stopped and started again', () => {
    it('ends with 0, leaves nothing running, and goes on with the same data', async (test) => {
      const sdk = await platform.sdk()
      const { id: walletId, address } = await richWallet(platform, sdk)
      const pay = async () => {
        const { id: transferId } = await (
          await platform.sdk()
        ).wallets.transferAsset({
          walletId,
          body: { kind: 'Native', to: recipient, amount: '11' },
        })
        await confirmed(await platform.sdk(), { walletId, transferId })
      }
      await pay()
      const before = platform.bootstrap()
      const wallet = await sdk.wallets.getWallet({ walletId })
      assert.equal(await platform.stop(), 'exit code 0')
      assert.deepEqual(processesOf(platform.dataDir), [])

      own.takeNodesAway()
      const start = performance.now()
      await platform.start()
      const tookMs = Math.round(performance.now() - start)
      test.diagnostic(`second start: ${tookMs} ms`)
      assert.ok(tookMs < secondStartMsMax, `${tookMs} ms`)

      const now = platform.bootstrap()
      assert.equal(now.genesis, before.genesis)
      assert.deepEqual(now.serviceAccount, before.serviceAccount)
      const running = processesOf(platform.dataDir)
      for (const { pid } of [{ pid: now.processes.server }, ...now.processes.signers])
        assert.ok(running.includes(pid), `process ${pid} runs`)
      assert.deepEqual(await (await platform.sdk()).wallets.getWallet({ walletId }), wallet)
      await pay()
      assert.equal(await openChain(now).sent(address), 2)
      const administrator = await platform.sdk('administrator')
      await administrator.auth.listServiceAccounts()
    })

    it('without the nodes of a network of its own, shows what is there, and adds nothing', () =>
      isReadOnly(platform, own))

    it('while a signer is frozen, ends all the same', async () => {
      platform.signer(2).freeze()
      assert.equal(await platform.stop(), 'exit code 0')
      assert.deepEqual(processesOf(platform.dataDir), [])
    })
  })
}

/** Every process that has the folder in its command line or environment, but the one that asks. */
function processesOf(dataDir: string): number[] {
  const numbers = readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name))
  return numbers
    .filter((pid) => {
      try {
        const [line, environment] = ['cmdline', 'environ'].map((file) =>
          readFileSync(`/proc/${pid}/${file}`, 'utf8'),
        )
        return `${line}${environment}`.includes(dataDir)
      } catch (error) {
        // It ended while we looked, or it is another user's.
        if (error instanceof Error && /ENOENT|ESRCH|EACCES/.test(error.message)) return false
        throw error
      }
    })
    .map(Number)
}
