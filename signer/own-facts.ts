import { readFileSync, statSync } from 'node:fs'
import { factFileLengthMax, readFacts, type FactFile, type ReadFacts } from '@quorate/policy/facts'
import type { Log } from './log.ts'

/** What this signer knows of prices and recipients without asking the server. */
export type OwnFacts = () => FactFile

const nothing: FactFile = { prices: [], denied: undefined }

/**
 * The operator's own file, looked at for every vote that rests on it and read again whenever it is
 * another one. Of one that cannot be read nothing counts, nor of the one before: whoever has just put
 * a thief on the list, and a comma too many, would rather have nothing signed.
 *
 * @param path empty: there is none
 */
export function openOwnFacts(path: string, log: Log): OwnFacts {
  if (path === '') return () => nothing
  let known: { readonly file: FactFile; readonly version: string } | undefined
  const fresh = (): FactFile => {
    const version = versionOf(path)
    if (version === known?.version) return known.file
    const read = readAt(path)
    if (!read.ok) log({ event: 'facts-not-read', reason: read.reason })
    known = { version, file: read.ok ? read.file : nothing }
    return known.file
  }
  // An operator is told of a mistake at the start, and not at the first payment.
  fresh()
  return fresh
}

function versionOf(path: string): string {
  try {
    const { ino, size, mtimeNs } = statSync(path, { bigint: true })
    return `${ino} ${size} ${mtimeNs}`
  } catch (error) {
    if (error instanceof Error && 'code' in error) return `${error.code}`
    throw error
  }
}

function readAt(path: string): ReadFacts {
  try {
    // UTF-8 has at most three bytes for what counts as one there.
    if (statSync(path).size > 3 * factFileLengthMax)
      return { ok: false, reason: 'the file is too long' }
    return readFacts(readFileSync(path, 'utf8'))
  } catch (error) {
    if (error instanceof Error && 'code' in error) return { ok: false, reason: `${error.code}` }
    throw error
  }
}
