/**
 * One line of JSON for each thing an operator may want to know. Names, numbers, hashes in hex and
 * sentences of this code: nothing that came out of a share, a key or a payload.
 */
export type LogEvent = {
  readonly event: string
  readonly [name: string]: string | number | readonly number[]
}
export type Log = (event: LogEvent) => void

export function logTo(write: (line: string) => void): Log {
  return (event) => write(`${JSON.stringify(event)}\n`)
}
