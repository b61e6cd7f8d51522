import type { Reader } from '@quorate/authority/reduce/judging'
import { type Asked } from '@quorate/authority/reduce/asked'
import { draftStep, reduceItems } from '@quorate/authority/reduce/step'
import type { Rules } from '@quorate/authority/reduce/judging'
import { writtenHash, type Write } from '@quorate/authority/records'
import { opaqueStep } from '@quorate/authority/opaque-step'
import { noStep, reducerVersion, type Head, type Step } from '@quorate/authority/step'
import { rootOf, streamName, type StreamId } from '@quorate/authority/stream'
import type { Certificate, OpaqueStep } from '@quorate/authority/agreement/messages'

export type Entry = {
  readonly step: OpaqueStep
  readonly certificate: Certificate
  readonly writes: readonly Write[]
}

/** What an honest server keeps of the log: enough to draft the next step of any stream. */
export class Ledger {
  private readonly entries = new Map<string, Entry[]>()
  private readonly records = new Map<string, Uint8Array>()

  readonly reader: Reader = {
    read: (stream, key) => this.records.get(`${streamName(stream)} ${key}`),
  }

  add(stream: StreamId, entry: Entry): void {
    this.entries.set(streamName(stream), [...this.of(stream), entry])
    for (const { key, value } of entry.writes)
      this.records.set(`${streamName(stream)} ${key}`, value)
  }

  of(stream: StreamId): readonly Entry[] {
    return this.entries.get(streamName(stream)) ?? []
  }

  head(stream: StreamId): Head | undefined {
    const last = this.of(stream).at(-1)
    return last && { stream, seq: last.step.seq, step: last.step.hash }
  }
}

export type Place = { readonly organization: Uint8Array; readonly stream: StreamId }
export type Drafting = {
  readonly ledger: Ledger
  readonly rules: Rules
  readonly place: Place
  readonly time: number
  readonly asked: readonly Asked[]
  /** What a hostile server says in place of the truth. */
  readonly change?: (step: Step) => Step
}
export type Drafted = {
  readonly step: OpaqueStep
  readonly writes: readonly Write[]
  readonly body: Step
}

/** The next step as an honest server makes it. @throws Error when the rules refuse it */
export function draft(drafting: Drafting): Drafted {
  const { ledger, rules, asked } = drafting
  const made = draftStep(emptyStep(drafting), asked, ledger.reader, rules)
  if (!made.ok) throw new Error(`the rules refuse: ${made.reason}`)
  return finish(drafting, made.step)
}

/**
 * The next step as a hostile server makes it: items of `honest`, but other evidence beside them, with
 * every hash made to fit it.
 */
export function draftAnyway(drafting: Drafting, items: Step['items']): Drafted {
  return finish(drafting, { ...emptyStep(drafting), items, written: writtenHash([]) })
}

function finish({ ledger, rules, asked, change = (step) => step }: Drafting, step: Step): Drafted {
  const evidence = asked.map((one) => one.evidence)
  const body = change(step)
  const outcome = reduceItems({ step: body, evidence, reader: ledger.reader, rules })
  return {
    step: opaqueStep(body, evidence),
    body,
    writes: outcome.ok ? outcome.writes : [],
  }
}

function emptyStep({ ledger, rules, place, time }: Drafting): Omit<Step, 'items' | 'written'> {
  const { organization, stream } = place
  const last = ledger.head(stream)
  const root = ledger.head(rootOf(organization))
  return {
    organization,
    stream,
    seq: last === undefined ? 0 : last.seq + 1,
    previous: last?.step ?? noStep,
    manifest: rules.manifest.hash,
    reducer: reducerVersion,
    time,
    heads: stream.kind === 'root' || root === undefined ? [] : [root],
  }
}
