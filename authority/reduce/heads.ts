import { equalBytes } from '@quorate/core/bytes'
import { rootOf, streamName, type StreamId } from '../stream.ts'
import type { Head, Step } from '../step.ts'

/** Certified steps, as far as the judge has come. */
export interface Steps {
  at(
    stream: StreamId,
    seq: number,
  ): { readonly hash: Uint8Array; readonly time: number } | undefined
}

/**
 * What a step rests on: a root step on nothing but its own prefix, any other on exactly one step of
 * the organization's root, certified and not later. Time never goes back. Part of validity, and so
 * the same for server, signers and whoever replays the log.
 *
 * @param steps must have come as far as the heads that are named: else no verdict is possible yet
 * @returns what is wrong, or nothing
 */
export function judgeHeads(step: Step, steps: Steps): string | undefined {
  const { organization, stream } = step
  if (step.seq > 0) {
    const before = steps.at(stream, step.seq - 1)
    if (before === undefined || before.time > step.time) return 'the step goes back in time'
  }
  if (stream.kind === 'root')
    return step.heads.length === 0 ? undefined : 'a root step names a head'
  const [head, ...others] = step.heads
  const isRoot = head !== undefined && streamName(head.stream) === streamName(rootOf(organization))
  if (!isRoot || others.length > 0) return 'the step does not name the head of the root stream'
  return judgeHead(head, step.time, steps)
}

function judgeHead(head: Head, time: number, steps: Steps): string | undefined {
  const certified = steps.at(head.stream, head.seq)
  if (certified === undefined || !equalBytes(certified.hash, head.step))
    return 'the step names a head that is not certified'
  return certified.time > time ? 'the step is older than the head that it names' : undefined
}
