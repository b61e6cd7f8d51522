import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

/** Two files of this size per process: days of ordinary logs, and never a full disk. */
const bytesMax = 10_000_000

/** Appends to `path`; when that is full it becomes `path.1`, and what was there before is gone. */
export function logFile(path: string, limit = bytesMax): (chunk: Buffer | string) => void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  let size = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  return (chunk) => {
    if (size > 0 && size + chunk.length > limit) {
      renameSync(path, `${path}.1`)
      size = 0
    }
    appendFileSync(path, chunk, { mode: 0o600 })
    size += Buffer.byteLength(chunk)
  }
}

/** What a process said last, for a person who wants to know why it ended. */
export function lastLines(path: string, count = 10): string {
  if (!existsSync(path)) return '(empty)'
  return readFileSync(path, 'utf8').trimEnd().split('\n').slice(-count).join('\n')
}
