import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs'
import { newKey } from './key.ts'

/** How far a bootstrap has come, with the keys that it has made. */
export type Stage = {
  /** PKCS#8 PEM. */
  readonly administrator: string
  readonly serviceAccount: string
  /** A request to be founded, as it was answered before anybody signed it. */
  readonly genesis?: {
    readonly payload: string
    readonly challenge: string
    readonly preimage: string
    readonly salt: string
  }
  readonly founded?: {
    readonly orgId: string
    readonly genesis: string
    readonly userId: string
    readonly credId: string
  }
  readonly account?: {
    readonly userId: string
    readonly authToken: string
    readonly credId: string
  }
}

export type Progress = {
  readonly current: () => Stage
  /** On the disk before it returns. */
  readonly save: (change: Partial<Stage>) => void
}

export function openProgress(file: string): Progress {
  let stage: Stage = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : newStage()
  const save = (change: Partial<Stage>) => {
    stage = { ...stage, ...change }
    writePrivate(file, JSON.stringify(stage, undefined, 2))
  }
  save({})
  return { current: () => stage, save }
}

function newStage(): Stage {
  return { administrator: newKey(), serviceAccount: newKey() }
}

/** Old text or new, never half of one, and for this user alone. */
function writePrivate(file: string, text: string): void {
  const draft = `${file}.new`
  const descriptor = openSync(draft, 'w', 0o600)
  try {
    writeSync(descriptor, text)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  renameSync(draft, file)
}
