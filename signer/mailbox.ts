import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { signedStatementBytesMax } from '@quorate/authority/statement'
import { toHex } from '@quorate/core/bytes'
import type { Log } from './log.ts'
import type { Signer } from './signer.ts'

/**
 * The second mailbox: a folder that the server does not own, into which anybody may put statements
 * and which any tool may bring here. Nothing in it is believed.
 */
export type Mailbox = { readonly folder: string; readonly id: string }

/** How long a statement lies before it is looked at. */
export const pollMs = 5_000
/** Looked at in one turn, so that a folder full of rubbish stops nothing else. */
const filesMax = 256

export function watchMailbox(
  signer: Signer,
  mailbox: Mailbox,
  { log, onDefect }: { readonly log: Log; readonly onDefect: (error: unknown) => void },
): { stop(): void } {
  let fault = ''
  const look = () => {
    const before = fault
    try {
      fault = tryToEmpty(signer, mailbox)
    } catch (error) {
      onDefect(error)
    }
    if (fault !== before)
      log({ event: fault === '' ? 'mailbox' : 'mailbox-unreadable', reason: fault })
  }
  look()
  const timer = setInterval(look, pollMs)
  return { stop: () => clearInterval(timer) }
}

/** Of the file system alone: a store that cannot write ends the process. @returns what was wrong */
function tryToEmpty(signer: Signer, mailbox: Mailbox): string {
  try {
    emptyMailbox(signer, mailbox)
    return ''
  } catch (error) {
    if (error instanceof Error && 'syscall' in error) return `${Object(error).code}`
    throw error
  }
}

/**
 * Takes in every statement that this signer has not acknowledged yet, and lays its acknowledgement
 * beside it. One that is refused is looked at again: the signer may yet learn who its author is.
 */
export function emptyMailbox(signer: Signer, { folder, id }: Mailbox): void {
  const names = readdirSync(folder)
  const acknowledged = new Set(names)
  const fresh = names.filter(
    (name) => /^[0-9a-f]{64}\.statement$/.test(name) && !acknowledged.has(ackOf(name, id)),
  )
  for (const name of inTurn(fresh)) {
    const file = join(folder, name)
    const stat = statSync(file)
    if (!stat.isFile() || stat.size > signedStatementBytesMax) continue
    const accepted = signer.accept(new Uint8Array(readFileSync(file)))
    if (!accepted.ok || `${toHex(accepted.hash)}.statement` !== name) continue
    writeFileSync(join(folder, ackOf(name, id)), toHex(accepted.signature))
  }
}

/** Some at random, so that many that are refused for ever do not hide a good one for ever. */
function inTurn(names: readonly string[]): readonly string[] {
  if (names.length <= filesMax) return names
  const start = Math.floor(Math.random() * names.length)
  return [...names.slice(start), ...names.slice(0, start)].slice(0, filesMax)
}

function ackOf(name: string, id: string): string {
  return name.replace(/\.statement$/, `.${id}.ack`)
}
