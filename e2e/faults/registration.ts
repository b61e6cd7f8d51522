import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { quorateClient } from '@quorate/client/quorate-client'
import { send } from '../http.ts'
import type { Platform } from '../platform.ts'
import { enrolment } from '../sdk/registration.ts'

/** Two births of keys take about that long: some servers die before them, some between, some after. */
const lifeMsMax = 700
const settledMsMax = 120_000

export function killedRegistrations(platform: Platform): void {
  describe('a server that is killed while a customer registers', () => {
    it('has made each of his wallets once, when his application asks until it is answered', async (test) => {
      const { body, token, userId } = await enrolment(platform)
      const pid = platform.server.pid()
      const answered = insist(platform, { token, body: JSON.stringify(body) })
      const lifeMs = randomInt(lifeMsMax)
      await sleep(lifeMs)
      platform.server.kill()
      await platform.server.restarted(pid)
      await platform.whole()
      test.diagnostic(`killed after ${lifeMs} ms, answered ${await answered}`)
      const backend = await platform.sdk()
      const { items } = await backend.wallets.listWallets({ query: { ownerId: userId } })
      assert.deepEqual(
        items.map(({ network }) => network).toSorted(),
        body.wallets.map(({ network }) => network).toSorted(),
      )
      const { baseUrl, genesis, serviceAccount } = platform.bootstrap()
      const client = quorateClient({ baseUrl, genesis, authToken: serviceAccount.authToken })
      for (const wallet of items) await client.verifyAddress(wallet, { owner: userId })
    })
  })
}

/** 401 when it came into force without an answer: then he logs in with what he has handed in. */
async function insist(
  platform: Platform,
  asked: { readonly token: string; readonly body: string },
): Promise<200 | 401> {
  const { baseUrl } = platform.bootstrap()
  const deadline = Date.now() + settledMsMax
  for (;;) {
    const status = await send(baseUrl, { path: '/auth/registration/enduser', ...asked }).then(
      (answer) => answer.status,
      (error: unknown) => {
        // Killed meanwhile, or not there yet.
        if (error instanceof TypeError) return 503
        throw error
      },
    )
    if (status === 200 || status === 401) return status
    assert.ok(status >= 500, `refused with ${status}`)
    assert.ok(Date.now() < deadline, `still ${status}`)
    await sleep(100)
  }
}
