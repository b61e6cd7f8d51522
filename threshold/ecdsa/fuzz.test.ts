import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Codec, decode, encode } from '@quorate/core/codec'
import { isFailure } from '@quorate/core/failure'
import type { Inbound, Random } from '../session.ts'
import { combineEcdsa } from './combine.ts'
import { messagesOf } from './messages.ts'
import { decodePair, encodePair } from './pair.ts'
import { ecdsaRound2 } from './round2.ts'
import { ecdsaRound3 } from './round3.ts'
import { ecdsaSizes } from './sizes.ts'
import { at, closings, cluster, inboxes, outs, seeded, signTogether } from './testing/parties.ts'

const runs = 400
const changesPerMessage = 40

for (const curve of ['secp256k1', 'stark'] as const) {
  const shared = cluster(3, 2, curve)
  const session = signTogether(shared, [1, 2], `fuzz ${curve}`)
  const messages = messagesOf(curve)
  const [broadcast, direct] = at(inboxes(outs(session.first)), 1)
  const [second] = at(inboxes(outs(session.second)), 1)
  const third = closings(session)
  assert.ok(broadcast && direct && second)
  const bodies = {
    announcement: broadcast.body,
    extension: direct.body,
    product: second.body,
    closing: at(third, 2),
  }

  describe(`whatever comes in place of a message of ECDSA on ${curve}`, () => {
    for (const name of ['announcement', 'extension', 'product', 'closing'] as const) {
      const codec: Codec<unknown> = messages[name]
      const honest = bodies[name]

      it(`is no ${name}, or the very bytes that what is read of it gives again`, () => {
        const random = seeded(`fuzz ${name}`)
        assert.deepEqual(encode(codec, decode(codec, honest)), honest)
        for (let run = 0; run < runs; run++) {
          const bytes = disturbed(honest, random)
          const value = readAs(codec, bytes)
          if (value !== undefined) assert.deepEqual(encode(codec, value.read), bytes)
        }
      })

      it(`is no ${name} if it has another length`, () => {
        assert.equal(honest.length, ecdsaSizes(curve, 2)[name])
        for (const size of [0, 1, honest.length - 1, honest.length + 1, 2 * honest.length]) {
          const bytes = new Uint8Array(size)
          bytes.set(honest.subarray(0, size))
          assert.equal(readAs(codec, bytes), undefined)
        }
      })
    }

    it('brings nobody to throw, and no signature about', () => {
      const random = seeded(`rounds ${curve}`)
      for (let i = 0; i < changesPerMessage; i++) {
        const first = [broadcast, direct].map((message) => changed(message, random))
        const one = ecdsaRound2(structuredClone(at(session.first, 1).state), first)
        assert.equal(one.kind, 'abort')
        const inbox = [changed(second, random)]
        const two = ecdsaRound3(structuredClone(at(session.second, 1).state), inbox)
        const closing = two.kind === 'done' ? two.out[0]?.body : at(third, 1)
        assert.ok(closing)
        const spoilt = two.kind === 'done' ? at(third, 2) : changed(second, random).body
        const round3 = new Map([
          [1, closing],
          [2, spoilt],
        ])
        const { digest } = at(session.contexts, 1)
        assert.ok(!combineEcdsa({ curve, publicKey: shared.publicKey, digest, round3 }).ok)
      }
    })
  })
}

describe('whatever comes in place of a stored pair', () => {
  it('is none, or the very bytes that what is read of it gives again', () => {
    const pair = at(at(cluster(3, 2).pairs, 1), 2)
    const honest = encodePair(pair)
    const random = seeded('fuzz pair')
    for (let run = 0; run < runs; run++) {
      const bytes = disturbed(honest, random)
      try {
        assert.deepEqual(encodePair(decodePair(bytes)), bytes)
      } catch (error) {
        assert.ok(isFailure(error, 'bytes.malformed'), String(error))
      }
    }
  })
})

/** Nothing when the bytes are refused, as they should be: by that failure and no other. */
function readAs(codec: Codec<unknown>, bytes: Uint8Array): { readonly read: unknown } | undefined {
  try {
    return { read: decode(codec, bytes) }
  } catch (error) {
    assert.ok(isFailure(error, 'bytes.malformed'), String(error))
    return undefined
  }
}

/** Noise, a cut, a longer one, or the honest bytes with some of them changed; often in the lengths. */
function disturbed(honest: Uint8Array, random: Random): Uint8Array {
  const [way = 0, high = 0, low = 0] = random(3)
  const place = (high * 256 + low) % honest.length
  if (way < 40) return random(place)
  if (way < 80) return honest.slice(0, place)
  if (way < 100) return new Uint8Array([...honest, ...random(1 + (place % 40))])
  const out = honest.slice()
  const from = way < 180 ? place % 64 : place
  out.set(random(Math.min(1 + (low % 4), honest.length - from)), from)
  return out
}

/** One byte is another. */
function changed(message: Inbound, random: Random): Inbound {
  const [high = 0, low = 0, by = 0] = random(3)
  const body = message.body.slice()
  const place = (high * 256 + low) % body.length
  body[place] = (body[place] ?? 0) ^ (1 + (by % 255))
  return { ...message, body }
}
