import assert from 'node:assert/strict'
import type { GroupName } from '../group/group.ts'
// noble alone: this also runs where there are no native libraries.
import { nobleGroups } from '../group/noble.ts'
import { evaluate, evaluatePoints, interpolate } from '../group/polynomial.ts'
import type { Scalar } from '../kernel/numbers.ts'
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
  const { secret } = input
  assert(group.secrets.isScalar(secret), 'not a private key of this group')
  assert(Number.isInteger(n) && Number.isInteger(t) && t >= 2 && t <= n)
  const drawn = Array.from({ length: t - 1 }, () => group.randomSecret(random))
  const polynomial = [secret, ...drawn]
  const shares = Array.from({ length: n }, (_, i) => evaluate(group, polynomial, i + 1))
  const commitments = polynomial.map((coefficient) =>
    group.encode(group.multiplyBaseBySecret(coefficient)),
  )
  for (const coefficient of drawn) coefficient.fill(0)
  return { shares, commitments }
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
  const { share } = input
  const commitments = input.commitments.map((bytes) => group.decode(bytes))
  if (!group.secrets.isResidue(share) || commitments.length !== input.t) return false
  if (!commitments.every((point) => point !== undefined)) return false
  return group.equal(
    group.multiplyBaseBySecret(share),
    evaluatePoints(group, commitments, input.party),
  )
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
  const shares = new Map<Party, Scalar>()
  for (const [party, share] of input.shares) {
    const point = group.decode(input.publicShares.get(party) ?? new Uint8Array())
    if (!group.secrets.isResidue(share) || point === undefined) continue
    if (group.equal(group.multiplyBaseBySecret(share), point)) shares.set(party, share)
  }
  const culprits = [...input.shares.keys()].filter((party) => !shares.has(party))
  if (culprits.length > 0) return { ok: false, culprits }

  // Of no share at all there is nothing to be put together.
  if (shares.size === 0) return { ok: false, culprits: [] }
  const secret = interpolate(group, shares)
  const publicKey = group.decode(input.publicKey)
  const isKey =
    publicKey !== undefined && group.equal(group.multiplyBaseBySecret(secret), publicKey)
  return isKey ? { ok: true, secret } : { ok: false, culprits: [] }
}
