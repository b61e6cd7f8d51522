import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Platform, until } from './platform.ts'

/** A mail waits a moment in its queue. */
const mailMsMax = 30_000

type Mail = { readonly to: string; readonly text: string }

/** Every code that somebody was mailed, the newest first, as he finds it in the text. */
function codesFor({ dataDir }: Platform, to: string): readonly string[] {
  const folder = join(dataDir, 'mailbox')
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .toSorted()
    .toReversed()
    .map((name): Mail => JSON.parse(readFileSync(join(folder, name), 'utf8')))
    .flatMap((mail) => (mail.to === to ? [...mail.text.matchAll(/for it: (\S+)/g)] : []))
    .map(([, code = '']) => code)
}

/** The newest code, once so many have come. */
export async function mailedCode(platform: Platform, to: string, mails = 1): Promise<string> {
  let codes: readonly string[] = []
  await until(`${to} has ${mails} mails`, mailMsMax, () => {
    codes = codesFor(platform, to)
    return codes.length >= mails
  })
  return codes[0] ?? ''
}
