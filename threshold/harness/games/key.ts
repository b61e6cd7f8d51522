import type { GroupName } from '../../group/group.ts'
import { groupOf } from '../../group/groups.ts'
import { evaluate } from '../../group/polynomial.ts'
import { seeded } from '../../ecdsa/testing/parties.ts'

export type Key = {
  readonly publicKey: Uint8Array
  readonly publicShares: readonly Uint8Array[]
  readonly secrets: readonly Uint8Array[]
}

/** A shared key of which the test knows everything, without a ceremony. */
export function keyOf(
  name: GroupName,
  { n, t }: { readonly n: number; readonly t: number },
  seed = 'a key',
): Key {
  const group = groupOf(name)
  const random = seeded(`${seed} ${name} ${t} of ${n}`)
  const polynomial = Array.from({ length: t }, () => group.randomScalar(random))
  const values = Array.from({ length: n + 1 }, (_, i) => evaluate(group, polynomial, i))
  const [publicKey = new Uint8Array(), ...publicShares] = values.map((value) =>
    group.encode(group.multiplyBase(value)),
  )
  return {
    publicKey,
    publicShares,
    secrets: values.slice(1).map((value) => group.scalarToBytes(value)),
  }
}
