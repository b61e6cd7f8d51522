import type { Authored } from './author.ts'
import { refuse, type Judging } from './judging.ts'
import type { Reduced } from './writes.ts'

/** `POST /orgs/freezes`, `DELETE /orgs/freezes/:freezeId` */
export function reduceFreeze(_judging: Judging, _authored: Authored): Reduced {
  return refuse('this is not supported')
}
