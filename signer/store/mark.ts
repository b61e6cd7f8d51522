import { closeSync, existsSync, fdatasyncSync, openSync, readFileSync, writeSync } from 'node:fs'
import { openStore } from './sqlite.ts'
import type { Store } from './store.ts'

/** A crash of the machine, not of the process, may set the mark back by so many transactions. */
const unsyncedMax = 64
/** Always as long, so that a shorter number leaves nothing of a longer one behind. */
const digits = 16

/**
 * The store with a mark beside it, which says how far it was written when it was last used here. A
 * signer must not vote from an older store than that: it has forgotten what it said, and neither it
 * nor its peers can tell what that was. The mark never runs ahead of the store, so it stops nobody
 * whose process or machine has only crashed. It is no help against a copy of both files.
 *
 * A store is made where none is only if its mark is there and says 0, which whoever sets up a signer
 * writes once: an empty disk, a mount that is missing or a slip in the path must not pass for a signer
 * that has never spoken.
 *
 * @throws Error when the store is older than its mark, or has none
 */
export function openMarkedStore(file: string): Store {
  const markFile = markOf(file)
  const marked = readMark(markFile)
  if (marked !== 0 && !existsSync(file))
    throw new Error(
      `Cannot start: there is no store ${file}, and this is not a new signer: is the path right, and its disk mounted? See "A new store" in signer/README.md.`,
    )
  const store = openStore(file)
  const reason = refusalOf(store.sequence, { marked, markFile })
  if (reason !== undefined) {
    store.close()
    throw new Error(`Cannot start: ${reason} See "An old store" in signer/README.md.`)
  }
  const mark = openMark(markFile)
  mark.write(store.sequence)
  return {
    ...store,
    get sequence() {
      return store.sequence
    },
    commit(work) {
      const result = store.commit(work)
      mark.write(store.sequence)
      return result
    },
    close() {
      mark.close()
      store.close()
    },
  }
}

export function markOf(file: string): string {
  return `${file}.mark`
}

function refusalOf(
  sequence: number,
  { marked, markFile }: { readonly marked: number | undefined; readonly markFile: string },
): string | undefined {
  if (marked === undefined) return `there is no ${markFile}: the store may be an old copy.`
  return sequence < marked
    ? `the store is an old copy: it was written ${sequence} times, and ${marked} times when it last ran here.`
    : undefined
}

function readMark(file: string): number | undefined {
  if (!existsSync(file)) return undefined
  const text = readFileSync(file, 'utf8').trim()
  if (!/^[0-9]{1,16}$/.test(text)) throw new Error(`Cannot start: ${file} is not a number.`)
  return Number(text)
}

function openMark(file: string) {
  // Not emptied: what it says is true until it says more.
  const descriptor = openSync(file, existsSync(file) ? 'r+' : 'w', 0o600)
  let [written, unsynced] = [-1, unsyncedMax]
  const sync = (): void => {
    fdatasyncSync(descriptor)
    unsynced = 0
  }
  return {
    write(sequence: number): void {
      if (sequence === written) return
      writeSync(descriptor, `${String(sequence).padStart(digits, '0')}\n`, 0)
      written = sequence
      if (++unsynced >= unsyncedMax) sync()
    },
    close(): void {
      sync()
      closeSync(descriptor)
    },
  }
}
