import { ed25519 } from '@noble/curves/ed25519.js'
import { concat, fromHex, toHex } from '@quorate/core/bytes'
import type { Group, GroupName } from './group.ts'
import { groupOf } from './groups.ts'

/** What a hostile peer may send for a point, for tests: a group must refuse every one of them. */
export function badPoints(group: Group): readonly Uint8Array[] {
  const good = group.toWire(group.generator)
  const common = [
    new Uint8Array(0),
    new Uint8Array(group.wireSize),
    group.toWire(group.identity),
    good.slice(1),
    concat(good, Uint8Array.of(0)),
    new Uint8Array(group.wireSize).fill(0xff),
  ]
  return [...common, ...special[group.name]()]
}

const special: Readonly<Record<GroupName, () => readonly Uint8Array[]>> = {
  secp256k1: () => [
    fromHex(`02${'00'.repeat(31)}05`), // 5³ + 7 is not a square
    fromHex(`02fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc30`), // x = p + 1
    groupOf('secp256k1').generator, // uncompressed
    fromHex(`05${toHex(groupOf('secp256k1').generator.slice(1, 33))}`),
  ],
  stark: () => {
    const full = groupOf('stark').generator
    const off = full.slice()
    off[64] = (off[64] ?? 0) ^ 1
    const hybrid = full.slice()
    hybrid[0] = 6 + ((full[64] ?? 0) & 1)
    const p = 0x800000000000011000000000000000000000000000000000000000000000001n
    const x = BigInt(`0x${toHex(full.slice(1, 33))}`) + p
    const above = fromHex(`04${x.toString(16).padStart(64, '0')}${toHex(full.slice(33))}`)
    return [off, hybrid, above]
  },
  ed25519: () => {
    const { Point } = ed25519
    // The torsion subgroup: order 8, from the point of order 8 in RFC 8032's curve.
    const eighth = Point.fromHex('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a')
    const torsion = [Point.ZERO]
    while (torsion.length < 8) torsion.push(eighth.add(torsion.at(-1) ?? Point.ZERO))
    const mixed = torsion.slice(1).map((t) => Point.BASE.multiply(5n).add(t).toBytes())
    return [
      ...torsion.map((t) => t.toBytes()),
      ...mixed,
      fromHex(`ee${'ff'.repeat(30)}7f`), // y = p + 1, the identity once more
      fromHex(`ed${'ff'.repeat(30)}7f`), // y = p, a point of order 4 once more
      fromHex(`01${'00'.repeat(30)}80`), // x = 0 with the sign bit set
      fromHex(`02${'00'.repeat(31)}`), // y = 2 is not on the curve
    ]
  },
}
