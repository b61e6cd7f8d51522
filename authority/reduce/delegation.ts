import type { Authored } from './author.ts'
import { refuse, type Judging } from './judging.ts'
import type { Reduced } from './writes.ts'

/** `POST /keys/:keyId/delegate`, `POST /wallets/:walletId/delegate` */
export function reduceDelegation(_judging: Judging, _authored: Authored): Reduced {
  return refuse('this is not supported')
}

/** `DELETE /keys/:keyId` */
export function reduceKeyStatus(_judging: Judging, _authored: Authored): Reduced {
  return refuse('this is not supported')
}

/** `PUT` and `DELETE /wallets/:walletId/tags` */
export function reduceTags(_judging: Judging, _authored: Authored): Reduced {
  return refuse('this is not supported')
}
