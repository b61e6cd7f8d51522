import type { Attack } from '../attack.ts'
import { hiding } from './signing.ts'

/** Whatever a policy forbids, or wants approved. */
export const policies: readonly Attack[] = [...hiding]
