import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { openMailbox, type Mailbox } from './mailbox.ts'
import { openSmtp } from './smtp.ts'

export type Message = {
  /** The same at every attempt, so that a second copy can be told from another mail. */
  readonly id: string
  readonly to: string
  readonly subject: string
  readonly text: string
  readonly createdAt: number
}

/** Takes mail to where it belongs, or throws: it may be given the same message again. */
export type Carrier = { send(message: Message): Promise<void>; close(): void }

/** One mailbox and no more: a list, a display name or a second address would reach others. */
export const address = z.email().max(254)

const viaSmtp = z.strictObject({
  /** `smtps://user:password@host`, or `smtp://` for STARTTLS. */
  smtp: z.string().regex(/^smtps?:\/\/./, 'smtps://… or smtp://…'),
  from: address,
  /** PEM of who issued the mail server's certificate, where that is none of the usual ones. */
  caFile: z.string().optional(),
})
const intoFolder = z.strictObject({ folder: z.string().min(1) })

export type OpenedCarrier = {
  readonly carrier: Carrier
  /** Of the development's carrier alone, whose mails a page shows. */
  readonly mailbox: Mailbox | undefined
}

/**
 * @param file JSON: how mail leaves this server. It holds a password, which no error repeats.
 * @throws Error when it is neither of the two forms
 */
export function openCarrier(file: string): OpenedCarrier {
  const settings = z.union([viaSmtp, intoFolder]).safeParse(parsed(file))
  if (!settings.success)
    throw new Error(`${file} is neither {"smtp": …, "from": …} nor {"folder": …}.`)
  if ('folder' in settings.data) {
    const mailbox = openMailbox(settings.data.folder)
    return { carrier: mailbox, mailbox }
  }
  const { smtp, from, caFile } = settings.data
  const ca = caFile === undefined ? undefined : readFileSync(caFile, 'utf8')
  return { carrier: openSmtp({ url: smtp, from, ca }), mailbox: undefined }
}

/** `JSON.parse` quotes what it cannot read. */
function parsed(file: string): unknown {
  const text = readFileSync(file, 'utf8')
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
