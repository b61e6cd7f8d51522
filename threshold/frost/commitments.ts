import { concat, equalBytes } from '@quorate/core/bytes'
import type { Group, Point } from '../group/group.ts'
import { sumOf } from '../group/polynomial.ts'
import type { Party } from '../session.ts'
import type { Suite } from './suite.ts'

export type Commitment = {
  readonly party: Party
  readonly hiding: Point
  readonly binding: Point
  readonly bytes: Uint8Array
}

export type Refusal = {
  readonly ok: false
  /** A short name of the failed check, safe to log. */
  readonly reason: string
  readonly culprits: readonly Party[]
}

/**
 * The list that all of a quorum must agree on: sorted, each party once, one commitment of two
 * usable points for each and for nobody else. RFC 9591, sections 4.3 and 5.2.
 *
 * @param own of whoever reads, who need not check points that it has made itself
 */
export function readCommitments(
  group: Group,
  quorum: readonly Party[],
  commitments: ReadonlyMap<Party, Uint8Array>,
  own?: Commitment,
): { readonly ok: true; readonly list: readonly Commitment[] } | Refusal {
  const refusal = refusalOf(quorum, commitments)
  if (refusal !== undefined) return refusal
  const list: Commitment[] = []
  const culprits: Party[] = []
  for (const party of quorum) {
    const bytes = commitments.get(party) ?? new Uint8Array()
    const isOwn = own !== undefined && own.party === party && equalBytes(own.bytes, bytes)
    const commitment = isOwn ? own : read(group, party, bytes)
    if (commitment === undefined) culprits.push(party)
    else list.push(commitment)
  }
  return culprits.length > 0 ? refused('invalid commitment', culprits) : { ok: true, list }
}

/** Whatever is in them, they are those of a sorted set, and nobody else's. */
export function refusalOf(
  quorum: readonly Party[],
  commitments: ReadonlyMap<Party, Uint8Array>,
): Refusal | undefined {
  if (!isSorted(quorum)) return refused('quorum is not a sorted set', [])
  if (commitments.size !== quorum.length || !quorum.every((party) => commitments.has(party)))
    return refused('commitments are not those of the quorum', [])
  return undefined
}

export type Binding = {
  /** ρ_i, by party. */
  readonly factors: ReadonlyMap<Party, bigint>
  /** R = Σ D_i + ρ_i·E_i. */
  readonly groupCommitment: Point
}

/** Binds every share to key, message and the whole list. Sections 4.4 and 4.5. */
export function bind(
  { group, h1, h4, h5 }: Suite,
  list: readonly Commitment[],
  { publicKey, message }: { readonly publicKey: Uint8Array; readonly message: Uint8Array },
): Binding {
  const encoded = concat(...list.map(({ party, bytes }) => concat(identifier(group, party), bytes)))
  const prefix = concat(publicKey, h4(message), h5(encoded))
  const factors = new Map(
    list.map(({ party }) => [party, h1(concat(prefix, identifier(group, party)))]),
  )
  const shares = list.map((commitment) => commitmentShare(group, commitment, factors))
  return { factors, groupCommitment: sumOf(group, shares) }
}

/** D_i + ρ_i·E_i: public, so variable time is safe. */
export function commitmentShare(
  group: Group,
  { party, hiding, binding }: Commitment,
  factors: ReadonlyMap<Party, bigint>,
): Point {
  return group.add(hiding, group.multiplyPublic(binding, factors.get(party) ?? 0n))
}

export function refused(reason: string, culprits: readonly Party[]): Refusal {
  return { ok: false, reason, culprits }
}

function isSorted(quorum: readonly Party[]): boolean {
  return quorum.every((party, i) => Number.isInteger(party) && party > (quorum[i - 1] ?? 0))
}

function identifier(group: Group, party: Party): Uint8Array {
  return group.scalarToBytes(BigInt(party))
}

function read(group: Group, party: Party, bytes: Uint8Array): Commitment | undefined {
  if (bytes.length !== 2 * group.pointSize) return undefined
  const hiding = group.decode(bytes.slice(0, group.pointSize))
  const binding = group.decode(bytes.slice(group.pointSize, 2 * group.pointSize))
  if (hiding === undefined || binding === undefined) return undefined
  return { party, hiding, binding, bytes }
}
