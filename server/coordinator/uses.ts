import { equalBytes, toHex } from '@quorate/core/bytes'
import { Failure } from '@quorate/core/failure'
import { nameOf } from '@quorate/core/id'
import { decodeBody } from '@quorate/authority/body'
import { messagesOf } from '@quorate/authority/reduce/questions'
import { requestHash, sponsorshipHash } from '@quorate/authority/request'
import { executionWindowMs, type Evidence } from '@quorate/authority/step'
import { keyStream, rootOf } from '@quorate/authority/stream'
import type { Database } from '../database/database.ts'
import type { Faults } from './faults.ts'
import type { Keys, KnownKey } from './keys.ts'
import { type Ride, type Signature, type Signer, type Signing } from './signing.ts'
import { draftNext } from './draft.ts'
import { keepSignatures, keptSignatures, type Signed } from './kept-signatures.ts'
import {
  evidenceAt,
  refusalFor,
  type Standing,
  type Streams,
  type StreamsWorld,
} from './streams.ts'

/** Signers give no last round later than this after a step's time; a second for clocks that differ. */
const windowMs = executionWindowMs - 1_000
/** Renewals of one ask: each has a minute. */
const renewalsMax = 3

export type UseAsk = {
  readonly organization: Uint8Array
  readonly key: Uint8Array
  readonly evidence: Evidence
  /**
   * `use` unless said: of the key that the request itself is about.
   *
   * `sponsor`: of the key of the fee sponsor that the request names. `key` is that one's, and the
   * evidence is the request's own but for its facts, which are of family `sponsorship`: they bring what
   * the wallet's key has signed by then. It stands under `sponsorshipHash(request)`, for `stepOf` too.
   */
  readonly kind?: 'use' | 'sponsor' | undefined
  /** Of kind `sponsor`: how many for the same request this one outbids, each under a name of its own. */
  readonly bid?: number | undefined
  /** Asked just before it is proposed: is it still for this server to have it agreed on? */
  readonly isWanted?: (() => boolean) | undefined
}

/** The kind of item by which the same is judged afresh. */
export const renewals = { use: 'renew', sponsor: 'sponsorRenewal' } as const

/** Under which name it stands: one request has a use of two keys, if somebody else pays for it. */
export function nameOfUse({
  evidence,
  kind,
  bid,
}: Pick<UseAsk, 'evidence' | 'kind' | 'bid'>): Uint8Array {
  const request = requestHash(evidence.preimage)
  return kind === 'sponsor' ? sponsorshipHash(request, bid) : request
}

export type UsesWorld = StreamsWorld & {
  readonly database: Database
  readonly streams: Streams
  readonly keys: Keys
  readonly signer: Signer
  readonly faults: Faults
}

/** Uses of keys: agreed on once, then signed, however often it takes. */
export class Uses {
  private readonly world: UsesWorld
  private readonly running = new Map<string, Promise<Signed>>()

  constructor(world: UsesWorld) {
    this.world = world
  }

  /**
   * The same request, asked again, gets the same slot and digests, and if they were made the same
   * signatures, even if its facts are others by now.
   * @throws Failure `signers.unavailable`, `request.refused`, `signing.failed`, `key.not_found`
   */
  sign(ask: UseAsk): Promise<Signed> {
    const name = toHex(ask.organization) + toHex(nameOfUse(ask))
    const present = this.running.get(name)
    if (present !== undefined) return present
    const started = this.run(ask).finally(() => this.running.delete(name))
    this.running.set(name, started)
    return started
  }

  async judge({ organization, key, evidence, kind = 'use', bid }: UseAsk): Promise<void> {
    const { views, rules, clock } = this.world
    const place = { organization, stream: keyStream(key) }
    await Promise.all([
      views.refresh({ organization, stream: rootOf(organization) }),
      views.refresh(place),
    ])
    const now = clock()
    const made = await views.read(place, (snapshot) =>
      draftNext(place, [{ kind, evidence, bid }], { snapshot, rules, now }),
    )
    if (!made.ok) throw refusalFor(made.reason)
  }

  private async run(ask: UseAsk): Promise<Signed> {
    const { database, streams, keys, signer, faults } = this.world
    const { organization, key, kind = 'use', bid, isWanted } = ask
    const request = nameOfUse(ask)
    const place = { organization, stream: keyStream(key) }
    const statement = await keys.statementOf(organization, key)
    if (statement === undefined) throw new Failure('key.not_found', { keyId: nameOf('key', key) })

    await faults.fresh()
    let last: Ride | undefined
    const riderFor = ({ seq, hash }: { readonly seq: number; readonly hash: Uint8Array }) => {
      last = signer.ride({ place, seq, step: hash, item: 0, digest: 0, key: statement })
      return last
    }
    // One that rode with another draft than the one in force ends nowhere.
    const rideOf = ({ step }: Standing) =>
      last !== undefined && equalBytes(last.step, step.hash) ? last : undefined
    const wish = { kind, bid, evidence: ask.evidence, request, riderFor, isWanted } as const
    let standing = await streams.settle(place, wish)
    // Nothing rode along: it stood already, and may have been signed in an earlier life.
    const isOld = rideOf(standing) === undefined
    const done = isOld
      ? await keptSignatures(database, statement.terms.scheme, { standing, request })
      : undefined
    if (done !== undefined) return done
    for (let times = 0; ; times++) {
      const signatures = await this.signUnder(statement, standing, rideOf(standing))
      if (signatures !== undefined)
        return keepSignatures(database, { standing, request }, signatures)
      if (times >= renewalsMax)
        throw new Failure('signing.failed', { reason: 'no signature within its time' })
      const evidence = evidenceAt(standing)
      const renewal = { kind: renewals[kind], bid, evidence, request, riderFor }
      standing = await streams.settle(place, renewal)
    }
  }

  /** @returns nothing when the time is over in which signers sign under this step */
  private async signUnder(
    key: KnownKey,
    standing: Standing,
    ride: Ride | undefined,
  ): Promise<readonly Signature[] | undefined> {
    const { signer, views, rules, clock } = this.world
    const { place, step, item } = standing
    const until = step.time + windowMs
    if (clock() > until) return undefined
    const body = decodeBody(step.body)
    const judged = await views.read(place, ({ reader }) =>
      messagesOf({ ...body, reader, rules }, item),
    )
    if (!judged.ok) throw new Failure('request.refused', { reason: judged.reason })
    const signatures = await Promise.all(
      judged.messages.map((message, digest) => {
        const signing: Signing = { place, seq: step.seq, step: step.hash, item, digest, key }
        return signer.sign(signing, { message, until, ride: digest === 0 ? ride : undefined })
      }),
    )
    const made = signatures.flatMap((signature) => signature ?? [])
    return made.length === signatures.length ? made : undefined
  }
}
