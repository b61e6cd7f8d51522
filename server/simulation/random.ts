import { createHash, createPrivateKey, type KeyObject } from 'node:crypto'

/** Chance that a seed repeats. Nothing secret is made of it. */
export class Random {
  private state: Uint32Array

  constructor(seed: string) {
    this.state = new Uint32Array(new Uint8Array(createHash('sha256').update(seed).digest()).buffer)
  }

  /** xoshiro128**, Blackman and Vigna 2018. */
  private next(): number {
    const [a = 0, b = 0, c = 0, d = 0] = this.state
    const turned = (value: number, by: number) => (value << by) | (value >>> (32 - by))
    const result = Math.imul(turned(Math.imul(b, 5), 7), 9)
    const [e, f] = [c ^ a, d ^ b]
    this.state = Uint32Array.of(a ^ f, b ^ e, e ^ (b << 9), turned(f, 11))
    return result >>> 0
  }

  /** From 0 up to `below`, without it. */
  below(below: number): number {
    return Math.floor((this.next() / 2 ** 32) * below)
  }

  between(low: number, high: number): number {
    return low + this.below(high - low + 1)
  }

  happens(probability: number): boolean {
    return this.next() / 2 ** 32 < probability
  }

  one<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)]
    if (item === undefined) throw new RangeError('one of nothing')
    return item
  }

  shuffled<T>(items: readonly T[]): T[] {
    const left = [...items]
    return items.flatMap(() => left.splice(this.below(left.length), 1))
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.below(256))
  }
}

/** RFC 8410, section 7: what stands before the 32 bytes of an Ed25519 key. */
const pkcs8 = Buffer.from('302e020100300506032b657004220420', 'hex')

export function keyFrom(random: Random): KeyObject {
  const key = Buffer.concat([pkcs8, random.bytes(32)])
  return createPrivateKey({ key, format: 'der', type: 'pkcs8' })
}
