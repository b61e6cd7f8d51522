import type { Authored } from './author.ts'
import type { Completed } from './completion.ts'
import { refuse, type Judging } from './judging.ts'
import type { Reduced } from './writes.ts'

/** `POST /auth/users`, `POST /auth/registration/delegated` */
export function reduceUser(_judging: Judging, _authored: Authored): Reduced {
  return refuse('this is not supported')
}

/** `POST /auth/registration/social` */
export function reduceSocialUser(_judging: Judging, _completed: Completed): Reduced {
  return refuse('this is not supported')
}

/** `PUT /auth/users/:userId` */
export function reduceUserUpdate(_judging: Judging, _authored: Authored): Reduced {
  return refuse('this is not supported')
}

/** Activates, deactivates and archives users and service accounts. */
export function reduceUserStatus(_judging: Judging, _authored: Authored): Reduced {
  return refuse('this is not supported')
}
