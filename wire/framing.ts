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
 * be told apart from garbage.
 */
export class Unframer {
  private chunks: Uint8Array[] = []
  private size = 0

  /** @returns the frames that this chunk completes, or nothing when the stream must be closed */
  push(chunk: Uint8Array): readonly Uint8Array[] | undefined {
    this.chunks.push(chunk)
    this.size += chunk.length
    const frames: Uint8Array[] = []
    for (;;) {
      const length = this.nextLength()
      if (length === undefined) return frames
      if (length > frameBytesMax) return undefined
      if (this.size < 4 + length) return frames
      frames.push(this.take(4 + length).slice(4))
    }
  }

  private nextLength(): number | undefined {
    if (this.size < 4) return undefined
    const start = this.chunks[0]?.length ?? 0
    if (start < 4) this.chunks = [concat(...this.chunks)]
    const [first = new Uint8Array(4)] = this.chunks
    return new DataView(first.buffer, first.byteOffset).getUint32(0)
  }

  private take(size: number): Uint8Array {
    const all = concat(...this.chunks)
    this.chunks = [all.subarray(size)]
    this.size -= size
    return all.slice(0, size)
  }
}
