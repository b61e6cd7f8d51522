import type { Subject } from '@quorate/authority/agreement/messages'
import { decodeBody } from '@quorate/authority/body'
import { requestHash } from '@quorate/authority/request'
import { executionWindowMs } from '@quorate/authority/step'
import { keyStream } from '@quorate/authority/stream'
import { Failure } from '@quorate/core/failure'
import type { Coordinator, Signed } from '../coordinator/coordinator.ts'
import { Ledger } from '../coordinator/ledger.ts'
import { signatureBytes, signatureFrom, type Signature } from '../coordinator/signing.ts'
import { evidenceAt, operationAt, standingAs, standingOf } from '../coordinator/streams.ts'
import type { Standing } from '../coordinator/streams.ts'
import type { Database } from '../database/database.ts'
import type { RequestDeps } from '../transfers/request.ts'
import type { Schedule } from './schedule.ts'
import type { Kept, SmallSigners } from './signers.ts'

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
    read: async (_, judge) => judge(world.signers.reader),
    readKnown: async (_, judge) => judge(world.signers.reader),
    judge: unasked,
    settle: unasked,
  }
}

/** No organization here has a policy. */
const unasked = (): never => {
  throw new TypeError('nobody is to be asked for an approval')
}

async function sign(
  world: World,
  ledger: Ledger,
  { organization, key, evidence }: Parameters<Coordinator['sign']>[0],
): Promise<Signed> {
  const place = { organization, stream: keyStream(key) }
  const request = requestHash(evidence.preimage)
  const known = await standingAs(ledger, organization, { kind: 'use', request })
  if (known !== undefined) {
    const done = await kept(world, known, request)
    if (done !== undefined) return done
  }
  let standing = known ?? (await settle(world, ledger, place, { kind: 'use', evidence }))
  for (let renewals = 0; ; renewals++) {
    const signatures = await signUnder(world, standing)
    if (signatures !== undefined) return keep(world, standing, request, signatures)
    if (renewals >= renewalsMax)
      throw new Failure('signing.failed', { reason: 'no signature within its time' })
    const again = { kind: 'renew', evidence: evidenceAt(standing) } as const
    standing = await settle(world, ledger, place, again)
  }
}

/** Agreed on after all that others have agreed on meanwhile, which is written down first. */
async function settle(
  { schedule, signers, now }: World,
  ledger: Ledger,
  place: Subject,
  asked: Parameters<SmallSigners['agree']>[1],
): Promise<Standing> {
  for (let turn = 0; turn < turnsMax; turn++) {
    const seq = (await ledger.head(place))?.seq ?? -1
    const agree = (): readonly Kept[] => {
      const missed = signers.steps(place, seq + 1)
      return missed.length > 0 ? missed : [signers.agree(place, asked, now())]
    }
    const agreed = await schedule.call({
      ...({ side: 'signers', place: `agree on a ${asked.kind}`, isWrite: true } as const),
      run: agree,
    })
    for (const { opaque, certified, writes } of agreed)
      await ledger.keep(place, opaque, { certificate: certified.certificate, writes })
    const request = requestHash(asked.evidence.preimage)
    const standing = await standingAs(ledger, place.organization, { kind: 'use', request })
    const isAgreed = standing !== undefined && isIt(asked.kind, standing, seq)
    if (isAgreed) return standing
  }
  throw new Failure('signing.failed', { reason: 'other servers were faster, again and again' })
}

/** A renewal is a step of its own, after the one that it renews. */
function isIt(kind: string, { step }: Standing, after: number): boolean {
  return kind !== 'renew' || step.seq > after
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

async function keep(
  { database }: World,
  standing: Standing,
  request: Uint8Array,
  signatures: readonly Signature[],
): Promise<Signed> {
  const { organization } = standing.place
  const rows = signatures.map((signature, digest) => ({
    ...{ organization, request, digest, signature: signatureBytes(signature) },
    recovery: signature.scheme === 'ECDSA' ? signature.recid : null,
  }))
  await database
    .insertInto('signatures')
    .values(rows)
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  return signedOf(standing, signatures)
}

async function kept(
  { database }: World,
  standing: Standing,
  request: Uint8Array,
): Promise<Signed | undefined> {
  const rows = await database
    .selectFrom('signatures')
    .select(['signature', 'recovery'])
    .where('organization', '=', standing.place.organization)
    .where('request', '=', request)
    .orderBy('digest')
    .execute()
  if (rows.length === 0) return undefined
  const signatures = rows.map((row) => signatureFrom('ECDSA', row.signature, row.recovery))
  return signedOf(standing, signatures)
}

function signedOf(standing: Standing, signatures: readonly Signature[]): Signed {
  const operation = operationAt(standing)
  if (operation.kind !== 'use' && operation.kind !== 'renew')
    throw new Failure('request.refused', { reason: 'the request is no use of a key' })
  const { digests, slot, network } = operation
  const { hash: step, seq, body } = standing.step
  const facts = decodeBody(body).evidence[0]?.facts ?? new Uint8Array()
  return { step, seq, signatures, digests, slot, network, facts }
}
