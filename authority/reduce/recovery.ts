import type { Authored } from './author.ts'
import type { Completed } from './completion.ts'
import { refuse, type Judging } from './judging.ts'
import type { Reduced } from './writes.ts'

/** `POST /auth/recover/user` */
export function reduceRecovery(_judging: Judging, _completed: Completed): Reduced {
  return refuse('this is not supported')
}

/** `DELETE /auth/recoveries/:recoveryId` */
export function reduceRecoveryEnd(_judging: Judging, _authored: Authored): Reduced {
  return refuse('this is not supported')
}
