import type { KeyTerms, Scheme } from '@quorate/authority/key-certificate'
import { keyTable, decodeRecord, recordKey } from '@quorate/authority/records'
import { isSigning, type Item } from '@quorate/authority/step'
import { rootOf } from '@quorate/authority/stream'
import { equalBytes, toHex, toUtf8 } from '@quorate/core/bytes'
import { hashOf } from '@quorate/core/hash'
import { childKeyOf } from '@quorate/effects/child-key'
import { childShare } from '@quorate/threshold/child-share'
import type { KeyShare } from '@quorate/threshold/dkg/context'
import type { Party } from '@quorate/threshold/session'
import type { SessionCall, SessionReply } from '@quorate/wire/link'
import type { Protocol } from '@quorate/wire/packet'
import { openShare } from '../share.ts'
import { newestReader } from '../store/reader.ts'
import type { Place } from '../store/store.ts'
import { refused, type Ceremonies, type Move, type Said } from './ceremony.ts'
import type { CeremonyDeps } from './deps.ts'
import { startDerivation } from './derivation.ts'
import { startEcdsa } from './ecdsa.ts'
import { startFrost, startTaproot } from './frost.ts'
import { permitted, windowMs, type Named, type Standing } from './gates.ts'
import { openMail } from './mail.ts'

export type SignCall = Extract<SessionCall, { kind: 'sign' }>

/** What a signing protocol is given. The message is this signer's own work, never the call's. */
export type Signing = {
  readonly deps: CeremonyDeps
  readonly organization: Uint8Array
  readonly sid: Uint8Array
  readonly quorum: readonly Party[]
  readonly share: KeyShare
  /** Of the key, as the log has them. */
  readonly terms: KeyTerms
  readonly message: Uint8Array
  /** When it began. */
  readonly now: number
  /** Asks again, before a packet that needs more than a vote: nothing when the answer is still yes. */
  readonly refuses: (needed: readonly Standing[]) => SessionReply | undefined
}

export const protocolOf = {
  ECDSA: 'ecdsa',
  EdDSA: 'frost',
  Schnorr: 'taproot',
  DH: 'dh',
} as const satisfies Record<Scheme, Protocol>

const start: Readonly<Record<Scheme, (signing: Signing) => Move>> = {
  ECDSA: startEcdsa,
  EdDSA: startFrost,
  Schnorr: startTaproot,
  DH: startDerivation,
}

/** Round 1 of a signature: only for a step that this signer has voted for, sealed or seen certified. */
export function beginSign(deps: CeremonyDeps, ceremonies: Ceremonies, call: SignCall): Said {
  const { organization, stream, seq, step, item, digest } = call
  const named = { place: { organization, stream }, seq, step, item }
  if (!isQuorum(deps, call.quorum)) return refused('not a quorum with this signer')
  const banned = deps.store.peers.banned().filter((peer) => call.quorum.includes(peer))
  if (banned.length > 0) return { kind: 'banned', peers: banned }
  const asked = permitted(deps, named, ['voted', 'sealed', 'certified'])
  if (!asked.ok) return refused(asked.reason)
  const message = asked.messages[digest]
  const key = keyOf(deps, named.place, asked.body.step.items[item])
  if (message === undefined || key === undefined) return refused('there is nothing to be signed')
  const { terms } = key
  const { scheme, curve } = terms
  const protocol = protocolOf[scheme]
  const sid = signSid(deps, { call, key: terms.key, curve, protocol })
  const expires = asked.body.step.time + windowMs
  const aim = `${toHex(step)} ${item} ${digest}`
  if (ceremonies.isFull(asked.now, aim)) return { kind: 'busy' }
  const share = shareOf(deps, named.place, key)
  if (share === undefined) return refused('no share of this key is in force here')
  const refuses = refusal(deps, named, { digest, message })
  const { now } = asked
  const { quorum } = call
  const signing = { deps, organization, sid, quorum, share, terms, message, now, refuses }
  const move = wiping(share, start[scheme](signing))
  if (move.kind === 'end') return move.reply
  if (!deps.store.memory.useSession(sid, expires + windowMs)) {
    share.secret.fill(0)
    return refused('this session has been')
  }
  const mail = openMail({ self: deps.self, protocol, ceremony: sid, participants: call.quorum })
  return ceremonies.begin(mail, { expires, aim }, move)
}

/** The share is in memory no longer than its session goes on. */
function wiping(share: KeyShare, move: Move): Move {
  if (move.kind === 'next')
    return {
      ...move,
      proceed: (inbox) => wiping(share, move.proceed(inbox)),
      discard() {
        move.discard?.()
        share.secret.fill(0)
      },
    }
  share.secret.fill(0)
  return move
}

/** Exactly t different signers in order, this one among them. */
function isQuorum({ self }: CeremonyDeps, quorum: readonly Party[]): boolean {
  const { threshold, signers } = self.manifest
  return (
    quorum.length === threshold &&
    quorum.includes(self.index) &&
    quorum.every((party, i) => party > (quorum[i - 1] ?? 0) && party <= signers.length)
  )
}

type Found = NonNullable<ReturnType<typeof keyOf>>

function keyOf(deps: CeremonyDeps, place: Place, item: Item | undefined) {
  const operation = item?.operation
  return operation !== undefined && isSigning(operation)
    ? recordOf(deps, place, operation.key)
    : undefined
}

function recordOf({ store }: CeremonyDeps, { organization }: Place, key: Uint8Array) {
  const root = rootOf(organization)
  const record = newestReader(store.log, organization).read(root, recordKey(keyTable, key))
  return record === undefined ? undefined : decodeRecord(keyTable, record)
}

/** The own one, or for a derived key what follows from the master's and from nothing secret. */
function shareOf(deps: CeremonyDeps, place: Place, key: Found): KeyShare | undefined {
  const { derivation } = key
  if (derivation === undefined) return keptShare(deps, key)
  const master = recordOf(deps, place, derivation.master)
  const share = master && keptShare(deps, master)
  if (share === undefined) return undefined
  const child = childKeyOf(share, derivation.path)
  const derived = child && childShare(share, child)
  share.secret.fill(0)
  // Of the key in the log, whatever was kept here: another one would be somebody else's.
  return derived !== undefined && equalBytes(derived.publicKey, key.publicKey) ? derived : undefined
}

function keptShare(
  { store, self, keyEncryption }: CeremonyDeps,
  { terms: { organization, key, owner }, certificate: statement }: Found,
): KeyShare | undefined {
  const sealed = store.shares.active({ key, statement })
  if (sealed === undefined) return undefined
  return openShare(
    keyEncryption,
    { signer: self.index, organization, key, owner, statement },
    sealed,
  )
}

type SidInput = {
  readonly call: SignCall
  readonly key: Uint8Array
  readonly curve: string
  readonly protocol: string
}

/** Names this ceremony and no other: which key signs what under which step, with whom. */
export function signSid(
  { self }: { readonly self: Pick<CeremonyDeps['self'], 'manifest'> },
  { call, key, curve, protocol }: SidInput,
): Uint8Array {
  const { organization, step, item, digest, quorum, nonce } = call
  return hashOf(
    'quorate/sid/1',
    toUtf8(protocol),
    self.manifest.hash,
    organization,
    key,
    toUtf8(curve),
    step,
    Uint8Array.of(item),
    Uint8Array.of(digest),
    Uint8Array.from(quorum),
    nonce,
  )
}

function refusal(
  deps: CeremonyDeps,
  named: Named & { readonly item: number },
  { digest, message }: { readonly digest: number; readonly message: Uint8Array },
): Signing['refuses'] {
  return (needed) => {
    const asked = permitted(deps, named, needed)
    if (!asked.ok) return refused(asked.reason)
    const now = asked.messages[digest]
    return now !== undefined && equalBytes(now, message)
      ? undefined
      : refused('the step signs something else by now')
  }
}
