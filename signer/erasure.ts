import { voterStateCodec, type VoterState } from '@quorate/authority/agreement/voter'
import type { OpaqueStep } from '@quorate/authority/agreement/messages'
import { decodeBody } from '@quorate/authority/body'
import { eraseIn } from '@quorate/authority/erasure'
import { erasureTable } from '@quorate/authority/records'
import type { RootRecords } from '@quorate/authority/standing'
import { rootOf, streamName } from '@quorate/authority/stream'
import { decode, encode } from '@quorate/core/codec'
import { bodyOf } from './body.ts'
import { recordsIn } from './statements.ts'
import { newestReader } from './store/reader.ts'
import type { Place, Store, Sweep } from './store/store.ts'
import type { Certified } from './voting.ts'

/** Between two of them questions are answered: this many take a few tens of milliseconds. */
const bodiesAtOnce = 256
/**
 * The file is written anew at the end, which took two seconds for 300 MB when measured and answers
 * nobody meanwhile: erasures within this time share one.
 */
const restMs = 10 * 60_000

export type Sweeper = {
  /** Within the commit that puts an erasure in force. */
  readonly begin: (organization: Uint8Array) => void
}

export function isErasure({ organization, stream }: Place, { writes }: Certified): boolean {
  return (
    streamName(stream) === streamName(rootOf(organization)) &&
    writes.some(({ key }) => key.startsWith(`${erasureTable.prefix}/`))
  )
}

/** A body as it is kept: whoever catches up may be handed what everybody else has let go. */
export function withoutErased(
  store: Pick<Store, 'log'>,
  { organization }: Place,
  step: OpaqueStep,
): Uint8Array {
  const body = bodyOf(step)
  const left = body && eraseIn(body, recordsOf(store, organization))
  return left ?? step.bytes
}

/**
 * Takes what is personal of the erased out of every body that is kept, those of open votes included,
 * and then out of the file. What is still to be done is in the store: a signer that dies goes on at
 * its next start.
 */
export function openSweeper(store: Store, onDefect: (error: unknown) => void): Sweeper {
  let timer: NodeJS.Timeout | undefined
  let notBefore = 0
  const wake = (): void => {
    timer ??= setTimeout(run, Math.max(0, notBefore - performance.now())).unref()
  }
  const run = (): void => {
    timer = undefined
    // Its process is on its way out.
    if (!store.isOpen() || store.sweeps.next() === undefined) return
    try {
      if (store.commit(() => sweepSome(store))) return wake()
      store.compact()
      store.commit(() => store.sweeps.end())
      notBefore = performance.now() + restMs
    } catch (error) {
      onDefect(error)
    }
  }
  if (store.sweeps.next() !== undefined) wake()
  return {
    begin(organization) {
      store.sweeps.begin(organization)
      wake()
    },
  }
}

/** @returns whether there may be more */
export function sweepSome(store: Store): boolean {
  const sweep = store.sweeps.next()
  if (sweep === undefined || sweep.isDone) return false
  const records = recordsOf(store, sweep.organization)
  const steps = sweepSteps(store, sweep, records)
  if (steps !== undefined) store.sweeps.advance({ ...sweep, step: steps })
  else {
    const voter = sweepVoters(store, sweep, records)
    store.sweeps.advance({ ...sweep, voter: voter ?? sweep.voter, isDone: voter === undefined })
  }
  return true
}

/** @returns the last that it has looked at, or nothing when there was none */
function sweepSteps({ sweeps }: Store, sweep: Sweep, records: RootRecords) {
  const rows = sweeps.stepsAfter(sweep, bodiesAtOnce)
  for (const row of rows) {
    const body = eraseIn(decodeBody(row.body), records)
    if (body !== undefined) sweeps.replaceBody(sweep.organization, { ...row, body })
  }
  return rows.at(-1)
}

/** A step of one hash is the same step: votes and locks stand. */
function sweepVoters({ sweeps }: Store, sweep: Sweep, records: RootRecords): string | undefined {
  const rows = sweeps.votersAfter(sweep, bodiesAtOnce)
  for (const { stream, state } of rows) {
    const left = eraseVotes(decode(voterStateCodec, state), records)
    if (left === undefined) continue
    sweeps.replaceVoter(sweep.organization, { stream, state: encode(voterStateCodec, left) })
  }
  return rows.at(-1)?.stream
}

function eraseVotes(state: VoterState, records: RootRecords): VoterState | undefined {
  let isChanged = false
  const steps = state.steps.map((step) => {
    const bytes = eraseIn(decodeBody(step.bytes), records)
    isChanged ||= bytes !== undefined
    return bytes === undefined ? step : { ...step, bytes }
  })
  return isChanged ? { ...state, steps } : undefined
}

function recordsOf({ log }: Pick<Store, 'log'>, organization: Uint8Array): RootRecords {
  return recordsIn(organization, newestReader(log, organization))
}
