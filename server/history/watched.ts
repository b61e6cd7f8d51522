/**
 * Which addresses are surely nobody's, so that a block that names none of ours costs no question to
 * the database: 32 bits of each of ours, in a table that is at most half full. One of others may
 * have the same bits, by chance or on purpose, and then the database is asked.
 */
export class Watched {
  private tags = new Uint32Array(tagsMin)
  private count = 0

  add(address: string): void {
    if (this.count * 2 >= this.tags.length) this.grow()
    if (insert(this.tags, tagOf(address))) this.count += 1
  }

  /** Never no for one that was added. */
  mayHave(address: string): boolean {
    return this.isFull || find(this.tags, tagOf(address)).isThere
  }

  get bytes(): number {
    return this.tags.byteLength
  }

  private get isFull(): boolean {
    return this.tags.length >= tagsMax
  }

  /** What would take more memory than it may says maybe to everything. */
  private grow(): void {
    if (this.isFull) return
    const larger = new Uint32Array(this.tags.length * 2)
    for (const tag of this.tags) if (tag !== none) insert(larger, tag)
    this.tags = larger
  }
}

const tagsMin = 1 << 10
/** 128 megabytes, for sixteen million addresses. */
const tagsMax = 1 << 25
/** The tag of no address. */
const none = 0

/** Of its last bytes: many addresses that people have searched for begin alike. */
function tagOf(address: string): number {
  const tag = Number.parseInt(address.slice(-8), 16)
  return tag === none ? 1 : tag
}

function insert(tags: Uint32Array, tag: number): boolean {
  const { at, isThere } = find(tags, tag)
  tags[at] = tag
  return !isThere
}

/** Where it is, or would be: from its own place on, up to the first that is free. */
function find(tags: Uint32Array, tag: number): { readonly at: number; readonly isThere: boolean } {
  const mask = tags.length - 1
  let at = tag & mask
  for (let found = tags[at]; found !== none && found !== tag; found = tags[at]) at = (at + 1) & mask
  return { at, isThere: tags[at] === tag }
}
