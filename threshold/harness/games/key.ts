import { childShare } from '../../child-share.ts'
import type { GroupName } from '../../group/group.ts'
import { groupOf } from '../../group/groups.ts'
import { evaluate, randomNumber } from '../../group/testing/oracle.ts'
import { childParts } from '../../public/child.ts'
import { named, seeded } from '../../ecdsa/testing/parties.ts'

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
  const polynomial = Array.from({ length: t }, () => randomNumber(group, random))
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

/** A child of the key above: each party has added the same public number to its share. */
export function derivedKeyOf(size: { readonly n: number; readonly t: number }): Key {
  const master = keyOf('secp256k1', size)
  const tweak = tweakOf('a path')
  const secrets = master.secrets.map((secret, i) =>
    shiftedShare({ ...size, ...master, self: i + 1, secret }, tweak),
  )
  return { ...childParts(master, tweak), secrets }
}

/** By which a child is more than its master: below the order in whatever way it is hashed. */
export function tweakOf(path: string): Uint8Array {
  return named(path).with(0, 0)
}

type Share = Omit<Parameters<typeof childShare>[0], 'group' | 'chainCode' | 'transcript'>

export function shiftedShare(share: Share, tweak: Uint8Array): Uint8Array {
  const [chainCode, transcript] = [new Uint8Array(32), new Uint8Array(32)]
  const whole = { ...share, group: 'secp256k1', chainCode, transcript } as const
  return childShare(whole, { tweak, chainCode }).secret
}
