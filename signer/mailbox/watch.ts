import { toHex, toUtf8 } from '@quorate/core/bytes'
import type { Log } from '../log.ts'
import type { Signer } from '../signer.ts'
import {
  acknowledgementName,
  isStatementName,
  MailboxFault,
  openMailbox,
  statementName,
  type Mailbox,
} from './mailbox.ts'

/** How long a statement lies before it is looked at. */
export const pollMs = 5_000
/** Looked at in one turn, so that a mailbox full of rubbish stops nothing else. */
const statementsMax = 256
/** Of a mailbox that is slow, on purpose or not: it is then asked for its list again. */
const turnMs = 60_000

type Watch = { readonly log: Log; readonly onDefect: (error: unknown) => void }
type Watched = { readonly id: string; readonly addresses: readonly string[] }

/** Each mailbox has its own turns: one that is broken, slow or full of rubbish holds up no other. */
export function watchMailboxes(
  signer: Signer,
  { id, addresses }: Watched,
  watch: Watch,
): { stop(): void } {
  const end = new AbortController()
  for (const [i, address] of addresses.entries())
    watchOne({ signer, id, mailbox: openMailbox(address), number: i + 1 }, watch, end.signal)
  return { stop: () => end.abort() }
}

type One = {
  readonly signer: Signer
  readonly id: string
  readonly mailbox: Mailbox
  /** Its place in the list: what an address says may be nobody's business. */
  readonly number: number
}

function watchOne({ signer, id, mailbox, number }: One, watch: Watch, end: AbortSignal): void {
  const { log, onDefect } = watch
  let fault = ''
  let timer: NodeJS.Timeout | undefined
  end.addEventListener('abort', () => clearTimeout(timer))
  const look = async (): Promise<void> => {
    const before = fault
    fault = await tryToEmpty(signer, { mailbox, id }, end)
    if (end.aborted) return
    if (fault !== before)
      log({
        event: fault === '' ? 'mailbox' : 'mailbox-unreadable',
        mailbox: number,
        reason: fault,
      })
    timer = setTimeout(turn, pollMs)
  }
  const turn = (): void => {
    // A store that cannot write, or a bug: neither is a reason to look again.
    if (!end.aborted) look().catch(onDefect)
  }
  turn()
}

/** @returns what is wrong with the mailbox */
async function tryToEmpty(signer: Signer, from: Emptied, end: AbortSignal): Promise<string> {
  try {
    await emptyMailbox(signer, from, AbortSignal.any([end, AbortSignal.timeout(turnMs)]))
    return ''
  } catch (error) {
    if (error instanceof MailboxFault) return error.message
    throw error
  }
}

type Emptied = { readonly mailbox: Mailbox; readonly id: string }

/**
 * Takes in every statement that this signer has not acknowledged yet, and lays its acknowledgement
 * beside it. One that is refused is looked at again: the signer may yet learn who its author is.
 */
export async function emptyMailbox(
  signer: Signer,
  { mailbox, id }: Emptied,
  signal?: AbortSignal,
): Promise<void> {
  const names = await mailbox.names(signal)
  const there = new Set(names)
  const fresh = names.filter((name) => isStatementName(name) && !there.has(ackOf(name, id)))
  let fault: MailboxFault | undefined
  for (const name of inTurn(fresh)) {
    // The store may be closed by now.
    if (signal?.aborted === true) return
    try {
      await take(signer, { mailbox, id }, name, signal)
    } catch (error) {
      // Whoever lays down what cannot be read hides nothing that lies beside it.
      if (!(error instanceof MailboxFault)) throw error
      fault = error
    }
  }
  if (fault !== undefined) throw fault
}

async function take(
  signer: Signer,
  { mailbox, id }: Emptied,
  name: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const signed = await mailbox.read(name, signal)
  if (signed === undefined || signal?.aborted === true) return
  const accepted = signer.accept(signed)
  if (!accepted.ok || statementName(accepted.hash) !== name) return
  const signature = toUtf8(toHex(accepted.signature))
  await mailbox.lay(acknowledgementName(accepted.hash, id), signature, signal)
}

/** From anywhere in the list, so that what is refused for ever, or slow, hides nothing for ever. */
function inTurn(names: readonly string[]): readonly string[] {
  const start = Math.floor(Math.random() * names.length)
  return [...names.slice(start), ...names.slice(0, start)].slice(0, statementsMax)
}

function ackOf(name: string, id: string): string {
  return name.replace(/\.statement$/, `.${id}.ack`)
}
