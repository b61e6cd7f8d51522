import type { Subject } from '@quorate/authority/agreement/messages'
import type { Asked } from '@quorate/authority/reduce/asked'
import { requestOfEvidence } from '@quorate/authority/reduce/cause'
import { executionWindowMs, type ItemKind } from '@quorate/authority/step'
import { keyStream, rootOf, streamName } from '@quorate/authority/stream'
import { Failure } from '@quorate/core/failure'
import { type Coordinator, settledOf, type SettleAsk } from '../coordinator/coordinator.ts'
import { Ledger } from '../coordinator/ledger.ts'
import { keepSignatures, keptSignatures, type Signed } from '../coordinator/kept-signatures.ts'
import type { Signature } from '../coordinator/signing.ts'
import { draftNext } from '../coordinator/draft.ts'
import { evidenceAt, refusalFor, standingAs, standingOf } from '../coordinator/streams.ts'
import { nameOfUse, renewals } from '../coordinator/uses.ts'
import { Views } from '../coordinator/views.ts'
import type { Standing } from '../coordinator/streams.ts'
import type { Database } from '../database/database.ts'
import type { RequestDeps } from '../transfers/request.ts'
import type { Schedule } from './schedule.ts'
import { isRenewal, type Kept, type SmallSigners } from './signers.ts'

/** Signers give no signature later than this after a step's time; a second for clocks that differ. */
const windowMs = executionWindowMs - 1_000
const renewalsMax = 3
/** Others may go on with a stream meanwhile, but not for ever. */
const turnsMax = 64

type World = {
  readonly schedule: Schedule
  readonly signers: SmallSigners
  readonly database: Database
  readonly now: () => number
}

/**
 * The coordinator of one life of a server, as the rest of that server knows it: the server's own
 * rows of the log, in its own statements, and the stand-in for the signers behind it. The order of
 * what is written is that of `coordinator/uses.ts`: agreed on, kept, signed, kept.
 */
export function simulatedCoordinator(world: World): RequestDeps['coordinator'] {
  const ledger = new Ledger(world.database)
  return {
    sign: (ask) => sign(world, ledger, ask),
    stepOf: (organization, request) => standingOf(ledger, organization, request),
    conclude: (organization, stream) => conclude(world, ledger, { organization, stream }),
    read: async (_, judge) => judge(world.signers.reader),
    readKnown: async (_, judge) => judge(world.signers.reader),
    clock: async () => world.signers.clockOf(world.now()),
    judge: (ask) => judge(world, ask),
    settle: async (ask) => {
      const standing = await settleOnce(world, ledger, ask)
      return settledOf(standing, ask.evidence, world.now())
    },
  }
}

/** By what this server knows of the log: none of the signers is asked. */
async function judge(
  { database, signers, now }: World,
  { organization, key, evidence, kind = 'use', bid }: Parameters<Coordinator['judge']>[0],
): Promise<void> {
  // Another one for each, so that nothing that runs waits for a call of something else.
  const views = new Views(new Ledger(database))
  const place = { organization, stream: keyStream(key) }
  await views.refresh({ organization, stream: rootOf(organization) })
  await views.refresh(place)
  const made = await views.read(place, (snapshot) =>
    draftNext(place, [{ kind, evidence, bid }], { snapshot, rules: signers.rules, now: now() }),
  )
  if (!made.ok) throw refusalFor(made.reason)
}

async function settleOnce(
  world: World,
  ledger: Ledger,
  { organization, stream = rootOf(organization), kind, evidence }: SettleAsk,
): Promise<Standing> {
  const request = requestOfEvidence(evidence)
  const known = await standingAs(ledger, organization, { kind, request })
  return known ?? settle(world, ledger, { organization, stream }, { kind, evidence, request })
}

async function sign(
  world: World,
  ledger: Ledger,
  ask: Parameters<Coordinator['sign']>[0],
): Promise<Signed> {
  const { organization, key, evidence, kind = 'use', bid } = ask
  const place = { organization, stream: keyStream(key) }
  const request = nameOfUse(ask)
  const known = await standingAs(ledger, organization, { kind, request })
  if (known !== undefined) {
    const done = await keptSignatures(world.database, 'ECDSA', { standing: known, request })
    if (done !== undefined) return done
  }
  let standing = known ?? (await settle(world, ledger, place, { kind, bid, evidence, request }))
  for (let times = 0; ; times++) {
    const signatures = await signUnder(world, standing)
    if (signatures !== undefined)
      return keepSignatures(world.database, { standing, request }, signatures)
    if (times >= renewalsMax)
      throw new Failure('signing.failed', { reason: 'no signature within its time' })
    const again = { kind: renewals[kind], bid, evidence: evidenceAt(standing), request }
    standing = await settle(world, ledger, place, again)
  }
}

/** Agreed on after all that others have agreed on meanwhile, which is written down first. */
async function settle(
  { schedule, signers, now }: World,
  ledger: Ledger,
  place: Subject,
  asked: Asked & { readonly request: Uint8Array },
): Promise<Standing> {
  for (let turn = 0; turn < turnsMax; turn++) {
    const seq = (await ledger.head(place))?.seq ?? -1
    const agree = (at: number): readonly Kept[] => {
      const missed = signers.steps(place, seq + 1)
      return missed.length > 0 ? missed : [signers.agree(place, asked, at)]
    }
    const sent = () => {
      const at = now()
      return () => agree(at)
    }
    const agreed = await schedule.call({
      ...({ side: 'signers', place: `agree on a ${asked.kind}`, isWrite: true } as const),
      ...{ run: () => agree(now()), late: { to: streamName(place.stream), sent } },
    })
    await keepAll(ledger, place, agreed)
    const kind = isRenewal(asked.kind) ? 'use' : asked.kind
    const standing = await standingAs(ledger, place.organization, { kind, request: asked.request })
    const isAgreed = standing !== undefined && isIt(asked.kind, standing, seq)
    if (isAgreed) return standing
  }
  throw new Failure('signing.failed', { reason: 'other servers were faster, again and again' })
}

/** What the signers have agreed on in a stream, and no server has written down. */
async function conclude({ schedule, signers }: World, ledger: Ledger, place: Subject) {
  const seq = (await ledger.head(place))?.seq ?? -1
  const missed = await schedule.call({
    ...({ side: 'signers', place: 'conclude', isWrite: false } as const),
    run: async () => {
      // What was proposed comes to its end first, whoever has proposed it.
      await schedule.arriveAll(streamName(place.stream))
      return signers.steps(place, seq + 1)
    },
  })
  await keepAll(ledger, place, missed)
}

async function keepAll(ledger: Ledger, place: Subject, kept: readonly Kept[]): Promise<void> {
  for (const { opaque, certified, writes } of kept)
    await ledger.keep(place, opaque, { certificate: certified.certificate, writes })
}

/** A renewal is a step of its own, after the one that it renews. */
function isIt(kind: ItemKind, { step }: Standing, after: number): boolean {
  return !isRenewal(kind) || step.seq > after
}

/** @returns nothing when the time is over in which signers sign under this step */
async function signUnder(
  { schedule, signers, now }: World,
  { place, step }: Standing,
): Promise<readonly Signature[] | undefined> {
  if (now() > step.time + windowMs) return undefined
  return schedule.call({
    ...({ side: 'signers', place: 'sign', isWrite: true } as const),
    run: () => {
      const [found] = signers.steps(place, step.seq)
      if (found === undefined) throw new TypeError('the signers know every step')
      return signers.sign(found)
    },
  })
}
