import {
  encodePooledStatement,
  keyStatementHash,
  pooledMs,
  type PooledTerms,
} from '@quorate/authority/key-certificate'
import { isKind } from '@quorate/authority/reduce/key'
import { skewMsMax } from '@quorate/authority/step'
import { rootOf } from '@quorate/authority/stream'
import { toUtf8 } from '@quorate/core/bytes'
import { hashOf } from '@quorate/core/hash'
import type { KeyShare } from '@quorate/threshold/dkg/context'
import type { SessionCall, SessionReply } from '@quorate/wire/link'
import { pooledAs, sealShare } from '../share.ts'
import { evictExpired, expiredAfterMs } from '../sweep.ts'
import { refused, type Ceremonies, type Said } from './ceremony.ts'
import type { CeremonyDeps } from './deps.ts'
import { beginBirth, ceremonyMs, statedOf } from './generate.ts'

export type PoolCall = Extract<SessionCall, { kind: 'pool' }>

/** Of one organization, while nobody has bound them: ten megabytes, and some minutes of sign-ups. */
export const pooledPerOrganizationMax = 16_384
/** Bounds what a hostile server can make a signer keep: some fifty megabytes. */
export const pooledMax = 65_536
/** Of one organization, whatever comes of them: some minutes of a signer's arithmetic in an hour. */
export const birthsPerHourMax = 20_000
const hourMs = 3_600_000

/**
 * A key is born that nobody has asked for. So there is no signature to be judged, and nothing that a
 * signer could learn of it: what stands between this and a use of the key is the request that binds
 * it, in a step of the root stream. All that a server gains by asking is that the room is full.
 */
export function beginPooled(deps: CeremonyDeps, ceremonies: Ceremonies, call: PoolCall): Said {
  const { store, clock, worker } = deps
  const { organization, scheme, curve, time } = call
  if (store.memory.stopped(organization) !== undefined)
    return refused('the organization stands still')
  if (store.log.newestSeq({ organization, stream: rootOf(organization) }) < 0)
    return refused('there is no such organization')
  if (!isKind({ scheme, curve })) return refused('the scheme and curve do not go together')
  const now = clock.read()
  if (!now.ok) return refused(now.reason)
  if (Math.abs(now.time - time) > skewMsMax) return refused('it was not asked for now')
  const terms = { organization, scheme, curve, bindBefore: time + pooledMs }
  if (!hasRoom(deps, terms)) return refused('the pool is full')
  if (ceremonies.isFull(now.time) || worker.isFull()) return { kind: 'busy' }
  const hour = Math.floor(now.time / hourMs)
  if (store.shares.countBirth({ organization, hour }) > birthsPerHourMax)
    return refused('too many keys were born for the pool in an hour')
  const sid = pooledSid(deps, call)
  // Whoever comes with it later has not asked for it now.
  if (!store.memory.useSession(sid, now.time + ceremonyMs)) return refused('this session has been')
  return beginBirth(deps, ceremonies, {
    ...{ sid, group: curve, now: now.time },
    certify: (share) => certify(deps, { sid, terms }, share),
  })
}

function pooledSid(
  { self }: Pick<CeremonyDeps, 'self'>,
  { organization, scheme, curve, time, nonce }: PoolCall,
): Uint8Array {
  const kind = [toUtf8(scheme), toUtf8(curve), toUtf8(String(time))]
  const { hash } = self.manifest
  return hashOf('quorate/sid/1', toUtf8('pool'), hash, organization, ...kind, nonce)
}

/** The share is on the disk before this signer says that it has one. */
function certify(
  deps: CeremonyDeps,
  { sid, terms }: { readonly sid: Uint8Array; readonly terms: PooledTerms },
  share: KeyShare,
): SessionReply {
  const { store, self, keyEncryption } = deps
  // Many may have begun while there was room for one.
  if (!hasRoom(deps, terms)) return refused('the pool is full')
  const signed = encodePooledStatement({ terms, ...statedOf(self, share) })
  const statement = keyStatementHash(signed)
  const { organization, bindBefore } = terms
  const of = pooledAs({ signer: self.index, organization, statement })
  const sealed = sealShare(keyEncryption, of, share)
  store.shares.addPooled({ statement, organization, bindBefore, sealed })
  return { kind: 'certified', ceremony: sid, statement: signed, signature: self.sign(signed) }
}

function hasRoom(deps: CeremonyDeps, { organization }: PooledTerms): boolean {
  const { shares } = deps.store
  const expired = deps.clock.surely() - expiredAfterMs
  if (shares.oldestPending(expired, 1).length > 0) evictExpired(deps, expired)
  return (
    shares.countPooled({ organization, expired }) < pooledPerOrganizationMax &&
    shares.countPooled({ expired }) < pooledMax
  )
}
