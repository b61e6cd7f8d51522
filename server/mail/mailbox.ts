import { mkdirSync } from 'node:fs'
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Carrier, Message } from './carrier.ts'

/** For development: a folder in place of the world's mail. */
export type Mailbox = Carrier & {
  /** The newest first. */
  list(): Promise<readonly Message[]>
}

/** More than a page shows at once; older ones are taken away. */
const mailsKept = 100
const ending = '.json'

/** One file for each mail, which only this user reads. */
export function openMailbox(folder: string): Mailbox {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  /** Their names begin with the time. */
  const names = async () =>
    (await readdir(folder)).filter((name) => name.endsWith(ending)).sort((a, b) => (a < b ? 1 : -1))

  return {
    send: async (message) => {
      const name = `${String(message.createdAt).padStart(15, '0')}-${message.id}${ending}`
      const draft = join(folder, `${name}.new`)
      await writeFile(draft, `${JSON.stringify(message, undefined, 2)}\n`, { mode: 0o600 })
      await rename(draft, join(folder, name))
      const old = (await names()).slice(mailsKept)
      await Promise.all(old.map((one) => rm(join(folder, one), { force: true })))
    },
    list: async () =>
      Promise.all(
        (await names())
          .slice(0, mailsKept)
          .map(async (name): Promise<Message> =>
            JSON.parse(await readFile(join(folder, name), 'utf8')),
          ),
      ),
    close: () => undefined,
  }
}
