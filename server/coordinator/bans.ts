import type { Pair } from './attendance.ts'
import { retriedMs } from './faults.ts'

/** Whom signers do not sign with, as they have said themselves: theirs to keep, and to take back. */
export type Bans = {
  note(signer: number, peers: readonly number[]): void
  pairs(): readonly Pair[]
}

export function openBans(clock: () => number): Bans {
  const heard = new Map<string, { readonly pair: Pair; readonly at: number }>()
  return {
    note: (signer, peers) => {
      for (const peer of peers)
        heard.set(`${signer} ${peer}`, { pair: [signer, peer], at: clock() })
    },
    pairs: () =>
      [...heard.values()].flatMap(({ pair, at }) => (at > clock() - retriedMs ? [pair] : [])),
  }
}
