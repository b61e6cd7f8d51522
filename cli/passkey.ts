import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { confirmUser, newcomersOf, type Newcomer } from '@quorate/client/confirm-user'
import { memberOf, openSession, type Session } from '@quorate/client/session'
import { fromHex } from '@quorate/core/bytes'
import { idOf } from '@quorate/core/id'
import { fingerprintWords } from '@quorate/core/words'
import type { BootstrapFile } from './bootstrap.ts'
import { logIn } from './log-in.ts'

/** As long as a code may live; a person takes less to follow a link. */
const codeMs = 60_000
/** A page that was opened in time may take longer for the touch itself. */
const patienceMs = 10 * 60_000
const pollMs = 500

/**
 * `quorate passkey [data folder]`: the administrator's key, which the first start has made, brings
 * him a passkey. A link that works once leads to a plain page; what is registered there counts for
 * nothing until its six words, on the page and here, have been found to be the same.
 */
export async function passkeyCommand(
  [dataDir = '.quorate']: readonly string[],
  { print, ask }: { print: (line: string) => void; ask: (question: string) => Promise<string> },
): Promise<number> {
  const file = readFileSync(join(dataDir, 'bootstrap.json'), 'utf8')
  const { baseUrl, genesis, administrator }: BootstrapFile = JSON.parse(file)
  const organization = idOf(fromHex(genesis), 'organization')
  const authToken = await logIn({ baseUrl, genesis, ...administrator })
  const { credId, privateKey, userId } = administrator
  const session = openSession({ baseUrl, authToken, credId, privateKey, organization })
  const known = await newcomersOf(session, userId)
  if (known.length > 0) {
    // All that is open is covered together, and nobody has compared these.
    print(
      `Others wait to be confirmed: ${known.map(({ name }) => name).join(', ')}. Delete them first.`,
    )
    return 1
  }
  const expiration = new Date(Date.now() + codeMs).toISOString()
  const made = await session.call('POST', '/auth/credentials/code', { expiration })
  const { port } = new URL(baseUrl)
  print(`Open this within a minute, in the browser that is to have the passkey:`)
  print(`  http://localhost:${port}/pages/device#code=${memberOf(made, 'code')}`)
  const added = await arrival(session, userId)
  if (added === undefined) {
    print('No passkey has come. Ask for another link.')
    return 1
  }
  print(
    `A passkey has come. Its fingerprint: ${fingerprintWords(fromHex(added.fingerprint)).join(' ')}`,
  )
  if ((await ask('Does the page show these six words? Type yes: ')).trim() !== 'yes') {
    print('Nothing was confirmed: the passkey can sign nothing.')
    return 1
  }
  const user = idOf(fromHex(genesis), 'user')
  await confirmUser(session, { userId, user }, [added.fingerprint])
  print('Confirmed. Log in with it at the same address, under /pages/login.')
  return 0
}

async function arrival(session: Session, userId: string): Promise<Newcomer | undefined> {
  for (const deadline = Date.now() + patienceMs; Date.now() < deadline; await sleep(pollMs)) {
    const [added] = await newcomersOf(session, userId)
    if (added !== undefined) return added
  }
  return undefined
}
