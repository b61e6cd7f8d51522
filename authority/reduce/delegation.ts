import { equalBytes } from '@quorate/core/bytes'
import { keyTable, userTable } from '../records.ts'
import type { Authored } from './author.ts'
import { vouched } from './confirmation.ts'
import { find, refuse, type Judging } from './judging.ts'
import { judgeActive, judgeUnfrozen, namedKey, newOwner, type KeyRecord } from './ownership.ts'
import { put, type Reduced } from './writes.ts'

/**
 * `POST /keys/:keyId/delegate`, `POST /wallets/:walletId/delegate`: the key and every wallet on it
 * are one end user's from here on, and nobody takes it back.
 */
export function reduceDelegation(judging: Judging, authored: Authored): Reduced {
  const isKey = authored.match.name === 'keys.delegateKey'
  const key = namedKey(judging, isKey ? 'keyId' : 'walletId')
  judgeActive(key)
  judgeUnfrozen(judging, key)
  judgeDelegable(judging, authored, key)
  const owner = newOwner(judging, isKey ? 'delegateTo' : 'userId')
  const { confirmed, writes } = vouched(judging, authored)
  const { key: id } = key.terms
  return {
    operation: { kind: 'delegation', key: id, owner, confirmed },
    writes: [put(keyTable, [id], { ...key, owner, delegableBy: undefined }), ...writes],
  }
}

/**
 * Whoever names the owner of a key that holds something gives it away, so it is for the service
 * account that made the key, which may use it anyhow. Only after that one is archived, others that
 * may delegate keys do it: else nobody could ever reach the key again.
 */
function judgeDelegable(
  judging: Judging,
  { user }: Authored,
  { owner, delegableBy }: KeyRecord,
): void {
  if (owner !== undefined) refuse('the key has been delegated')
  if (delegableBy === undefined) return refuse('the key was not made to be delegated')
  if (equalBytes(delegableBy, user)) return
  const isOrphaned = find(judging, userTable, delegableBy)?.status === 'archived'
  if (!isOrphaned) refuse('another service account has made the key')
}

/** `DELETE /keys/:keyId`: with it go all wallets on it, and nothing of them comes back. */
export function reduceKeyStatus(judging: Judging, _authored: Authored): Reduced {
  const key = namedKey(judging, 'keyId')
  judgeActive(key)
  judgeUnfrozen(judging, key)
  const { key: id } = key.terms
  return {
    operation: { kind: 'keyStatus', key: id, status: 'archived' },
    writes: [put(keyTable, [id], { ...key, status: 'archived' })],
  }
}
