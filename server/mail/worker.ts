import type { Database } from '../database/database.ts'
import { startLoop, type Loop } from '../work/loop.ts'
import type { Carrier } from './carrier.ts'
import { forgetOldMails, layToRest, leaseMails, postpone } from './queue.ts'
import type { MailRow } from './tables.ts'
import { compose, readMail } from './templates.ts'

export type MailDeps = {
  readonly database: Database
  readonly carrier: Carrier
  /** Where people reach this server: what links begin with. */
  readonly pagesUrl: string
  readonly log: {
    warn(context: object, message: string): void
    error(context: object, message: string): void
  }
  readonly now: () => number
}

/** A mail server takes a few connections of one client, and people wait for their codes. */
const mailsAtOnce = 4
const pollMs = 1_000
/** The database is gone, or so it seems. */
const troubledMs = 5_000
const sweepMs = 60 * 60_000

/** Sends what is due, together with the workers of all other servers. */
export function startMailWorker(deps: MailDeps): Loop {
  let sweptAt = 0

  /** What is left over keeps nobody waiting: some after each turn. @returns whether there may be more */
  async function sweep(): Promise<boolean> {
    const now = deps.now()
    if (now - sweptAt < sweepMs) return false
    const isMore = await forgetOldMails(deps.database, now).catch((err: unknown) => {
      deps.log.error({ err }, 'old mails were not deleted')
      return false
    })
    if (!isMore) sweptAt = now
    return isMore
  }

  const { wake, stop } = startLoop({
    turn: async () => {
      const count = await sendDue(deps)
      return (await sweep()) || count === mailsAtOnce ? 0 : pollMs
    },
    onError: (err) => deps.log.error({ err }, 'no mail could be taken'),
    troubledMs,
  })
  return {
    wake,
    stop: async () => {
      await stop()
      deps.carrier.close()
    },
  }
}

/** @returns how many were due */
export async function sendDue(deps: MailDeps): Promise<number> {
  const rows = await leaseMails(deps.database, mailsAtOnce, deps.now())
  await Promise.all(rows.map((row) => sendOne(deps, row)))
  return rows.length
}

/**
 * First sent, then noted as sent. Whoever dies in between leaves a lease that ends, and the mail goes
 * out again: twice is a nuisance, never is a person who cannot get in.
 */
async function sendOne(deps: MailDeps, row: MailRow): Promise<void> {
  const { database, carrier, log, now } = deps
  const { id, template, recipient, values_json: json } = row
  if (recipient === null || json === null || row.expires_at <= now()) {
    log.warn({ id, template, attempts: row.attempts }, 'a mail was given up')
    return layToRest(database, row, { given_up_at: now() })
  }
  try {
    const { subject, text } = compose(readMail(template, json), deps.pagesUrl)
    await carrier.send({ id, to: recipient, subject, text, createdAt: row.created_at })
  } catch (error) {
    log.warn({ id, template, attempts: row.attempts, ...refusalOf(error) }, 'a mail waits')
    return postpone(database, row, now() + delayMs(row.attempts))
  }
  await layToRest(database, row, { sent_at: now() })
}

/** Of what a mail server says only its numbers: its words repeat addresses and names. */
function refusalOf(error: unknown): { readonly code?: string; readonly status?: number } {
  const { code, responseCode } = Object(error)
  return {
    ...(typeof code === 'string' ? { code } : {}),
    ...(typeof responseCode === 'number' ? { status: responseCode } : {}),
  }
}

const firstDelayMs = 2_000
const delayMsMax = 10 * 60_000

function delayMs(attempts: number): number {
  return Math.min(firstDelayMs * 2 ** Math.min(attempts, 16), delayMsMax)
}
