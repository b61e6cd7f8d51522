import type { Authored } from './author.ts'
import type { Completed } from './completion.ts'
import { refuse, type Judging } from './judging.ts'
import type { Reduced } from './writes.ts'

/** `POST /auth/credentials` */
export function reduceCredential(_judging: Judging, _authored: Authored): Reduced {
  return refuse('this is not supported')
}

/** `POST /auth/credentials/code/verify` */
export function reduceCodeCredential(_judging: Judging, _completed: Completed): Reduced {
  return refuse('this is not supported')
}

/** `POST /auth/credentials/code` */
export function reduceCredentialCode(_judging: Judging, _authored: Authored): Reduced {
  return refuse('this is not supported')
}

/** Activates, deactivates and deletes a credential. */
export function reduceCredentialStatus(_judging: Judging, _authored: Authored): Reduced {
  return refuse('this is not supported')
}
