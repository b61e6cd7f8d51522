import { concat } from '@quorate/core/bytes'
import { frameBytesMax } from './link.ts'

/** A frame on a byte stream: four bytes of length, then the frame. */
export function framed(frame: Uint8Array): Uint8Array {
  const length = new Uint8Array(4)
  new DataView(length.buffer).setUint32(0, frame.length)
  return concat(length, frame)
}

/**
 * Cuts a byte stream into frames. A length over the limit ends the stream: nothing after it could
 * be told apart from garbage. However small the pieces in which a frame comes, each byte is copied
 * once: what arrives, and in how many pieces, is the peer's choice.
 */
export class Unframer {
  private readonly header = new Uint8Array(4)
  private headerSize = 0
  private body: Uint8Array | undefined
  private bodySize = 0

  /** @returns the frames that this chunk completes, or nothing when the stream must be closed */
  push(chunk: Uint8Array): readonly Uint8Array[] | undefined {
    const frames: Uint8Array[] = []
    let rest = chunk
    while (rest.length > 0) {
      rest = this.body === undefined ? this.readHeader(rest) : this.readBody(rest, this.body)
      if (this.isTooLarge()) return undefined
      const frame = this.taken()
      if (frame !== undefined) frames.push(frame)
    }
    return frames
  }

  private readHeader(from: Uint8Array): Uint8Array {
    const part = from.subarray(0, 4 - this.headerSize)
    this.header.set(part, this.headerSize)
    this.headerSize += part.length
    if (this.headerSize === 4 && !this.isTooLarge()) this.body = new Uint8Array(this.length())
    return from.subarray(part.length)
  }

  private readBody(from: Uint8Array, body: Uint8Array): Uint8Array {
    const part = from.subarray(0, body.length - this.bodySize)
    body.set(part, this.bodySize)
    this.bodySize += part.length
    return from.subarray(part.length)
  }

  private taken(): Uint8Array | undefined {
    const { body } = this
    if (body === undefined || this.bodySize < body.length) return undefined
    this.headerSize = 0
    this.bodySize = 0
    this.body = undefined
    return body
  }

  private isTooLarge(): boolean {
    return this.headerSize === 4 && this.length() > frameBytesMax
  }

  private length(): number {
    return new DataView(this.header.buffer).getUint32(0)
  }
}

type Corkable = {
  readonly writableCorked: number
  cork(): void
  uncork(): void
  write(bytes: Uint8Array): unknown
}

/**
 * Writes what is said in one moment as one: a message by itself costs a record of TLS and a call of
 * the system at both ends, and those that are answered together are ready together.
 */
export function writeTogether(stream: Corkable, bytes: Uint8Array): void {
  if (stream.writableCorked === 0) {
    stream.cork()
    // After all that promises still have to do in this moment.
    process.nextTick(() => stream.uncork())
  }
  stream.write(bytes)
}
