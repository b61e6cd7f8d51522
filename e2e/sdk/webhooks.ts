import assert from 'node:assert/strict'
import { createHmac, timingSafeEqual } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { compileFunction } from 'node:vm'
import type { DfnsApiClient } from '@dfns/sdk'
import { entry, type Platform, until } from '../platform.ts'
import { startReceiver, type Receiver } from '../receiver.ts'
import { confirmed, recipient, richWallet } from './transfers.ts'

const toldMsMax = 30_000

type Told = {
  readonly id: string
  readonly kind: string
  readonly data: { readonly [name: string]: { readonly id: string } }
}
type ReadEvent = (secret: string, signature: string, body: string, now?: number) => Told | undefined

/** The example of `docs/webhooks.md`, as it stands there: a module of one import and one export. */
function documentedReader(): ReadEvent {
  const page = readFileSync(new URL('../../docs/webhooks.md', import.meta.url), 'utf8')
  const [, code = ''] = /```js\n([^]*?)```/.exec(page) ?? []
  const [imported, ...rest] = code.split('\n')
  assert.equal(imported, "import { createHmac, timingSafeEqual } from 'node:crypto'")
  const body = rest.join('\n').replace('export function readEvent', 'return function readEvent')
  assert.match(body, /return function readEvent/)
  return compileFunction(body, ['createHmac', 'timingSafeEqual'])(createHmac, timingSafeEqual)
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
      const readEvent = documentedReader()
      const { id: walletId } = await richWallet(platform, sdk)
      const body = { kind: 'Native', to: recipient, amount: '5' } as const
      const { id: transferId } = await sdk.wallets.transferAsset({ walletId, body })
      const transferRequest = await confirmed(sdk, { walletId, transferId })
      const ofTransfer = () =>
        receiver.heard.flatMap((one) => {
          const told = readEvent(webhook.secret, one.signature, one.body)
          assert.ok(told, 'every event can be verified')
          return told.data['transferRequest']?.id === transferId ? [told] : []
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
      const query = { kind: 'wallet.transfer.confirmed', deliveryFailed: 'false' } as const
      await until('the log has it', toldMsMax, async () => {
        const { items } = await sdk.webhooks.listWebhookEvents({ webhookId, query })
        return items.some(({ id, status }) => id === last.id && status === '200')
      })
      const named = { webhookId, webhookEventId: last.id }
      assert.deepEqual((await sdk.webhooks.getWebhookEvent(named)).data, last.data)
    })

    it('can tell its events from what others send, or send again', async () => {
      const readEvent = documentedReader()
      const { webhookId, secret } = webhook
      assert.deepEqual(await sdk.webhooks.pingWebhook({ webhookId }), { status: '200' })
      const { signature, body } = entry(receiver.heard, 0)
      assert.ok(readEvent(secret, signature, body))
      assert.equal(readEvent(secret, signature, `${body} `), undefined)
      assert.equal(readEvent(`${secret}x`, signature, body), undefined)
      assert.equal(readEvent(secret, '', body), undefined)
      assert.equal(readEvent(secret, signature, body, Date.now() + 600_000), undefined)
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
