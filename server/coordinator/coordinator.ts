import { toHex } from '@quorate/core/bytes'
import { type IdKind, idOf } from '@quorate/core/id'
import type { Certificate } from '@quorate/authority/agreement/messages'
import type { Manifest } from '@quorate/authority/manifest'
import { matchOperation } from '@quorate/authority/operations'
import type { RootItem } from '@quorate/authority/operations/operation'
import { decodeRecord, recordKey, type Table } from '@quorate/authority/records'
import type { Reader } from '@quorate/authority/reduce/judging'
import { requestOfEvidence } from '@quorate/authority/reduce/cause'
import { decodePreimage } from '@quorate/authority/request'
import type { Evidence, ItemOperation } from '@quorate/authority/step'
import { rootOf, type StreamId } from '@quorate/authority/stream'
import { quorumOf } from '@quorate/authority/quorum'
import { rulesFor } from '@quorate/judge/rules'
import type { Database } from '../database/database.ts'
import type { Links } from '../link/links.ts'
import { type Attendance, keepAttendance } from './attendance.ts'
import { CatchUp } from './catch-up.ts'
import type { DriveLog } from './drive.ts'
import { openBans } from './bans.ts'
import { type FaultReport, Faults } from './faults.ts'
import { type ClockState, Hours } from './hours.ts'
import { type CreatedKey, type KeyAsk, Keys } from './keys.ts'
import { openLeases } from './leases.ts'
import { type Certified, Ledger } from './ledger.ts'
import { openPairs } from './pairs.ts'
import { Pool } from './pool.ts'
import { keepSeats } from './seats.ts'
import { Signer } from './signing.ts'
import {
  openStreams,
  operationAt,
  type Standing,
  standingOf,
  type Streams,
  type StreamsWorld,
} from './streams.ts'
import type { Signed } from './kept-signatures.ts'
import { Uses, type UseAsk } from './uses.ts'
import { Views } from './views.ts'

export type { Signed } from './kept-signatures.ts'
export type { Signature } from './signing.ts'

export type SettleAsk = {
  readonly organization: Uint8Array
  readonly kind: RootItem | 'approval' | 'decision'
  readonly evidence: Evidence
  /** The root unless said. */
  readonly stream?: StreamId
}
/** In force. */
export type Settled = {
  readonly step: Uint8Array
  readonly seq: number
  /** The step's, in milliseconds since 1970. */
  readonly time: number
  /** When the certificate was at hand here, by this server's clock. */
  readonly knownAt: number
  readonly operation: ItemOperation
  readonly stream: StreamId
  readonly certificate: Certificate
  /** In full, of all that the request has created. */
  readonly ids: Readonly<Partial<Record<IdKind, Uint8Array>>>
}
export type SignerStatus = {
  readonly id: string
  readonly connected: boolean
  /** Milliseconds since 1970, while it is not chosen for quorums. */
  readonly leftOutUntil: number | undefined
}

/** Takes requests through agreement and signing. It decides nothing that the signers do not. */
export type Coordinator = {
  /**
   * Puts an item in force, in the organization's root stream unless another is named. The same
   * request again gets the same.
   * @throws Failure `request.refused`, `policy.held`, `policy.blocked`, `signers.unavailable`,
   *   `signing.failed`, `clock.wrong`
   */
  settle(ask: SettleAsk): Promise<Settled>
  /**
   * A key that all signers hold shares of; its certificate becomes the facts of the request's item,
   * which is still to be settled. The same request again gets the same.
   * @throws Failure `request.refused`, `signers.unavailable`, `signing.failed`, `clock.wrong`
   */
  createKey(ask: KeyAsk): Promise<CreatedKey>
  /**
   * @throws Failure `request.refused`, `signers.unavailable`, `signing.failed`, `key.not_found`,
   *   `clock.wrong`
   */
  sign(ask: UseAsk): Promise<Signed>
  /**
   * Would the rules take this use of a key, as things stand? No signer is asked.
   * @throws Failure `request.refused`, `policy.held`, `policy.blocked`
   */
  judge(ask: UseAsk): Promise<void>
  /** All of an organization's newest root records at hand. For large ones, `read` and `find`. */
  records(organization: Uint8Array): Promise<Reader>
  /** Runs a pure function on the newest records; it may run several times. */
  read<T>(organization: Uint8Array, judge: (reader: Reader) => T): Promise<T>
  /** The same without looking whether other servers have gone on. */
  readKnown<T>(organization: Uint8Array, judge: (reader: Reader) => T): Promise<T>
  /** One root record, by the parts of its name. */
  find<T>(
    organization: Uint8Array,
    table: Table<T>,
    ...name: readonly (Uint8Array | string | bigint)[]
  ): Promise<T | undefined>
  head(organization: Uint8Array, stream?: StreamId): Promise<Certified | undefined>
  /** Where a request stands, by SHA-256 of its pre-image. */
  stepOf(organization: Uint8Array, request: Uint8Array): Promise<Standing | undefined>
  /**
   * Has what was proposed in a stream end, by whichever server: only then `stepOf` says for certain that
   * the signers have not agreed on a request. One statement where nothing is open. Where something is, one
   * signer that is away may know more than the others; another request in it ends it too.
   * @throws Failure `signers.unavailable`, `signing.failed`, `clock.wrong`
   */
  conclude(organization: Uint8Array, stream: StreamId): Promise<void>
  status(): readonly SignerStatus[]
  /** What the signers say of this server's clock: nothing may end by one that is not right. */
  clock(): Promise<ClockState>
  /** What signers hold against each other, as far as this server has heard of it. */
  faults(): Promise<FaultReport>
  /** Ends what an earlier life of the server has begun. */
  resume(): Promise<void>
  /** No more keys are born ahead of need. */
  close(): Promise<void>
}

export type CoordinatorParts = {
  readonly database: Database
  readonly links: Links
  readonly manifest: Manifest
  readonly log: DriveLog
  readonly clock?: () => number
  /** So many keys wait, of each organization and kind that is in use; none unless said. */
  readonly keyPool?: number
}

/** What another life can have left open: one step of each stream that was busy. */
const unfinishedMax = 1_000

export function openCoordinator(parts: CoordinatorParts): Coordinator {
  const { database, links, manifest, log, clock = Date.now, keyPool: size = 0 } = parts
  const ledger = new Ledger(database)
  const views = new Views(ledger)
  const faults = new Faults({ database, threshold: manifest.threshold, log, clock })
  const isProposed = (signer: number) => faults.report().proposed.includes(signer)
  const attendance = keepAttendance(Date.now, Math.random, isProposed)
  const catchUp = new CatchUp({ links, ledger })
  const judging = { rules: rulesFor(manifest), trust: quorumOf(manifest), log, clock }
  const [leases, seats] = [openLeases(database), keepSeats(manifest.threshold)]
  const hours = new Hours({ links, threshold: manifest.threshold, log, clock })
  const world: StreamsWorld = { links, ledger, views, leases, catchUp, seats, hours, ...judging }
  const streams = openStreams(world)
  const pairs = openPairs({ database, links, manifest, log, faults })
  const prepare = async (organization: Uint8Array, scheme: string) =>
    scheme === 'ECDSA' ? pairs.setUpAll(organization) : undefined
  const isBusy = () => keys.isBusy
  const pool = new Pool({ ...world, manifest, database, prepare, size, isBusy })
  const keys: Keys = new Keys({ ...world, manifest, database, prepare, pool })
  const signer = new Signer({
    ...{ links, attendance, manifest, log, faults, bans: openBans(clock) },
    catchUp: (signer, place) => catchUp.run(signer, place),
    setUpPair: pairs.setUp,
  })
  const uses = new Uses({ ...world, database, streams, keys, signer, faults })
  links.onConnect((signer) => {
    catchUp
      .welcome(signer)
      .catch((error) => log.warn({ err: error, signer }, 'a signer was not caught up'))
    pool.tend()
  })
  const root = (organization: Uint8Array) => ({ organization, stream: rootOf(organization) })
  const readKnown: Coordinator['readKnown'] = (organization, judge) =>
    views.read(root(organization), ({ reader }) => judge(reader))
  const read: Coordinator['read'] = async (organization, judge) => {
    await views.refresh(root(organization))
    return readKnown(organization, judge)
  }

  return {
    settle: async ({ organization, kind, evidence, stream = rootOf(organization) }) => {
      const request = requestOfEvidence(evidence)
      const place = { organization, stream }
      const standing = await streams.settle(place, { kind, evidence, request })
      return settledOf(standing, evidence, clock())
    },
    createKey: (ask) => keys.create(ask),
    sign: (ask) => uses.sign(ask),
    judge: (ask) => uses.judge(ask),
    records: (organization) => views.whole(organization),
    read,
    readKnown,
    find: (organization, table, ...name) =>
      read(organization, (reader) =>
        foundIn(reader, organization, recordKey(table, ...name), table),
      ),
    head: (organization, stream = rootOf(organization)) => ledger.head({ organization, stream }),
    stepOf: (organization, request) => standingOf(ledger, organization, request),
    conclude: (organization, stream) => streams.conclude({ organization, stream }),
    status: () => statusOf(parts, attendance),
    clock: () => hours.ask(),
    faults: () => faults.fresh().then(() => faults.report()),
    resume: async () => {
      await resumeStreams(world, streams)
      await pool.resume()
    },
    close: () => pool.close(),
  }
}

async function resumeStreams({ ledger, log }: StreamsWorld, streams: Streams): Promise<void> {
  for (const place of await ledger.unfinished(unfinishedMax)) {
    log.warn({ organization: toHex(place.organization), stream: place.stream.kind }, 'resuming')
    await streams
      .conclude(place)
      .catch((error) => log.warn({ err: error }, 'a stream was not resumed'))
  }
}

function foundIn<T>(
  reader: Reader,
  organization: Uint8Array,
  name: string,
  table: Table<T>,
): T | undefined {
  const value = reader.read(rootOf(organization), name)
  return value === undefined ? undefined : decodeRecord(table, value)
}

function statusOf(
  { links, manifest }: CoordinatorParts,
  attendance: Attendance,
): readonly SignerStatus[] {
  const connected = links.connected()
  return manifest.signers.map(({ id }, i) => ({
    id,
    connected: connected.includes(i + 1),
    leftOutUntil: attendance.leftOutUntil(i + 1),
  }))
}

/** What whoever has had something settled is told. */
export function settledOf(standing: Standing, evidence: Evidence, knownAt: number): Settled {
  const { place, step } = standing
  const { method, path } = decodePreimage(evidence.preimage)
  const request = requestOfEvidence(evidence)
  const creates = matchOperation(method, path)?.operation.creates ?? []
  return {
    step: step.hash,
    seq: step.seq,
    time: step.time,
    knownAt,
    operation: operationAt(standing),
    stream: place.stream,
    certificate: step.certificate,
    ids: Object.fromEntries(creates.map((kind) => [kind, idOf(request, kind)])),
  }
}
