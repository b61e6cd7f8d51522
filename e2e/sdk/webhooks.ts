import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { compileFunction } from 'node:vm'
import type { DfnsApiClient } from '@dfns/sdk'
import { readEvent } from '@quorate/client/read-event'
import { entry, type Platform, until } from '../platform.ts'
import { startReceiver, type Receiver } from '../receiver.ts'
import { confirmed, recipient, richWallet } from './transfers.ts'

const toldMsMax = 30_000

type Receive = (
  arrived: { readonly secret: string; readonly signature: string; readonly body: string },
  paid: (transferRequest: { readonly id: string }) => void,
) => number

/** The example of `docs/webhooks.md`, as it stands there: a module of one import and one export. */
function documentedReceiver(): Receive {
  const page = readFileSync(new URL('../../docs/webhooks.md', import.meta.url), 'utf8')
  const [, code = ''] = /```js\n([^]*?)```/.exec(page) ?? []
  const [imported, ...rest] = code.split('\n')
  assert.equal(imported, "import { readEvent } from '@quorate/client/read-event'")
  const body = rest.join('\n').replace('export function receive', 'return function receive')
  assert.match(body, /return function receive/)
  return compileFunction(body, ['readEvent'])(readEvent)
}

/** What the documented receiver hears of payments, all of which was sent to it. */
function paidBy(secret: string, { heard }: Receiver): readonly { readonly id: string }[] {
  const paid: { readonly id: string }[] = []
  for (const { signature, body } of heard) {
    const answer = documentedReceiver()({ secret, signature, body }, (what) => paid.push(what))
    assert.equal(answer, 200)
  }
  return paid
}

export function webhooks(platform: Platform): void {
  describe('a webhook', () => {
    let receiver: Receiver
    let sdk: DfnsApiClient
    let webhook: { readonly webhookId: string; readonly secret: string }
    before(async () => {
      receiver = await startReceiver()
      sdk = await platform.sdk()
      const { id: webhookId, secret } = await sdk.webhooks.createWebhook({
        body: { url: receiver.url, events: ['*'], description: 'of a test' },
      })
      webhook = { webhookId, secret }
    })
    after(() => receiver.close())

    it('is told of a payment from its request to its confirmation, and reads the same', async () => {
      const { webhookId } = webhook
      const { id: walletId } = await richWallet(platform, sdk)
      const body = { kind: 'Native', to: recipient, amount: '5' } as const
      const { id: transferId } = await sdk.wallets.transferAsset({ walletId, body })
      const transferRequest = await confirmed(sdk, { walletId, transferId })
      const ofTransfer = () =>
        receiver.heard.flatMap((one) => {
          const read = readEvent({ secret: webhook.secret, ...one, now: Date.now() })
          assert.ok(read.ok, 'every event can be verified')
          const { data } = read.event
          const isOfIt = 'transferRequest' in data && data.transferRequest.id === transferId
          return isOfIt ? [read.event] : []
        })
      const isTold = () => ofTransfer().some(({ kind }) => kind.endsWith('.confirmed'))
      await until('the confirmation is told of', toldMsMax, isTold)
      const kinds = ofTransfer().map(({ kind }) => kind)
      const steps = ['requested', 'broadcasted', 'confirmed']
      assert.deepEqual(
        kinds,
        steps.map((what) => `wallet.transfer.${what}`),
      )
      const last = entry(ofTransfer(), 2)
      assert.deepEqual(last.data, { transferRequest })
      // Others of the organization pay meanwhile, and this webhook hears of all.
      const paid = paidBy(webhook.secret, receiver).filter(({ id }) => id === transferId)
      assert.deepEqual(paid, [transferRequest])
      const query = { kind: 'wallet.transfer.confirmed', deliveryFailed: 'false' } as const
      await until('the log has it', toldMsMax, async () => {
        const { items } = await sdk.webhooks.listWebhookEvents({ webhookId, query })
        return items.some(({ id, status }) => id === last.id && status === '200')
      })
      const named = { webhookId, webhookEventId: last.id }
      assert.deepEqual((await sdk.webhooks.getWebhookEvent(named)).data, last.data)
    })

    it('can tell its events from what others send, or send again', async () => {
      const { webhookId, secret } = webhook
      assert.deepEqual(await sdk.webhooks.pingWebhook({ webhookId }), { status: '200' })
      const { signature, body } = entry(receiver.heard, 0)
      const arrived = { secret, signature, body, now: Date.now() }
      assert.ok(readEvent(arrived).ok)
      assert.ok(!readEvent({ ...arrived, body: `${body} ` }).ok)
      assert.ok(!readEvent({ ...arrived, now: Date.now() + 600_000 }).ok)
      const answer = documentedReceiver()({ secret: '', signature, body }, () => undefined)
      assert.equal(answer, 401)
    })

    it('is disabled, listed and deleted', async () => {
      const { webhookId } = webhook
      const body = { status: 'Disabled' } as const
      assert.equal((await sdk.webhooks.updateWebhook({ webhookId, body })).status, 'Disabled')
      const { items } = await sdk.webhooks.listWebhooks()
      assert.ok(items.some(({ id, status }) => id === webhookId && status === 'Disabled'))
      assert.deepEqual(await sdk.webhooks.deleteWebhook({ webhookId }), { deleted: true })
      await assert.rejects(sdk.webhooks.getWebhook({ webhookId }), { httpStatus: 404 })
    })
  })
}
