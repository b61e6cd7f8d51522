import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { DfnsApiClient } from '@dfns/sdk'
import { until, type Platform } from '../platform.ts'
import { startReceiver, type Heard, type Receiver } from '../receiver.ts'

const signatures = 6
const kills = 2
/** A lease has to end first, and the server to be back. */
const toldMsMax = 90_000

export function killedTellers(platform: Platform): void {
  describe('a server that is killed', () => {
    let receiver: Receiver
    let sdk: DfnsApiClient
    let keyId: string
    let webhookId: string
    before(async () => {
      receiver = await startReceiver()
      sdk = await platform.sdk()
      keyId = (await sdk.keys.createKey({ body: { scheme: 'EdDSA', curve: 'ed25519' } })).id
      const events = ['wallet.signature.signed' as const]
      const made = await sdk.webhooks.createWebhook({ body: { url: receiver.url, events } })
      webhookId = made.id
    })
    after(async () => {
      await sdk.webhooks.deleteWebhook({ webhookId })
      await receiver.close()
    })

    const sign = (externalId: string) =>
      sdk.keys.generateSignature({
        ...{ keyId, body: { kind: 'Message', message: '0x00', externalId } },
      })
    const told = () => receiver.heard.map((one) => read(one))

    it('while it waits for a receiver tells it again, as the same event', async () => {
      receiver.answer = () => undefined
      const { id } = await sign('waits')
      await until('it is told', toldMsMax, () => told().length > 0)
      receiver.answer = () => 200
      await kill(platform)
      await platform.whole()
      await until('it is told again', toldMsMax, () => told().length > 1)
      const [first, second] = told()
      assert.equal(first?.data.signatureRequest.id, id)
      assert.deepEqual([second?.id, second?.data], [first?.id, first?.data])
      await until('that is written down', toldMsMax, async () => {
        const { items } = await sdk.webhooks.listWebhookEvents({ webhookId })
        return items.some((item) => item.id === first?.id && item.status === '200')
      })
    })

    it('at any moment has told of all that was signed', async () => {
      const ids: string[] = []
      const killing = killAtRandom(platform)
      for (let i = 0; i < signatures; i++) ids.push(await insist(() => sign(`signature ${i}`)))
      await killing
      await platform.whole()
      await until('all are told of', toldMsMax, () => {
        const heard = new Set(told().map(({ data }) => data.signatureRequest.id))
        return ids.every((id) => heard.has(id))
      })
    })
  })
}

async function kill({ server }: Platform): Promise<void> {
  const pid = server.pid()
  server.kill()
  await server.restarted(pid)
}

async function killAtRandom(platform: Platform): Promise<void> {
  for (let i = 0; i < kills; i++) {
    await sleep(randomInt(50, 1_500))
    await kill(platform)
  }
}

/** Under an external id: whoever lost the answer asks again, and it is signed once. */
async function insist(sign: () => Promise<{ readonly id: string }>): Promise<string> {
  const deadline = Date.now() + toldMsMax
  for (;;) {
    try {
      return (await sign()).id
    } catch (error) {
      if (Date.now() > deadline) throw error
    }
    await sleep(200)
  }
}

type Told = {
  readonly id: string
  readonly data: { readonly signatureRequest: { readonly id: string } }
}

function read({ body }: Heard): Told {
  return JSON.parse(body)
}
