import { equalBytes, toHex } from '@quorate/core/bytes'
import type { Subject } from '@quorate/authority/agreement/messages'
import type { Write } from '@quorate/authority/records'
import type { Reader } from '@quorate/authority/reduce/judging'
import { rootOf, type StreamId, streamName } from '@quorate/authority/stream'
import { sharing } from '../database/shared.ts'
import type { Certified, Ledger } from './ledger.ts'

/** A stream's newest step known here, with the records at hand as of it. */
type View = {
  head: Certified | undefined
  values: Map<string, Uint8Array | undefined>
  /** What is not among `values` does not exist. */
  isWhole: boolean
}

/** What a step rests on: the heads from which `reader` reads. */
export type Snapshot = {
  readonly root: Certified | undefined
  /** Of the stream that was asked for: the root's again if that is the one. */
  readonly head: Certified | undefined
  readonly reader: Reader
}

/** Streams and records at hand. What is dropped is read again. */
const streamsMax = 2_000
const recordsPerStreamMax = 20_000
/** If other replicas have written more than this, forgetting is cheaper than following. */
const changesMax = 2_000
/** Some hundred megabytes, for organizations of some ten thousand wallets. */
const recordsWholeMax = 500_000
/** Read as a whole at once: a few kilobytes. It stays so until it has grown to twenty times as many. */
const stepsShortMax = 128
const recordsShortMax = 1_024
/** Each time it gets further; one that needs more than this is going round in circles. */
const readingsMax = 256

const nameOf = ({ organization, stream }: Subject) => `${toHex(organization)}/${streamName(stream)}`

/** What a judgement asked for and was not at hand. */
type Missing = { readonly stream: StreamId; readonly record: string }

/**
 * Judges read records synchronously; the database does not answer so. A judgement that lacks records
 * is therefore made once as if there were none of them, only to see what it asks for, and then anew
 * with all of these: it is pure, so nobody can tell.
 */
export class Views {
  private readonly ledger: Ledger
  private readonly views = new Map<string, View>()
  private readonly following = sharing<Certified | undefined>()

  constructor(ledger: Ledger) {
    this.ledger = ledger
  }

  private viewOf(place: Subject): View | undefined {
    const name = nameOf(place)
    const view = this.views.get(name)
    if (view === undefined) return undefined
    this.views.delete(name)
    this.views.set(name, view)
    return view
  }

  private open(place: Subject, head: Certified | undefined): View {
    const view: View = { head, values: new Map(), isWhole: false }
    this.views.set(nameOf(place), view)
    const [oldest] = this.views.keys()
    if (this.views.size > streamsMax && oldest !== undefined) this.views.delete(oldest)
    return view
  }

  /** Follows what other replicas have certified. */
  refresh(place: Subject): Promise<Certified | undefined> {
    return this.following(nameOf(place), () => this.follow(place))
  }

  private async follow(place: Subject): Promise<Certified | undefined> {
    const { ledger } = this
    const known = this.viewOf(place)
    if (known !== undefined && (await ledger.headSeq(place)) <= seqOf(known.head)) return known.head
    const head = await ledger.head(place)
    const view = this.viewOf(place)
    if (view === undefined) return this.open(place, head).head
    const [after, upTo] = [seqOf(view.head), seqOf(head)]
    if (upTo <= after) return view.head
    const changes = await ledger.changes(place, { after, upTo }, changesMax)
    // Meanwhile this replica may have gone on by itself.
    if (seqOf(view.head) !== after) return view.head
    if (changes.length >= changesMax) forget(view)
    else for (const { name, value } of changes) view.values.set(name, value)
    view.head = head
    return head
  }

  private async fetch(place: Subject, records: readonly string[]): Promise<void> {
    const view = this.viewOf(place)
    if (view === undefined) return void (await this.refresh(place))
    if (await this.loadShort(place, view)) return
    const { head } = view
    const found = await this.ledger.records(place, records, seqOf(head))
    if (view.head !== head) return
    if (view.values.size >= recordsPerStreamMax && !view.isWhole) forget(view)
    for (const record of records) view.values.set(record, found.get(record))
  }

  /**
   * A stream with few steps is read once as a whole: what a judgement asks for and is not there, such as
   * whether a request has been used, then needs no question, and the judgement no second turn.
   */
  private async loadShort(place: Subject, view: View): Promise<boolean> {
    const { head } = view
    if (seqOf(head) > stepsShortMax) return false
    const span = { after: -1, upTo: seqOf(head) }
    const changes = await this.ledger.changes(place, span, recordsShortMax)
    if (view.head !== head || changes.length >= recordsShortMax) return false
    for (const { name, value } of changes) view.values.set(name, value)
    view.isWhole = true
    return true
  }

  /**
   * All newest records of an organization's root, for readers that cannot wait for each.
   * @throws Error when they are too many for that: read them one by one
   */
  async whole(organization: Uint8Array): Promise<Reader> {
    const place = { organization, stream: rootOf(organization) }
    await this.refresh(place)
    const view = this.viewOf(place)
    if (view === undefined) return { read: () => undefined }
    if (!view.isWhole) await this.load(place, view)
    const whole = { ...view }
    return {
      read: (stream, record) => {
        if (streamName(stream) === streamName(place.stream)) return whole.values.get(record)
        throw new Error("These are the root's records alone.")
      },
    }
  }

  private async load(place: Subject, view: View): Promise<void> {
    const values = new Map<string, Uint8Array>()
    // The stream goes on meanwhile: until nothing is missing, ask for what has come since.
    for (let after = -1; ;) {
      const upTo = seqOf(view.head)
      const changes = await this.ledger.changes(place, { after, upTo }, recordsWholeMax)
      for (const { name, value } of changes) values.set(name, value)
      if (changes.length >= recordsWholeMax || values.size >= recordsWholeMax)
        throw new Error('There are too many records to read them all.')
      if (seqOf(view.head) === upTo) break
      after = upTo
    }
    for (const [name, value] of values) view.values.set(name, value)
    view.isWhole = true
  }

  /** Runs `judge` on the newest records at hand. It must be pure. */
  async read<T>(place: Subject, judge: (snapshot: Snapshot) => T): Promise<T> {
    const rootPlace = { ...place, stream: rootOf(place.organization) }
    for (let readings = 0; readings < readingsMax; readings++) {
      const [root, own] = [this.viewOf(rootPlace), this.viewOf(place)]
      if (root === undefined) await this.refresh(rootPlace)
      else if (own === undefined) await this.refresh(place)
      else {
        const missing: Missing[] = []
        const reader = readerOf(place, missing, (at) => this.views.get(nameOf(at)))
        const made = attempt(missing, () => judge({ root: root.head, head: own.head, reader }))
        if (made.ok) return made.value
        for (const [stream, records] of byStream(missing))
          await this.fetch({ ...place, stream }, records)
      }
    }
    throw new Error('A judgement reads without end.')
  }

  /** Runs `judge` on the records as of these places, whatever has come since. */
  async readAt<T>(
    place: Subject,
    seqs: { readonly root: number; readonly own: number },
    judge: (reader: Reader) => T,
  ): Promise<T> {
    const values = new Map<string, View>()
    const viewAt = (at: Subject): View => {
      const view = values.get(nameOf(at)) ?? { head: undefined, values: new Map(), isWhole: false }
      values.set(nameOf(at), view)
      return view
    }
    for (let readings = 0; readings < readingsMax; readings++) {
      const missing: Missing[] = []
      const reader = readerOf(place, missing, viewAt)
      const made = attempt(missing, () => judge(reader))
      if (made.ok) return made.value
      for (const [stream, records] of byStream(missing)) {
        const at = { ...place, stream }
        const seq = nameOf(at) === nameOf(place) ? seqs.own : seqs.root
        const found = await this.ledger.records(at, records, seq)
        for (const record of records) viewAt(at).values.set(record, found.get(record))
      }
    }
    throw new Error('A judgement reads without end.')
  }

  /** After `ledger.keep`: the next draft rests on it without asking the database. */
  advance(place: Subject, head: Certified, writes: readonly Write[]): void {
    const view = this.viewOf(place)
    if (view === undefined || seqOf(view.head) >= head.seq) return
    if (seqOf(view.head) !== head.seq - 1) return void this.views.delete(nameOf(place))
    for (const { key, value } of writes) view.values.set(key, value)
    view.head = head
    // Roots that somebody wanted as a whole stay so; others may grow for ever.
    if (place.stream.kind !== 'root' && view.values.size >= recordsPerStreamMax) forget(view)
  }
}

function forget(view: View): void {
  // Whoever reads the whole of it goes on with what he has.
  view.values = new Map()
  view.isWhole = false
}

function seqOf(head: Certified | undefined): number {
  return head?.seq ?? -1
}

function readerOf(
  { organization }: Subject,
  missing: Missing[],
  viewOf: (at: Subject) => View | undefined,
): Reader {
  return {
    read: (stream, record) => {
      const isForeign = stream.kind === 'root' && !equalBytes(stream.id, organization)
      if (isForeign) throw new Error("A judgement reads another organization's records.")
      const view = viewOf({ organization, stream })
      if (view === undefined || !(view.isWhole || view.values.has(record)))
        missing.push({ stream, record })
      return view?.values.get(record)
    },
  }
}

/** In one statement PostgreSQL takes 65535 parameters. */
const recordsPerQuery = 4_096

function byStream(missing: readonly Missing[]): readonly (readonly [StreamId, string[]])[] {
  const streams = new Map<string, readonly [StreamId, Set<string>]>()
  for (const { stream, record } of missing.slice(0, recordsPerQuery)) {
    const name = streamName(stream)
    const [, records] = streams.get(name) ?? [stream, new Set<string>()]
    streams.set(name, [stream, records.add(record)])
  }
  return [...streams.values()].map(([stream, records]) => [stream, [...records]])
}

/** Whatever comes of a judgement that lacked something, even a failure, counts for nothing. */
function attempt<T>(
  missing: readonly Missing[],
  judge: () => T,
): { readonly ok: true; readonly value: T } | { readonly ok: false } {
  try {
    const value = judge()
    return missing.length === 0 ? { ok: true, value } : { ok: false }
  } catch (error) {
    if (missing.length === 0) throw error
    return { ok: false }
  }
}
