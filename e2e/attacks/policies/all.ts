import type { Attack } from '../attack.ts'
import { unapproved } from './approvals.ts'
import { breakings } from './break-glass.ts'
import { ungoverned } from './governed.ts'
import { hiding } from './signing.ts'
import { acrossNetworks } from './networks.ts'
import { misinforming } from './sources.ts'
import { overspending } from './spending.ts'

/** Whatever a policy forbids, or wants approved. */
export const policies: readonly Attack[] = [
  ...hiding,
  ...unapproved,
  ...overspending,
  ...acrossNetworks,
  ...misinforming,
  ...ungoverned,
  ...breakings,
]
