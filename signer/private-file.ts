import { readFileSync, statSync } from 'node:fs'

/** @throws Error when there is no such file, or anybody but its owner may touch it */
export function readPrivateFile(file: string): Uint8Array {
  const { mode } = statSync(file)
  if ((mode & 0o077) !== 0)
    throw new Error(`Cannot start: others than its owner may touch ${file}. Set its mode to 600.`)
  return readFileSync(file)
}
