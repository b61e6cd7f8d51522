import assert from 'node:assert/strict'
import type { GroupName } from '../group/group.ts'
// noble alone: this also runs where there are no native libraries.
import { nobleGroups } from '../group/noble.ts'
import { evaluate, evaluatePoints, lagrange } from '../group/polynomial.ts'
import type { Party, Random } from '../session.ts'

/**
 * The one place where a whole key exists: in a user's client, to bring one in or to take one out.
 * No server and no signer imports this folder.
 */
export type Split = {
  /** Entry 0 is for party 1. */
  readonly shares: readonly Uint8Array[]
  /** The polynomial in the exponent: exactly t points, of which the first is the public key. */
  readonly commitments: readonly Uint8Array[]
}

/** Shamir 1979, with Feldman's commitments (1987). */
export function split(
  input: {
    readonly group: GroupName
    readonly secret: Uint8Array
    readonly n: number
    readonly t: number
  },
  random: Random,
): Split {
  const { n, t } = input
  const group = nobleGroups[input.group]
  const secret = group.scalarFromBytes(input.secret)
  assert(secret !== undefined && secret !== 0n, 'not a private key of this group')
  assert(Number.isInteger(n) && Number.isInteger(t) && t >= 2 && t <= n)
  const polynomial = [secret, ...Array.from({ length: t - 1 }, () => group.randomScalar(random))]
  return {
    shares: Array.from({ length: n }, (_, i) =>
      group.scalarToBytes(evaluate(group, polynomial, i + 1)),
    ),
    commitments: polynomial.map((coefficient) => group.encode(group.multiplyBase(coefficient))),
  }
}

/** Is this `party`'s share of the committed key, among exactly `t` that are needed? */
export function isShareOf(input: {
  readonly group: GroupName
  readonly t: number
  readonly party: Party
  readonly share: Uint8Array
  readonly commitments: readonly Uint8Array[]
}): boolean {
  const group = nobleGroups[input.group]
  const share = group.scalarFromBytes(input.share)
  const commitments = input.commitments.map((bytes) => group.decode(bytes))
  if (share === undefined || commitments.length !== input.t) return false
  if (!commitments.every((point) => point !== undefined)) return false
  return group.equal(group.multiplyBase(share), evaluatePoints(group, commitments, input.party))
}

export type Recombined =
  | { readonly ok: true; readonly secret: Uint8Array }
  /** Whose shares are not what the key's certificate says; nobody when there are too few. */
  | { readonly ok: false; readonly culprits: readonly Party[] }

/** The key of `publicKey` from t of its shares, every one of them checked, and the result too. */
export function recombine(input: {
  readonly group: GroupName
  readonly publicKey: Uint8Array
  readonly publicShares: ReadonlyMap<Party, Uint8Array>
  readonly shares: ReadonlyMap<Party, Uint8Array>
}): Recombined {
  const group = nobleGroups[input.group]
  const shares = new Map<Party, bigint>()
  for (const [party, bytes] of input.shares) {
    const share = group.scalarFromBytes(bytes)
    const point = group.decode(input.publicShares.get(party) ?? new Uint8Array())
    if (share === undefined || point === undefined) continue
    if (group.equal(group.multiplyBase(share), point)) shares.set(party, share)
  }
  const culprits = [...input.shares.keys()].filter((party) => !shares.has(party))
  if (culprits.length > 0) return { ok: false, culprits }

  const quorum = [...shares.keys()]
  const secret = [...shares].reduce(
    (sum, [party, share]) => group.mod(sum + lagrange(group, quorum, party) * share),
    0n,
  )
  const publicKey = group.decode(input.publicKey)
  const isKey = publicKey !== undefined && group.equal(group.multiplyBase(secret), publicKey)
  return isKey ? { ok: true, secret: group.scalarToBytes(secret) } : { ok: false, culprits: [] }
}
