import assert from 'node:assert/strict'
import {
  encodeKeyStatement,
  keyStatementHash,
  type Curve,
  type KeyStatement,
  type KeyTerms,
} from '@quorate/authority/key-certificate'
import { judgeKeyRequest } from '@quorate/authority/reduce/questions'
import { keyTable, recordKey } from '@quorate/authority/records'
import { decodePreimage } from '@quorate/authority/request'
import { newWalletsMax } from '@quorate/authority/step'
import { rootOf } from '@quorate/authority/stream'
import { toUtf8 } from '@quorate/core/bytes'
import { hashOf } from '@quorate/core/hash'
import type { KeyShare } from '@quorate/threshold/dkg/context'
import type { SessionCall, SessionReply } from '@quorate/wire/link'
import { refusedByFirstSight } from '../first-sight.ts'
import { sealedAtRoot } from '../judgement.ts'
import { withStatements } from '../statements.ts'
import { newestReader } from '../store/reader.ts'
import type { Self } from '../self.ts'
import { sealShare } from '../share.ts'
import { evictExpired, expiredAfterMs } from '../sweep.ts'
import { aborted, refused, type Ceremonies, type Said } from './ceremony.ts'
import type { CeremonyDeps } from './deps.ts'
import { openMail } from './mail.ts'
import { work, type Course } from './work.ts'

export type GenerateCall = Extract<SessionCall, { kind: 'generate' }>

/** A request that fails half-way is sent again some times, by a client or two. */
export const pendingPerKeyMax = 4
/**
 * Nobody has signed what a newcomer hands in, so that a hostile server could have keys born for one
 * user for ever: by one challenge with many bodies, or by many. Three registrations that are lost
 * half-way, with as many wallets as there may be; who has lost more registers without any.
 */
export const pendingPerNewcomerMax = 3 * newWalletsMax
/** Above any burst of sign-ups of one organization; one that loses so many in a day waits a day. */
export const pendingPerOrganizationMax = 200
/** Bounds what a hostile server can make a signer keep: some 300 kilobytes, for a day. */
export const pendingMax = 1_000
/** Four rounds between signers who are all there. */
export const ceremonyMs = 60_000
/** Times of a request are at most an hour apart (`reduce/author.ts`): after a day it is long dead. */
const rememberMs = 24 * 60 * 60_000

/**
 * A key is born: each signer works out by itself, from the user's own signature or from what a
 * newcomer handed in, that this request may make a key and which one, before it says a word.
 */
export function beginGenerate(
  deps: CeremonyDeps,
  ceremonies: Ceremonies,
  call: GenerateCall,
): Said {
  const { store, rules, clock, worker } = deps
  const { organization, evidence, index, nonce } = call
  if (store.memory.stopped(organization) !== undefined)
    return refused('the organization stands still')
  const now = clock.read()
  if (!now.ok) return refused(now.reason)
  const ahead = withStatements(store, organization, sealedAtRoot(deps, organization))
  const reader = newestReader(store.log, organization, ahead)
  const early = refusedByFirstSight(store, {
    ...{ organization, evidence: [evidence], reader, time: now.time, now: now.time },
  })
  if (early !== undefined) return refused(early.detail)
  const judged = judgeKeyRequest({ organization, evidence, index, time: now.time }, reader, rules)
  if (!judged.ok) return refused(judged.reason)
  const { terms } = judged
  const { signBefore, purpose, user } = decodePreimage(evidence.preimage)
  const newcomer = purpose === 'register' ? user : undefined
  if (!hasRoom(deps, { ...terms, newcomer }))
    return refused('too many keys are waiting for their certificate')
  if (ceremonies.isFull(now.time) || worker.isFull()) return { kind: 'busy' }
  const sid = generateSid(deps, { terms, nonce })
  if (!store.memory.useSession(sid, now.time + rememberMs)) return refused('this session has been')
  const birth = { deps, sid, terms, signBefore, newcomer }
  return beginBirth(deps, ceremonies, {
    ...{ sid, group: terms.curve, now: now.time },
    certify: (share) => certify(birth, share),
  })
}

/** The key generation itself, by all signers together. `certify` says what becomes of the share. */
export function beginBirth(
  { self, worker }: CeremonyDeps,
  ceremonies: Ceremonies,
  {
    sid,
    group,
    now,
    certify,
  }: {
    readonly sid: Uint8Array
    readonly group: Curve
    readonly now: number
    readonly certify: (share: KeyShare) => SessionReply
  },
): Said {
  const participants = self.manifest.signers.map((_, i) => i + 1)
  const mail = openMail({ self, protocol: 'dkg', ceremony: sid, participants })
  const [n, t] = [participants.length, self.manifest.threshold]
  const start = { kind: 'dkg', group, self: self.index, n, t, sid } as const
  const course: Course = {
    sid,
    forbidden: () => undefined,
    onRound: () => undefined,
    ending(answer) {
      if (answer.kind === 'abort') return aborted(sid, answer)
      assert(answer.kind === 'share')
      const reply = certify(answer.share)
      answer.share.secret.fill(0)
      return reply
    },
  }
  return ceremonies.begin(mail, { expires: now + ceremonyMs }, work(worker, start, course))
}

/** All that names it: a second attempt of the same request has another nonce. */
export function generateSid(
  { self }: Pick<CeremonyDeps, 'self'>,
  { terms, nonce }: { readonly terms: KeyTerms; readonly nonce: Uint8Array },
): Uint8Array {
  const { organization, key, request } = terms
  const { hash } = self.manifest
  return hashOf('quorate/sid/1', toUtf8('dkg'), hash, organization, key, request, nonce)
}

type Birth = {
  readonly deps: CeremonyDeps
  readonly sid: Uint8Array
  readonly terms: KeyTerms
  readonly signBefore: number
  readonly newcomer: Uint8Array | undefined
}

/** The share is on the disk before this signer says that it has one. */
function certify({ deps, sid, terms, signBefore, newcomer }: Birth, share: KeyShare): SessionReply {
  const { store, self, keyEncryption } = deps
  const { organization, key, owner } = terms
  const isBorn = newestReader(store.log, organization).read(
    rootOf(organization),
    recordKey(keyTable, key),
  )
  if (isBorn !== undefined) return refused('the key has been made in another session')
  if (!hasRoom(deps, { ...terms, newcomer }))
    return refused('too many keys are waiting for their certificate')
  const signed = encodeKeyStatement({ terms, ...statedOf(self, share) })
  const statement = keyStatementHash(signed)
  const of = { signer: self.index, organization, key, owner, statement }
  const sealed = sealShare(keyEncryption, of, share)
  store.shares.addPending({ key, statement, organization, newcomer, signBefore, sealed })
  return { kind: 'certified', ceremony: sid, statement: signed, signature: self.sign(signed) }
}

/** What a certificate says of a key, whosever it is to be. */
export function statedOf(
  { manifest }: Self,
  { t, publicKey, publicShares, chainCode, transcript }: KeyShare,
): Omit<KeyStatement, 'terms'> {
  const shown = { publicKey, publicShares, chainCode, transcript }
  return { manifest: manifest.hash, threshold: t, ...shown }
}

/** Anybody may found organizations: what one of them leaves behind must not fill the house for all. */
function hasRoom(
  deps: CeremonyDeps,
  { organization, key, newcomer }: KeyTerms & Pick<Birth, 'newcomer'>,
): boolean {
  const { shares } = deps.store
  const expired = deps.clock.surely() - expiredAfterMs
  if (shares.oldestPending(expired, 1).length > 0) evictExpired(deps, expired)
  return (
    shares.countPending(key) < pendingPerKeyMax &&
    (newcomer === undefined ||
      shares.countOfNewcomer({ newcomer, expired }) < pendingPerNewcomerMax) &&
    shares.countLive({ organization, expired }) < pendingPerOrganizationMax &&
    shares.countLive({ expired }) < pendingMax
  )
}
