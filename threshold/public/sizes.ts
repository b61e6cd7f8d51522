import type { GroupName } from '../group/group.ts'
import { groupOf } from '../group/groups.ts'

/** Bytes of each body of a key generation, so that a carrier can refuse others unread. */
export type DkgSizes = {
  readonly commitment: number
  readonly opening: number
  readonly share: number
  readonly response: number
  /** With as many accused as there can be. */
  readonly complaintMax: number
  readonly settlementMax: number
}

const hash = 32
const scalar = 32
/** The number of a variant, and the count of a list. */
const [kind, count, index, length] = [1, 4, 1, 4]

export function dkgSizes(
  group: GroupName,
  { n, t }: { readonly n: number; readonly t: number },
): DkgSizes {
  const point = groupOf(group).wireSize
  return {
    commitment: hash,
    opening: hash + count + t * point + point + 2 * hash,
    share: scalar,
    response: kind + hash + scalar,
    complaintMax: kind + hash + count + (n - 1) * index,
    settlementMax: hash + count + (n - 1) * (index + length + scalar),
  }
}

/** A share is R ‖ z_i. */
export const frostSizes = { commitment: 64, share: 64, signature: 64 } as const
export const taprootSizes = { commitment: 66, share: 65, signature: 64 } as const
/** Γ_i, and c and s of its proof. */
export const dhSizes = { partial: 97, point: 33, output: 32 } as const
