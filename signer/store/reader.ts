import type { Reader } from '@quorate/authority/reduce/judging'
import type { Write } from '@quorate/authority/records'
import { streamName } from '@quorate/authority/stream'
import type { Head } from '@quorate/authority/step'
import type { LogTable, Place } from './store.ts'

/**
 * The records as a step sees them: of its own stream what stands before it, of others what the
 * heads cover that it names, and of no other stream anything at all.
 */
export function readerAt(
  log: LogTable,
  { organization, stream }: Place,
  { seq, heads }: { readonly seq: number; readonly heads: readonly Head[] },
): Reader {
  const seqMax = new Map(heads.map((head) => [streamName(head.stream), head.seq]))
  seqMax.set(streamName(stream), seq - 1)
  return {
    read(of, key) {
      const newest = seqMax.get(streamName(of))
      return newest === undefined
        ? undefined
        : log.recordAt({ organization, stream: of }, key, newest)
    },
  }
}

/** What a sealed step will change once it is certified, in another stream than the one judged. */
export type Sealed = { readonly stream: Place['stream']; readonly writes: readonly Write[] }

/** All that this signer knows by now. */
export function newestReader(
  log: LogTable,
  organization: Uint8Array,
  sealed: readonly Sealed[] = [],
): Reader {
  return {
    read(stream, key) {
      const ahead = sealed.find((one) => streamName(one.stream) === streamName(stream))
      const written = ahead?.writes.findLast((write) => write.key === key)?.value
      if (written !== undefined) return written
      // Records come from certified steps alone, so the newest row is the newest certified one.
      return log.recordAt({ organization, stream }, key, Number.MAX_SAFE_INTEGER)
    },
  }
}
