import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { describe, it } from 'node:test'
import { concat, toUtf8 } from '@quorate/core/bytes'
import { framed, Unframer, writeTogether } from './framing.ts'

describe('frames', () => {
  it('come out as they went in, however the stream is cut', () => {
    const sent = [new Uint8Array(0), new Uint8Array([1, 2, 3]), new Uint8Array(300).fill(7)]
    const stream = concat(...sent.map(framed))
    for (const size of [1, 3, 5, 1000]) {
      const unframer = new Unframer()
      const received: Uint8Array[] = []
      for (let at = 0; at < stream.length; at += size)
        received.push(...(unframer.push(stream.slice(at, at + size)) ?? []))
      assert.deepEqual(received, sent)
    }
  })

  it('come in as many pieces as the peer likes', () => {
    const sent = new Uint8Array(400_000).fill(5)
    const unframer = new Unframer()
    const received = [...framed(sent)].flatMap(
      (byte) => unframer.push(new Uint8Array([byte])) ?? [],
    )
    assert.deepEqual(received, [sent])
  })

  it('end a stream that announces more than the limit', () => {
    const unframer = new Unframer()
    assert.equal(unframer.push(new Uint8Array([255, 0, 0, 0])), undefined)
    assert.equal(unframer.push(new Uint8Array(1)), undefined)
  })
})

it('what is said in one moment is written as one, in its order, and the next moment apart', async () => {
  const written: string[] = []
  const stream = new Writable({
    write(chunk: Buffer, _, done) {
      written.push(chunk.toString())
      done()
    },
    writev(chunks, done) {
      written.push(chunks.map(({ chunk }) => String(chunk)).join(''))
      done()
    },
  })
  const say = (text: string) => writeTogether(stream, toUtf8(text))
  say('a')
  await Promise.resolve().then(() => say('b'))
  say('c')
  await new Promise(setImmediate)
  say('d')
  await new Promise(setImmediate)
  assert.deepEqual(written, ['abc', 'd'])
})
