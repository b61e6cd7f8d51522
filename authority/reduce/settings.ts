import type { Authored } from './author.ts'
import { refuse, type Judging } from './judging.ts'
import type { Reduced } from './writes.ts'

/** `PUT /orgs/settings` */
export function reduceSettings(_judging: Judging, _authored: Authored): Reduced {
  return refuse('this is not supported')
}
