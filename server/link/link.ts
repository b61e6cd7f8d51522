import type { Http2Session } from 'node:http2'
import type { Duplex } from 'node:stream'
import { equalBytes } from '@quorate/core/bytes'
import { isFailure } from '@quorate/core/failure'
import type { Manifest } from '@quorate/authority/manifest'
import { framed, Unframer, writeTogether } from '@quorate/wire/framing'
import {
  type Call,
  decodeFrame,
  encodeFrame,
  type Frame,
  frameBytesMax,
  linkProtocol,
  type Reply,
} from '@quorate/wire/link'

/**
 * Questions that one signer may owe answers to. Twice as many as the busiest second needs; one that
 * has stopped reading is not sent more than this.
 */
const callsOpenMax = 512
/** What may wait in memory for one signer to read it: a handful of the largest frames. */
const unsentBytesMax = 4 * frameBytesMax
const helloMsMax = 5_000

/** As much of an HTTP/2 stream as a link needs. */
type LinkStream = Duplex & { readonly session?: Http2Session | undefined }
type Owed = { readonly settle: (answer: Reply | 'timeout' | 'gone') => void }

/** One signer's stream, for as long as it lasts. */
export class Link {
  /** Whether it began with a hello that fits the certificate. Settles once. */
  readonly opened: Promise<boolean>
  /** Why it ended. Never rejects. */
  readonly closed: Promise<string>
  private readonly stream: LinkStream
  private readonly unframer = new Unframer()
  private readonly owed = new Map<number, Owed>()
  private number = 0
  private heardAt = performance.now()
  private reason = 'closed by the signer'
  private hello: ((frame: Frame) => void) | undefined

  constructor(
    stream: LinkStream,
    expected: { readonly signer: number; readonly manifest: Manifest },
  ) {
    this.stream = stream
    this.opened = new Promise((resolve) => {
      const late = setTimeout(() => this.end('no hello'), helloMsMax)
      this.hello = (frame) => {
        clearTimeout(late)
        this.hello = undefined
        const fits = isHello(frame, expected)
        if (!fits) this.end('its hello is for another cluster, protocol or signer')
        resolve(fits)
      }
      stream.once('close', () => {
        clearTimeout(late)
        resolve(false)
      })
    })
    this.closed = new Promise((resolve) => stream.once('close', () => resolve(this.reason)))
    stream.on('data', (chunk: Buffer) => this.hear(chunk))
    stream.once('end', () => this.end('closed by the signer'))
    stream.once('close', () => this.forget())
  }

  call(call: Call, deadlineMs: number): Promise<Reply | 'timeout' | 'gone'> {
    const { stream, owed } = this
    const full = owed.size >= callsOpenMax || stream.writableLength > unsentBytesMax
    if (full || stream.destroyed || stream.closed) return Promise.resolve('gone')
    this.number = (this.number + 1) % 2 ** 32
    const { number } = this
    return new Promise((resolve) => {
      const settle: Owed['settle'] = (answer) => {
        clearTimeout(late)
        owed.delete(number)
        resolve(answer)
      }
      const late = setTimeout(() => settle('timeout'), deadlineMs)
      owed.set(number, { settle })
      writeTogether(stream, framed(encodeFrame({ kind: 'call', number, call })))
    })
  }

  /** Cuts off a signer that has said nothing for `silenceMsMax` though it was asked. */
  ping(silenceMsMax: number): void {
    if (performance.now() - this.heardAt > silenceMsMax) return this.end('silent for too long')
    void this.call({ kind: 'ping' }, silenceMsMax)
  }

  close(): void {
    this.end('closed here')
  }

  /** One signer's bytes may cost its own link, and never the process that all others share. */
  private hear(chunk: Uint8Array): void {
    try {
      this.receive(chunk)
    } catch (error) {
      this.end(`its bytes could not be taken: ${error instanceof Error ? error.name : 'unknown'}`)
    }
  }

  private receive(chunk: Uint8Array): void {
    this.heardAt = performance.now()
    const frames = this.unframer.push(new Uint8Array(chunk))
    if (frames === undefined) return this.end('a frame was too large')
    for (const bytes of frames) {
      const frame = readFrame(bytes)
      if (frame === undefined) return this.end('a frame could not be read')
      if (this.hello !== undefined) this.hello(frame)
      // A number that is not owed any more is an answer that came too late.
      else if (frame.kind === 'reply') this.owed.get(frame.number)?.settle(frame.reply)
      else return this.end('a frame was not an answer')
    }
  }

  private end(reason: string): void {
    if (this.stream.destroyed) return
    this.reason = reason
    const { session } = this.stream
    this.stream.destroy()
    // A frozen peer would keep a session that closes politely open for ever.
    session?.destroy()
  }

  private forget(): void {
    for (const { settle } of [...this.owed.values()]) settle('gone')
  }
}

function isHello(
  frame: Frame,
  { signer, manifest }: { readonly signer: number; readonly manifest: Manifest },
): boolean {
  return (
    frame.kind === 'hello' &&
    frame.protocol === linkProtocol &&
    frame.signer === signer &&
    equalBytes(frame.manifest, manifest.hash)
  )
}

function readFrame(bytes: Uint8Array): Frame | undefined {
  try {
    return decodeFrame(bytes)
  } catch (error) {
    if (isFailure(error, 'bytes.malformed')) return undefined
    throw error
  }
}
