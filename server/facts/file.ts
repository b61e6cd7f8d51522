import { readFile, stat } from 'node:fs/promises'
import type { Opinions, Outflow } from '@quorate/core/outflow'
import { opinionsMax } from '@quorate/effects/facts'
import { type FactFile, factFileLengthMax, factsAbout, readFacts } from '@quorate/policy/facts'

/** What is said of the prices and recipients that an outflow concerns. */
export type Opine = (outflow: Outflow) => Promise<Opinions>
type Warn = (context: object, message: string) => void

/** For a server whose operator says nothing. */
export const noOpinions: Opine = async () => ({ prices: [], screenings: [] })

/**
 * The operator's own file, read again whenever it is another one. What cannot be read changes nothing:
 * the facts of the last one grow old, and what is too old counts for nothing.
 *
 * @param path empty: there is none
 */
export function openFactFile(path: string, warn: Warn): Opine {
  if (path === '') return noOpinions
  let known: { readonly file: FactFile | undefined; readonly version: string } | undefined
  const fresh = async (): Promise<FactFile | undefined> => {
    const version = await versionOf(path)
    if (version === known?.version) return known.file
    const read = await readAt(path)
    if (!read.ok) warn({ file: path, reason: read.reason }, 'the file of facts was not read')
    known = { version, file: read.ok ? read.file : known?.file }
    return known.file
  }
  return async (outflow) => {
    const file = await fresh()
    if (file === undefined) return { prices: [], screenings: [] }
    const { prices, screenings } = factsAbout(file, outflow)
    // What there is no room for is unknown, and triggers whatever rule needs it.
    return {
      prices: prices.slice(0, opinionsMax),
      screenings: screenings.slice(0, opinionsMax),
    }
  }
}

async function versionOf(path: string): Promise<string> {
  try {
    const { ino, size, mtimeNs } = await stat(path, { bigint: true })
    return `${ino} ${size} ${mtimeNs}`
  } catch (error) {
    if (error instanceof Error && 'code' in error) return `${error.code}`
    throw error
  }
}

async function readAt(path: string): Promise<ReturnType<typeof readFacts>> {
  try {
    const { size } = await stat(path)
    // UTF-8 has at most three bytes for what counts as one there.
    if (size > 3 * factFileLengthMax) return { ok: false, reason: 'the file is too long' }
    return readFacts(await readFile(path, 'utf8'))
  } catch (error) {
    if (error instanceof Error && 'code' in error) return { ok: false, reason: `${error.code}` }
    throw error
  }
}
