import { ed25519 } from './ed25519.ts'
import type { Group, GroupName } from './group.ts'
import { secp256k1 } from './secp256k1.ts'
import { stark } from './stark.ts'

const groups: Readonly<Record<GroupName, Group>> = { secp256k1, ed25519, stark }

/** The group by the fastest library there is for it. */
export function groupOf(name: GroupName): Group {
  return groups[name]
}
