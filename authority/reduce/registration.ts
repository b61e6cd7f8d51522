import type { Completed } from './completion.ts'
import { refuse, type Judging } from './judging.ts'
import type { Reduced } from './writes.ts'

/** `POST /auth/registration` and `/auth/registration/enduser` */
export function reduceRegistration(_judging: Judging, _completed: Completed): Reduced {
  return refuse('this is not supported')
}
