import { randomBytes } from 'node:crypto'
import { concat } from '@quorate/core/bytes'
import { Failure } from '@quorate/core/failure'
import type { Request } from '@quorate/authority/agreement/exchange'
import type { Subject } from '@quorate/authority/agreement/messages'
import type { Scheme } from '@quorate/authority/key-certificate'
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
import type { Bans } from './bans.ts'
import { protocolFor, signCeremony } from './ceremony-ids.ts'
import { broadcastOf, Ceremony } from './ceremony.ts'
import type { DriveLog, Rider } from './drive.ts'
import type { Faults } from './faults.ts'
import type { KnownKey } from './keys.ts'
import { keepPace } from './pace.ts'
import { Inquiry } from './inquiry.ts'
import { Sessions, type SessionsWorld } from './sessions.ts'

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
  readonly key: KnownKey
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
  readonly faults: Faults
  readonly bans: Bans
  readonly log: DriveLog
  /** Takes a signer to the newest step of a stream. */
  readonly catchUp: (signer: number, place: Subject) => Promise<boolean>
  /** Sets up what these two lack for ECDSA keys of this organization. */
  readonly setUpPair: (organization: Uint8Array, pair: Pair, since: number) => Promise<void>
}

/**
 * One that has not answered by then is taken for silent. Nobody waits that long as long as there are
 * others; where there are none, a signer may be as busy as this.
 */
export const answerMsMax = 3_000

type Asked = {
  readonly message: Uint8Array
  readonly until: number
  readonly ride?: Ride | undefined
}

/**
 * Signatures, by quorums of just as many signers as a key needs. The first one tried rides along
 * with agreement; whatever goes wrong, the certificate stays and another quorum signs under it.
 */
export class Signer {
  private readonly world: SigningWorld

  private readonly ids: readonly string[]
  private readonly pace

  constructor(world: SigningWorld) {
    this.world = world
    this.ids = world.manifest.signers.map(({ id }) => id)
    this.pace = keepPace(world.manifest.threshold)
  }

  private apart({ place, key }: Signing): readonly Pair[] {
    const { faults, bans } = this.world
    const isPaired = key.terms.scheme === 'ECDSA'
    return [...bans.pairs(), ...(isPaired ? faults.burnedPairs(place.organization) : [])]
  }

  private missing(): readonly string[] {
    const connected = this.world.links.connected()
    return this.ids.filter((_, i) => !connected.includes(i + 1))
  }

  private choose(signing: Signing): readonly number[] {
    const { links, attendance } = this.world
    const [connected, size] = [links.connected(), signing.key.threshold]
    const quorum = attendance.choose({ connected, size, apart: this.apart(signing) })
    if (quorum !== undefined) return quorum
    const missing = this.missing()
    throw missing.length > 0
      ? new Failure('signers.unavailable', { missing: [...missing] })
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
      deadlineMs: answerMsMax,
      onAnswer: (signer, ms) => this.pace.took(signer, ms),
    })
  }

  /** Rounds that may be asked for before the certificate: all but the last, and those in their turn. */
  ride(signing: Signing): Ride {
    const quorum = this.choose(signing)
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
      aboard: () => quorum,
      board,
      arrived: (signer, reply) => ceremony.arrived(signer, reply),
    }
  }

  /**
   * Makes the signature under a step that is in force.
   * @param until the moment from which no signer gives its last round any more
   * @returns nothing when that moment has come
   * @throws Failure `signers.unavailable`, `request.refused`, `signing.failed`
   */
  sign(signing: Signing, { message, until, ride }: Asked): Promise<Signature | undefined> {
    const { links, attendance } = this.world
    const { key } = signing
    const inquiry = new Inquiry(signing, this.world)
    const sessions: SessionsWorld<Signature> = {
      attendance,
      size: key.threshold,
      connected: () => links.connected(),
      missing: () => this.missing(),
      apart: () => this.apart(signing),
      patienceMs: () => this.pace.patienceMs(),
      begin: (quorum) => this.begin(signing, quorum),
      combine: ({ packets }, quorum) => {
        const combined = combine(signing, { message, quorum, packets })
        if (combined.ok) return { kind: 'made', made: combined.signature }
        return inquiry.expose(combined, quorum)
      },
      judge: (outcome, quorum) => inquiry.judge(outcome, quorum),
      mend: (outcome, since) => inquiry.mend(outcome, since),
      overtaken: (signers) => signers.forEach((one) => attendance.miss(one)),
    }
    return new Sessions(sessions).run(ride, until).catch((error: unknown) => {
      throw inquiry.refusal() ?? error
    })
  }
}

function roundsOf({ terms }: KnownKey): number {
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
  const birth = key.terms.untweaked === 'yes' ? 'plain' : 'taproot'
  return schnorrOf('Schnorr', taprootAggregate({ ...asked, birth }))
}

function sharesIn({ publicKey, publicShares }: KnownKey, spoken: Spoken) {
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

function byIndex(publicShares: KnownKey['publicShares']): ReadonlyMap<number, Uint8Array> {
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

/** As they are kept: r ‖ s of ECDSA, R ‖ S of the others; and of DH, which is not, what proves it. */
export function signatureBytes(signature: Signature): Uint8Array {
  if (signature.scheme === 'ECDSA') return concat(signature.r, signature.s)
  return signature.scheme === 'DH' ? signature.derived : signature.signature
}

export function signatureFrom(
  scheme: KnownKey['terms']['scheme'],
  bytes: Uint8Array,
  recovery: number | null,
): Signature {
  if (scheme === 'ECDSA')
    return { scheme, r: bytes.slice(0, 32), s: bytes.slice(32), recid: recovery ?? 0 }
  return scheme === 'DH' ? { scheme, derived: bytes } : { scheme, signature: bytes }
}
