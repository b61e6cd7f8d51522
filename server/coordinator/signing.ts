import { randomBytes } from 'node:crypto'
import { concat, toHex } from '@quorate/core/bytes'
import { Failure } from '@quorate/core/failure'
import type { Request } from '@quorate/authority/agreement/exchange'
import type { Subject } from '@quorate/authority/agreement/messages'
import type { KeyStatement, Scheme } from '@quorate/authority/key-certificate'
import type { Manifest } from '@quorate/authority/manifest'
import { decodeDerivation, decodeSchnorr, encodeDerived } from '@quorate/effects/instruction'
import type { SessionCall } from '@quorate/wire/link'
import type { Packet } from '@quorate/wire/packet'
import { combineEcdsa, ecdsaCurve } from '@quorate/threshold/public/combine'
import { frostAggregate } from '@quorate/threshold/public/aggregate'
import { dhCombine } from '@quorate/threshold/public/derive'
import { taprootAggregate } from '@quorate/threshold/public/taproot'
import type { Links } from '../link/links.ts'
import type { Attendance, Pair } from './attendance.ts'
import { protocolFor, signCeremony } from './ceremony-ids.ts'
import { broadcastOf, Ceremony, type CeremonyOutcome, unacceptable } from './ceremony.ts'
import { type DriveLog, type Rider, roundMsMax } from './drive.ts'

export type Signature =
  | {
      readonly scheme: 'ECDSA'
      readonly r: Uint8Array
      readonly s: Uint8Array
      readonly recid: number
    }
  | { readonly scheme: 'EdDSA' | 'Schnorr'; readonly signature: Uint8Array }
  /** No signature: what `encodeDerived` has made of the parts. */
  | { readonly scheme: 'DH'; readonly derived: Uint8Array }

/** One signature to be made: under which step, of which key, over what. */
export type Signing = {
  readonly place: Subject
  readonly seq: number
  readonly step: Uint8Array
  readonly item: number
  readonly digest: number
  readonly key: KeyStatement
}
/** A ceremony under way with the messages of agreement. */
export type Ride = Rider & {
  /** Hash of the one step with which it rides. */
  readonly step: Uint8Array
  readonly ceremony: Ceremony
  readonly quorum: readonly number[]
  /** When it began, by `performance.now`. */
  readonly since: number
}

export type SigningWorld = {
  readonly links: Links
  readonly attendance: Attendance
  readonly manifest: Manifest
  readonly log: DriveLog
  /** Takes a signer to the newest step of a stream. */
  readonly catchUp: (signer: number, place: Subject) => Promise<boolean>
  /** Sets up what these two lack for ECDSA keys of this organization. */
  readonly setUpPair: (organization: Uint8Array, pair: Pair, since: number) => Promise<void>
}

/** Of four signers there are six quorums, and each may have to catch up first. */
const attemptsMax = 12

/**
 * Signatures, by quorums of just as many signers as a key needs. The first one tried rides along
 * with agreement; whatever goes wrong, the certificate stays and another quorum signs under it.
 */
export class Signer {
  private readonly world: SigningWorld
  /** Pairs that a signer has called burned: an operator's to mend, until then not to be joined. */
  private readonly burned = new Map<string, Pair[]>()

  private readonly ids: readonly string[]

  constructor(world: SigningWorld) {
    this.world = world
    this.ids = world.manifest.signers.map(({ id }) => id)
  }

  private choose({ place, key }: Signing, without: readonly number[]) {
    const { links, attendance } = this.world
    const connected = links.connected()
    const willing = connected.filter((signer) => !without.includes(signer))
    const apart = key.terms.scheme === 'ECDSA' ? this.burned.get(toHex(place.organization)) : []
    const size = key.threshold
    const quorum =
      attendance.choose({ connected: willing, size, apart: apart ?? [] }) ??
      attendance.choose({ connected, size, apart: apart ?? [] })
    if (quorum !== undefined) return quorum
    const missing = this.ids.filter((_, i) => !connected.includes(i + 1))
    throw missing.length > 0
      ? new Failure('signers.unavailable', { missing })
      : new Failure('signing.failed', { reason: 'no quorum has all its pairs' })
  }

  private begin(signing: Signing, quorum: readonly number[]): Ceremony {
    const { links, manifest } = this.world
    const { place, seq, step, item, digest, key } = signing
    const nonce = new Uint8Array(randomBytes(32))
    const opening = { kind: 'sign', ...place, seq, step, item, digest, quorum, nonce } as const
    const { key: of, scheme, curve } = key.terms
    return new Ceremony({
      links,
      manifest,
      protocol: protocolFor(scheme),
      id: signCeremony(manifest.hash, opening, { id: of, scheme, curve }),
      participants: quorum,
      opening,
      rounds: roundsOf(key),
      deadlineMs: roundMsMax,
    })
  }

  /** Rounds that may be asked for before the certificate: all but the last, and those in their turn. */
  ride(signing: Signing): Ride {
    const quorum = this.choose(signing, [])
    const ceremony = this.begin(signing, quorum)
    const early = roundsOf(signing.key) - 1
    const upTo = {
      propose: Math.min(1, early),
      lock: early,
      certificate: undefined,
    }
    const board = (signer: number, { kind }: Request): SessionCall | undefined =>
      kind === 'propose' || kind === 'lock' || kind === 'certificate'
        ? ceremony.next(signer, upTo[kind])
        : undefined
    const { step } = signing
    return {
      step,
      ceremony,
      quorum,
      since: performance.now(),
      board,
      arrived: (signer, reply) => ceremony.arrived(signer, reply),
    }
  }

  /**
   * Of one signer's word nobody can tell whether it or whom it accuses is to blame, so neither signs
   * this time: whoever accuses honest ones must not be left with nobody but himself to choose.
   * @returns those that are not to be chosen again for this signature
   */
  private blame(
    { place }: Signing,
    quorum: readonly number[],
    outcome: Exclude<CeremonyOutcome, { kind: 'done' }>,
  ): readonly number[] {
    const { attendance, log } = this.world
    const { kind, signer } = outcome
    const names = (signers: readonly number[]) => signers.map((one) => this.ids[one - 1])
    const reason = 'reason' in outcome ? outcome.reason : ''
    const lost = 'burned' in outcome ? outcome.burned.map((peer): Pair => [signer, peer]) : []
    if (lost.length > 0) {
      const name = toHex(place.organization)
      this.burned.set(name, [...(this.burned.get(name) ?? []), ...lost])
    }
    const accused =
      kind === 'spoiled' && reason !== unacceptable && outcome.culprits.length === 0 ? quorum : []
    const blamed = kind === 'spoiled' ? [signer, ...outcome.culprits, ...accused] : [signer]
    for (const one of blamed) attendance.miss(one)
    const context = { kind, reason, signer: names([signer]), quorum: names(quorum) }
    log.warn({ ...context, blamed: names(blamed), lost }, 'a signing round failed')
    return blamed
  }

  /** What may be mended: once for each signer, as it may only say so. */
  private async mend(
    { place }: Signing,
    outcome: Exclude<CeremonyOutcome, { kind: 'done' }>,
    since: number,
  ): Promise<boolean> {
    const { kind, signer } = outcome
    // It may not have come as far as this step yet.
    if (kind === 'refused' || kind === 'unready') return this.world.catchUp(signer, place)
    if (kind !== 'unpaired' || outcome.burned.length > 0) return false
    const made = await Promise.allSettled(
      outcome.peers.map((peer) => this.world.setUpPair(place.organization, [signer, peer], since)),
    )
    return made.every(({ status }) => status === 'fulfilled')
  }

  /**
   * Makes the signature under a step that is in force.
   * @param until the moment from which no signer gives its last round any more
   * @returns nothing when that moment has come
   * @throws Failure `signers.unavailable`, `request.refused`, `signing.failed`
   */
  async sign(
    signing: Signing,
    { message, until, ride }: { message: Uint8Array; until: number; ride?: Ride | undefined },
  ): Promise<Signature | undefined> {
    const [failed, mended] = [new Set<number>(), new Set<number>()]
    const refusals = new Map<number, string>()
    for (let attempt = 0; attempt < attemptsMax; attempt++) {
      if (Date.now() > until) return undefined
      const isRide = attempt === 0 && ride !== undefined
      const since = isRide ? ride.since : performance.now()
      const quorum = isRide ? ride.quorum : this.choose(signing, [...failed])
      const outcome = await (isRide ? ride.ceremony : this.begin(signing, quorum)).go()
      if (outcome.kind === 'done') {
        const combined = combine(signing, { message, quorum, packets: outcome.packets })
        if (combined.ok) return combined.signature
        for (const culprit of this.expose(combined, quorum)) failed.add(culprit)
        continue
      }
      const { signer } = outcome
      const isNew = !mended.has(signer)
      mended.add(signer)
      if (isNew && (await this.mend(signing, outcome, since))) continue
      if (outcome.kind === 'refused') refusals.set(signer, outcome.reason)
      // More than can be corrupt say no: at least one of them is right.
      const [reason = ''] = refusals.values()
      if (refusals.size >= signing.key.threshold) throw new Failure('request.refused', { reason })
      for (const one of this.blame(signing, quorum, outcome)) failed.add(one)
    }
    throw new Failure('signing.failed', { reason: 'no quorum of signers came to its end' })
  }

  /** What everybody said is here: who is wrong is not a matter of anybody's word. */
  private expose(
    { culprits, reason }: Extract<Combined, { readonly ok: false }>,
    quorum: readonly number[],
  ): readonly number[] {
    const { attendance, log } = this.world
    const exposed = culprits.length > 0 ? culprits : quorum
    for (const culprit of exposed) attendance.miss(culprit)
    log.error(
      { reason, culprits: exposed.map((one) => this.ids[one - 1]) },
      'a signature was spoiled',
    )
    return exposed
  }
}

function roundsOf({ terms }: KeyStatement): number {
  return { ECDSA: 3, EdDSA: 2, Schnorr: 2, DH: 1 }[terms.scheme]
}

type Spoken = {
  readonly message: Uint8Array
  readonly quorum: readonly number[]
  readonly packets: ReadonlyMap<number, readonly Packet[]>
}
type Combined =
  | { readonly ok: true; readonly signature: Signature }
  | { readonly ok: false; readonly reason: string; readonly culprits: readonly number[] }

function combine(signing: Signing, spoken: Spoken): Combined {
  return combiners[signing.key.terms.scheme](signing, spoken)
}

const combiners: Readonly<Record<Scheme, (signing: Signing, spoken: Spoken) => Combined>> = {
  ECDSA: combineDkls,
  EdDSA: combineFrost,
  Schnorr: combineTaproot,
  DH: combineDerivation,
}

function combineFrost({ key }: Signing, spoken: Spoken): Combined {
  const { message } = spoken
  return schnorrOf('EdDSA', frostAggregate({ ...sharesIn(key, spoken), message }))
}

function combineTaproot({ key }: Signing, spoken: Spoken): Combined {
  const asked = { ...sharesIn(key, spoken), ...decodeSchnorr(spoken.message) }
  return schnorrOf('Schnorr', taprootAggregate({ ...asked, birth: 'taproot' }))
}

function sharesIn({ publicKey, publicShares }: KeyStatement, spoken: Spoken) {
  return {
    publicKey,
    publicShares: byIndex(publicShares),
    quorum: spoken.quorum,
    commitments: broadcasts(spoken, 1),
    shares: broadcasts(spoken, 2),
  }
}

function schnorrOf(scheme: 'EdDSA' | 'Schnorr', made: ReturnType<typeof frostAggregate>): Combined {
  return made.ok
    ? { ok: true, signature: { scheme, signature: made.signature } }
    : { ok: false, reason: 'a share is wrong', culprits: made.culprits }
}

/** Every part is proven: nobody could tell a wrong whole from a right one. */
function combineDerivation({ key }: Signing, spoken: Spoken): Combined {
  const { quorum, packets, message } = spoken
  const [first = 0] = quorum
  const sid = packets.get(first)?.[0]?.header.ceremony ?? new Uint8Array()
  const { publicKey, publicShares } = key
  const partials = broadcasts(spoken, 1)
  const made = dhCombine({
    ...{ publicKey, publicShares: byIndex(publicShares), sid, quorum, partials },
    ...decodeDerivation(message),
  })
  if (!made.ok) return { ok: false, reason: 'a part is wrong', culprits: made.culprits }
  const parts = quorum.map((signer) => ({
    signer,
    publicShare: publicShares[signer - 1] ?? new Uint8Array(),
    partial: partials.get(signer) ?? new Uint8Array(),
  }))
  const derived = encodeDerived({ sid, point: made.point, partials: parts })
  return { ok: true, signature: { scheme: 'DH', derived } }
}

function byIndex(publicShares: KeyStatement['publicShares']): ReadonlyMap<number, Uint8Array> {
  return new Map(publicShares.map((share, i) => [i + 1, share]))
}

function combineDkls({ key }: Signing, spoken: Spoken): Combined {
  const { publicKey, terms } = key
  const curve = ecdsaCurve(terms.curve)
  const round3 = broadcasts(spoken, 3)
  const made = combineEcdsa({ curve, publicKey, digest: spoken.message, round3 })
  return made.ok ? { ok: true, signature: { scheme: 'ECDSA', ...made.signature } } : made
}

function broadcasts({ quorum, packets }: Spoken, round: number): ReadonlyMap<number, Uint8Array> {
  return new Map(
    quorum.map((signer) => [
      signer,
      broadcastOf(packets.get(signer)?.[round - 1]) ?? new Uint8Array(),
    ]),
  )
}

/** As they are kept: r ‖ s of ECDSA, R ‖ S of the others, and of DH what proves the outcome. */
export function signatureBytes(signature: Signature): Uint8Array {
  if (signature.scheme === 'ECDSA') return concat(signature.r, signature.s)
  return signature.scheme === 'DH' ? signature.derived : signature.signature
}

export function signatureFrom(
  scheme: KeyStatement['terms']['scheme'],
  bytes: Uint8Array,
  recovery: number | null,
): Signature {
  if (scheme === 'ECDSA')
    return { scheme, r: bytes.slice(0, 32), s: bytes.slice(32), recid: recovery ?? 0 }
  return scheme === 'DH' ? { scheme, derived: bytes } : { scheme, signature: bytes }
}
