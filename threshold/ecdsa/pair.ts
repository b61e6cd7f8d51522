import { decode, encode, fixed, hash32, struct, tag, u8 } from '@quorate/core/codec'
import type { Weights } from '../kernel/numbers.ts'
import type { Party } from '../session.ts'
import { expand } from './cipher.ts'
import { curveOf, type EcdsaCurveName } from './curve.ts'
import { deltaBits, leafCount, leafSize, rowCount, treeCount } from './parameters.ts'
import type { Leaves, Punctured } from './tree.ts'

/**
 * What two parties hold of each other for as long as a pair epoch lasts: the seeds of the oblivious
 * transfer extension in both directions. Opaque to other rooms but for `epoch`, under which the
 * signer keeps its records of use and of burning.
 */
export type PairState = {
  readonly epoch: Uint8Array
  readonly self: Party
  readonly peer: Party
  /** This party as receiver of the extension: every leaf of every tree. */
  readonly receiver: Leaves
  /** This party as sender of the extension: Δ, and all leaves but one of every tree. */
  readonly sender: Punctured
  /** Both know it, nobody else: shares of zero are drawn from it. */
  readonly zeroSeed: Uint8Array
  /** Public vectors are drawn from it, one for each curve: `gadgetOf`. */
  readonly gadgetSeed: Uint8Array
}

const stored = struct({
  format: tag('quorate/ecdsa/pair/v1'),
  epoch: hash32,
  self: u8,
  peer: u8,
  receiver: fixed(treeCount * leafCount * leafSize),
  delta: fixed(deltaBits / 8),
  sender: fixed(treeCount * (leafCount - 1) * leafSize),
  zeroSeed: hash32,
  gadgetSeed: hash32,
})

/** Secret bytes: the signer seals them before they touch a disk, and keeps them out of backups. */
export function encodePair({ sender, ...pair }: PairState): Uint8Array {
  const { delta, leaves } = sender
  return encode(stored, { ...pair, delta, sender: leaves })
}

/** @throws Failure `bytes.malformed` */
export function decodePair(bytes: Uint8Array): PairState {
  const { delta, sender, ...pair } = decode(stored, bytes)
  return { ...pair, sender: { delta, leaves: sender } }
}

/** Of some 16 kB each: the pairs of a signer that are in daily use. */
const gadgetsMax = 256
/** By curve and seed, the oldest first. Not secret: it may be known to anybody. */
const gadgets = new Map<string, Weights>()

/** The public vector g of a pair's multiplications on one curve. */
export function gadgetOf(curve: EcdsaCurveName, { gadgetSeed }: PairState): Weights {
  const name = `${curve} ${gadgetSeed.join()}`
  const known = gadgets.get(name)
  if (known !== undefined) return known
  const [oldest] = gadgets.keys()
  if (gadgets.size >= gadgetsMax && oldest !== undefined) gadgets.delete(oldest)
  const gadget = curveOf(curve).scalars.weightsOf(gadgetNumbers(curve, gadgetSeed))
  gadgets.set(name, gadget)
  return gadget
}

/**
 * ξ uniform scalars: DKLs23, protocol 5.2. 48 bytes each, so that none is favoured by more than
 * 2^-128.
 */
export function gadgetNumbers(curve: EcdsaCurveName, seed: Uint8Array): readonly bigint[] {
  const { group, domain } = curveOf(curve)
  const bytes = expand(rowCount * 48, `${domain}/gadget/v1`, seed)
  return Array.from({ length: rowCount }, (_, row) =>
    group.reduce(bytes.subarray(row * 48, row * 48 + 48)),
  )
}
