import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { describe, it } from 'node:test'
import type { ToldEvent } from '@quorate/api/events'
import { ageMsMax, readEvent, type Arrived } from './read-event.ts'

const secret = 'whs-abcdefghijklmnopqrstuvwxyz012345'
const now = 1_700_000_000_000
const told = {
  ...{ id: 'whe-1', kind: 'wallet.transfer.confirmed', date: '2023-11-14T22:13:19.000Z' },
  data: { transferRequest: { id: 'xfr-1', reason: 'café' } },
  ...{ deliveryAttempt: 1, timestampSent: now / 1_000 },
}
const body = JSON.stringify(told)
const sign = (text: string | Uint8Array, key = secret) =>
  `sha256=${createHmac('sha256', key).update(text).digest('hex')}`
const arrived: Arrived = { secret, body, now, signature: sign(body) }
const why = (given: Partial<Arrived>) => {
  const read = readEvent({ ...arrived, ...given })
  return read.ok ? undefined : read.why
}

describe('an event that has arrived', () => {
  it('is read from the bytes or the text that was signed', () => {
    assert.deepEqual(readEvent(arrived), { ok: true, event: told })
    assert.deepEqual(readEvent({ ...arrived, body: Buffer.from(body) }), { ok: true, event: told })
  })

  it('is refused when anything but that was signed, or by another secret', () => {
    assert.equal(why({ body: `${body} ` }), 'not-signed')
    assert.equal(why({ body: JSON.stringify({ ...told, id: 'whe-2' }) }), 'not-signed')
    assert.equal(why({ secret: `${secret}x` }), 'not-signed')
    assert.equal(why({ secret: secret.slice('whs-'.length) }), 'not-signed')
    assert.equal(why({ secret: '', signature: sign(body, '') }), 'not-signed')
  })

  it('is refused without a signature in its form', () => {
    const hex = sign(body).slice('sha256='.length)
    for (const signature of [
      ...[undefined, null, '', hex, `sha1=${hex}`, `sha256=${hex.slice(2)}`, `sha256=${hex}00`],
      ...[`sha256=${hex} `, 'sha256=', [sign(body)], `sha256=${'0'.repeat(64)}`],
    ])
      assert.equal(why({ signature }), 'not-signed', String(signature))
  })

  it('is refused when it was sent at another time', () => {
    assert.equal(why({ now: now + ageMsMax - 1 }), undefined)
    assert.equal(why({ now: now - ageMsMax + 1 }), undefined)
    assert.equal(why({ now: now + ageMsMax }), 'not-now')
    assert.equal(why({ now: now - ageMsMax }), 'not-now')
    assert.equal(why({ now: Number.NaN }), 'not-now')
  })

  it('is refused when it is none, though it is signed', () => {
    const { kind: _, ...kindless } = told
    for (const text of [
      ...['', '{', 'null', '[]', '"a"', JSON.stringify(kindless)],
      ...[JSON.stringify({ ...told, data: null }), JSON.stringify({ ...told, timestampSent: '1' })],
    ])
      assert.equal(why({ body: text, signature: sign(text) }), 'malformed', text)
    const bytes = Buffer.from([0x22, 0xff, 0x22])
    assert.equal(why({ body: bytes, signature: sign(bytes) }), 'malformed')
  })

  it('has the type of what its kind tells of', () => {
    const idOf = (event: ToldEvent): string | undefined => {
      if (event.kind === 'wallet.transfer.confirmed') return event.data.transferRequest.id
      return event.kind === 'key.created' ? event.data.key.id : undefined
    }
    const read = readEvent(arrived)
    assert.ok(read.ok)
    assert.equal(idOf(read.event), 'xfr-1')
  })
})
