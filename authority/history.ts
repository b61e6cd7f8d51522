import { equalBytes, toHex } from '@quorate/core/bytes'
import { decodeRecord, recordKey, type Write } from './records.ts'
import { isAbout, verifyCertificate, type Certificate } from './agreement/messages.ts'
import type { Body } from './body.ts'
import { quorumOf } from './quorum.ts'
import { judgeHeads, type Steps } from './reduce/heads.ts'
import type { Reader, Rules } from './reduce/judging.ts'
import { reduceStep } from './reduce/step.ts'
import type { RootRecords } from './standing.ts'
import { noStep, type Step } from './step.ts'
import { rootOf, streamName, type StreamId } from './stream.ts'

type Taken = { readonly hash: Uint8Array; readonly time: number }
type Version = { readonly seq: number; readonly value: Uint8Array }

/** Steps that were replayed, with every value that a record ever had: a step may name an older head. */
export class History implements Steps {
  private readonly streams = new Map<
    string,
    { readonly steps: Taken[]; readonly records: Map<string, Version[]> }
  >()

  newest(stream: StreamId): (Taken & { readonly seq: number }) | undefined {
    const steps = this.of(stream).steps
    const last = steps.at(-1)
    return last && { ...last, seq: steps.length - 1 }
  }

  at(stream: StreamId, seq: number): Taken | undefined {
    return this.of(stream).steps[seq]
  }

  heads(): { stream: string; seq: number; hash: string }[] {
    return [...this.streams].flatMap(([stream, { steps }]) => {
      const last = steps.at(-1)
      return last === undefined ? [] : [{ stream, seq: steps.length - 1, hash: toHex(last.hash) }]
    })
  }

  add(stream: StreamId, taken: Taken, writes: readonly Write[]): void {
    const { steps, records } = this.of(stream)
    const seq = steps.push(taken) - 1
    for (const { key, value } of writes) {
      const versions = records.get(key) ?? []
      versions.push({ seq, value })
      records.set(key, versions)
    }
  }

  recordsOf(reader: Reader, organization: Uint8Array): RootRecords {
    const root = rootOf(organization)
    return {
      find: (table, ...name) => {
        const value = reader.read(root, recordKey(table, ...name))
        return value === undefined ? undefined : decodeRecord(table, value)
      },
    }
  }

  /** Of its own stream what stands before it, of others what its heads cover. */
  before({ stream, seq, heads }: Pick<Step, 'stream' | 'seq' | 'heads'>): Reader {
    const seqMax = new Map(heads.map((head) => [streamName(head.stream), head.seq]))
    seqMax.set(streamName(stream), seq - 1)
    return {
      read: (of, key) => {
        const newest = seqMax.get(streamName(of))
        if (newest === undefined) return undefined
        return this.of(of)
          .records.get(key)
          ?.findLast((version) => version.seq <= newest)?.value
      },
    }
  }

  private of(stream: StreamId) {
    const name = streamName(stream)
    const known = this.streams.get(name) ?? { steps: [], records: new Map<string, Version[]>() }
    this.streams.set(name, known)
    return known
  }
}

/**
 * The next step of a log that is replayed: taken in if it follows from what stands before it and a
 * quorum has sealed it.
 *
 * @returns what it writes, or why it does not follow
 */
export function follow(
  history: History,
  { step, evidence, hash }: Body,
  certificate: Certificate | undefined,
  rules: Rules,
): { readonly ok: true; readonly writes: readonly Write[] } | { ok: false; reason: string } {
  const refused = (reason: string) => ({ ok: false, reason }) as const
  const newest = history.newest(step.stream)
  if (step.seq !== (newest?.seq ?? -1) + 1) return refused('the step before it is missing')
  if (!equalBytes(step.previous, newest?.hash ?? noStep)) return refused('it follows another step')
  const isCertified =
    certificate !== undefined &&
    isAbout(certificate, step) &&
    certificate.seq === step.seq &&
    equalBytes(certificate.stepHash, hash) &&
    verifyCertificate(certificate, quorumOf(rules.manifest))
  if (!isCertified) return refused('no quorum of the signers has sealed it')
  const headless = judgeHeads(step, history)
  if (headless !== undefined) return refused(headless)
  const outcome = reduceStep(step, evidence, history.before(step), rules)
  if (outcome.ok) history.add(step.stream, { hash, time: step.time }, outcome.writes)
  return outcome
}
