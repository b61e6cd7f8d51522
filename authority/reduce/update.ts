import type { Authored } from './author.ts'
import { refuse, type Judging } from './judging.ts'
import type { Reduced } from './writes.ts'

/** Names and other words that authority does not read. */
export function reduceUpdate(_judging: Judging, _authored: Authored): Reduced {
  return refuse('this is not supported')
}

/** `POST /agreements/:agreementId/accept` */
export function reduceAgreement(_judging: Judging, _authored: Authored): Reduced {
  return refuse('this is not supported')
}

/** `PUT /auth/users/:userId/erase` */
export function reduceErasure(_judging: Judging, _authored: Authored): Reduced {
  return refuse('this is not supported')
}
