import { fromHex } from '@quorate/core/bytes'
import { idOf } from '@quorate/core/id'

/** What the bundle for browsers exports: `npm run bundle`. */
export { checkedPasskeys, checkingPair } from '../checked.ts'
export { checkChallenge, Misled } from '../check-request.ts'
export { keyFromBrowser } from './key.ts'

/** @param genesis the 32 bytes, as hex, that were pinned when the organization was made */
export function organizationOf(genesis: string): Uint8Array {
  return idOf(fromHex(genesis), 'organization')
}
