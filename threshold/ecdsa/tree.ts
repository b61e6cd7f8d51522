import { equalBytes } from '@quorate/core/bytes'
import { hashOf } from '@quorate/core/hash'
import { expand } from './cipher.ts'
import { leafCount, leafSize, treeCorrectionsSize, treeCount, treeSumsSize } from './parameters.ts'

const digestSize = 32

/** What turns the base transfers' keys into trees at the other side. */
export type TreeMessage = {
  /** For each tree: the sum of the left leaves, then of the right ones, each under its key. */
  readonly corrections: Uint8Array
  /** For each tree: the sum of its leaves' checks. */
  readonly sums: Uint8Array
  /** The hash of all leaves' checks. */
  readonly proof: Uint8Array
}

/** Leaves by tree, then by number: 64 times 4 of 16 bytes. */
export type Leaves = Uint8Array

/**
 * 64 trees of four leaves, of which the receiver learns all but one: SoftSpoken (ePrint 2022/192),
 * section 6 (punctured pseudorandom functions after Goldreich, Goldwasser and Micali), with its
 * consistency check. The two keys of transfer 2b are the inner nodes of tree b; those of transfer
 * 2b + 1 carry the sums of the leaves that go left and of those that go right. Leaf number: 2 · (way
 * at the root) + (way below).
 *
 * @param keys both keys of each base transfer
 */
export function plantTrees(
  context: Uint8Array,
  keys: readonly (readonly [Uint8Array, Uint8Array])[],
): { readonly leaves: Leaves; readonly message: TreeMessage } {
  const leaves = new Uint8Array(treeCount * leafCount * leafSize)
  const corrections = new Uint8Array(treeCorrectionsSize)
  const sums = new Uint8Array(treeSumsSize)
  const checks: Uint8Array[] = []
  for (let tree = 0; tree < treeCount; tree++) {
    const nodes = pairAt(keys, 2 * tree).flatMap((key, way) => children(context, tree, way, key))
    for (const [way, key] of pairAt(keys, 2 * tree + 1).entries()) {
      const sum = xor(key.subarray(0, leafSize), xor(entry(nodes, way), entry(nodes, 2 + way)))
      corrections.set(sum, (2 * tree + way) * leafSize)
    }
    for (const [number, node] of nodes.entries()) {
      const { check, leaf } = leafOf(context, tree, node)
      leaves.set(leaf, (tree * leafCount + number) * leafSize)
      addTo(sums, tree * digestSize, check)
      checks.push(check)
    }
  }
  return { leaves, message: { corrections, sums, proof: proofOf(context, checks) } }
}

/** What the extension's sender holds of one direction. */
export type Punctured = {
  /** Δ: bits 2b and 2b + 1 are the number of the leaf of tree b that this party does not know. */
  readonly delta: Uint8Array
  /** By tree, then by (number of the leaf) XOR (missing number): 64 times 3 of 16 bytes. */
  readonly leaves: Uint8Array
}

/** The choice in transfer i that leads away from the missing leaf: root first, its high bit. */
export function choicesOf(delta: Uint8Array): Uint8Array {
  return Uint8Array.from({ length: 2 * treeCount }, (_, index) => {
    const missing = missingLeaf(delta, index >>> 1)
    return 1 ^ ((missing >>> (1 - (index & 1))) & 1)
  })
}

/**
 * All four leaves are worked out, one of them from nothing, and masks pick from them: neither what is
 * done nor where in memory depends on Δ.
 *
 * @param keys the chosen key of each base transfer, chosen by `choicesOf(delta)`
 * @returns nothing when the trees are not the ones the sender has proved to hold
 */
export function openTrees(
  context: Uint8Array,
  delta: Uint8Array,
  keys: readonly Uint8Array[],
  message: TreeMessage,
): Punctured | undefined {
  const leaves = new Uint8Array(treeCount * (leafCount - 1) * leafSize)
  const checks: Uint8Array[] = []
  for (let tree = 0; tree < treeCount; tree++) {
    const missing = missingLeaf(delta, tree)
    const nodes = openNodes(context, { tree, missing, keys, corrections: message.corrections })
    const opened = nodes.map((node) => leafOf(context, tree, node))
    const missed = message.sums.slice(tree * digestSize, (tree + 1) * digestSize)
    for (const [number, { check }] of opened.entries())
      addTo(missed, 0, masked(check, ~maskOf(number, missing)))
    for (const [number, { check, leaf }] of opened.entries()) {
      checks.push(select(maskOf(number, missing), missed, check))
      for (let place = 1; place < leafCount; place++) {
        const at = (tree * (leafCount - 1) + place - 1) * leafSize
        addTo(leaves, at, masked(leaf, maskOf(number ^ missing, place)))
      }
    }
  }
  return equalBytes(proofOf(context, checks), message.proof) ? { delta, leaves } : undefined
}

type Opening = {
  readonly tree: number
  readonly missing: number
  readonly keys: readonly Uint8Array[]
  readonly corrections: Uint8Array
}

/** The leaves' nodes by number; in the place of the missing one, something of no use. */
function openNodes(
  context: Uint8Array,
  { tree, missing, keys, corrections }: Opening,
): readonly Uint8Array[] {
  const root = 1 ^ (missing >>> 1)
  const isRight = maskOf(1 ^ (missing & 1), 1)
  const known = children(context, tree, root, entry(keys, 2 * tree))
  const correctionOf = (way: number): Uint8Array =>
    corrections.subarray((2 * tree + way) * leafSize, (2 * tree + way + 1) * leafSize)
  const sum = xor(
    entry(keys, 2 * tree + 1).subarray(0, leafSize),
    select(isRight, correctionOf(1), correctionOf(0)),
  )
  const other = xor(sum, select(isRight, known[1], known[0]))
  return Array.from({ length: leafCount }, (_, number) =>
    select(maskOf(number >>> 1, root), entry(known, number & 1), other),
  )
}

/** All bits set if two numbers below 2^31 are equal, else none. */
function maskOf(a: number, b: number): number {
  return ((a ^ b) - 1) >> 31
}

function select(mask: number, one: Uint8Array, other: Uint8Array): Uint8Array {
  return xor(masked(one, mask), masked(other, ~mask))
}

function masked(bytes: Uint8Array, mask: number): Uint8Array {
  return bytes.map((byte) => byte & mask)
}

function missingLeaf(delta: Uint8Array, tree: number): number {
  return ((delta[tree >>> 2] ?? 0) >>> (2 * (tree & 3))) & 3
}

function children(
  context: Uint8Array,
  tree: number,
  way: number,
  key: Uint8Array,
): readonly [Uint8Array, Uint8Array] {
  const both = expand(
    2 * leafSize,
    'quorate/ecdsa/tree/children/v1',
    context,
    Uint8Array.of(tree, way),
    key.subarray(0, leafSize),
  )
  return [both.slice(0, leafSize), both.slice(leafSize)]
}

function leafOf(
  context: Uint8Array,
  tree: number,
  node: Uint8Array,
): { readonly check: Uint8Array; readonly leaf: Uint8Array } {
  const both = expand(
    digestSize + leafSize,
    'quorate/ecdsa/tree/leaf/v1',
    context,
    Uint8Array.of(tree),
    node,
  )
  return { check: both.slice(0, digestSize), leaf: both.slice(digestSize) }
}

function proofOf(context: Uint8Array, checks: readonly Uint8Array[]): Uint8Array {
  return hashOf('quorate/ecdsa/tree/proof/v1', context, ...checks)
}

function pairAt<T>(pairs: readonly (readonly [T, T])[], index: number): readonly [T, T] {
  const found = pairs[index]
  if (found === undefined) throw new Error('a base transfer is missing')
  return found
}

function entry(parts: readonly Uint8Array[], index: number): Uint8Array {
  const found = parts[index]
  if (found === undefined) throw new Error('a node is missing')
  return found
}

function xor(a: Uint8Array, b: Uint8Array): Uint8Array {
  return a.map((byte, i) => byte ^ (b[i] ?? 0))
}

function addTo(target: Uint8Array, at: number, source: Uint8Array): void {
  for (const [i, byte] of source.entries()) target[at + i] = (target[at + i] ?? 0) ^ byte
}
