import type { OpaqueStep, Subject } from '@quorate/authority/agreement/messages'
import { opaqueStep } from '@quorate/authority/opaque-step'
import type { Write } from '@quorate/authority/records'
import type { Rules } from '@quorate/authority/reduce/judging'
import { type Asked } from '@quorate/authority/reduce/asked'
import { draftStep, type Draft } from '@quorate/authority/reduce/step'
import { noStep, reducerVersion, type Step } from '@quorate/authority/step'
import { rootOf } from '@quorate/authority/stream'
import type { Snapshot } from './views.ts'

export type Drafted = {
  readonly opaque: OpaqueStep
  readonly step: Step
  readonly writes: readonly Write[]
}
export type DraftOutcome =
  | ({ readonly ok: true } & Drafted)
  | { readonly ok: false; readonly item?: number; readonly reason: string }

/** The next step of a stream, resting on the newest heads known here. Pure. */
export function draftNext(
  place: Subject,
  asked: readonly Asked[],
  { snapshot, rules, now }: { snapshot: Snapshot; rules: Rules; now: number },
): DraftOutcome {
  const { root, head, reader } = snapshot
  const isRoot = place.stream.kind === 'root'
  if (!isRoot && root === undefined)
    return { ok: false, item: 0, reason: 'there is no such organization' }
  const heads =
    isRoot || root === undefined
      ? []
      : [{ stream: rootOf(place.organization), seq: root.seq, step: root.hash }]
  const draft: Draft = {
    organization: place.organization,
    stream: place.stream,
    seq: head === undefined ? 0 : head.seq + 1,
    previous: head?.hash ?? noStep,
    manifest: rules.manifest.hash,
    reducer: reducerVersion,
    // Never before what it rests on, even if another replica's clock is ahead of this one's.
    time: Math.max(now, head?.time ?? 0, root?.time ?? 0),
    heads,
  }
  const made = draftStep(draft, asked, reader, rules)
  if (!made.ok) return made
  const evidence = asked.map((one) => one.evidence)
  return { ok: true, opaque: opaqueStep(made.step, evidence), step: made.step, writes: made.writes }
}
