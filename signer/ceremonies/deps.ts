import type { Random } from '@quorate/threshold/session'
import type { KeyEncryption } from '../kek.ts'
import type { Judges } from '../judgement.ts'
import type { Verdicts } from './verdicts.ts'
import type { Log } from '../log.ts'
import type { Self } from '../self.ts'
import type { SessionWorker } from '../worker/worker.ts'

/** What every ceremony is given. */
export type CeremonyDeps = Judges & {
  readonly self: Self
  readonly keyEncryption: KeyEncryption
  readonly random: Random
  readonly worker: SessionWorker
  readonly log: Log
  readonly verdicts: Verdicts
}
