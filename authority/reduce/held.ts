import { decodeRecord, heldTable, recordKey, type Table } from '../records.ts'
import type { Judging } from './judging.ts'

/** Does the request wait for an approval, or has it? Then it was in time when that was opened. */
export function isHeld(judging: Judging): boolean {
  return own(judging, heldTable, judging.request) !== undefined
}

/** A record of the step's own stream. */
export function own<T>(
  { reader, step }: Pick<Judging, 'reader' | 'step'>,
  table: Table<T>,
  ...name: readonly (Uint8Array | string | bigint | number)[]
): T | undefined {
  const parts = name.map((part) => (typeof part === 'number' ? BigInt(part) : part))
  const value = reader.read(step.stream, recordKey(table, ...parts))
  return value === undefined ? undefined : decodeRecord(table, value)
}
