import type { Body } from '@quorate/authority/body'
import type { Reader, Rules } from '@quorate/authority/reduce/judging'
import { messagesOf } from '@quorate/authority/reduce/questions'
import type { StreamId } from '@quorate/authority/stream'
import { equalBytes } from '@quorate/core/bytes'

type Asked = { readonly body: Body; readonly reader: Reader; readonly rules: Rules }
type Judged = ReturnType<typeof messagesOf>
type Read = {
  readonly stream: StreamId
  readonly key: string
  readonly value: Uint8Array | undefined
}
type Verdict = { readonly judged: Judged; readonly reads: readonly Read[] }

export type Verdicts = (asked: Asked, item: number) => Judged

/**
 * What a step signs, and whether its author may still: asked before each packet of a signature, of
 * all that is known by then. The rules are a function of the step and of the records that they
 * read, so that where every one of these is what it was the last time, the verdict is too.
 */
export function openVerdicts(): Verdicts {
  const known = new WeakMap<Body, Map<number, Verdict>>()
  return ({ body, reader, rules }, item) => {
    const ofItems = known.get(body) ?? new Map<number, Verdict>()
    known.set(body, ofItems)
    const last = ofItems.get(item)
    if (last?.reads.every((read) => isSame(reader.read(read.stream, read.key), read.value)))
      return last.judged
    const reads: Read[] = []
    const noting: Reader = {
      read(stream, key) {
        const value = reader.read(stream, key)
        reads.push({ stream, key, value })
        return value
      },
    }
    const judged = messagesOf({ ...body, reader: noting, rules }, item)
    ofItems.set(item, { judged, reads })
    return judged
  }
}

function isSame(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  return a === b || equalBytes(a, b)
}
