import { heading, line, timed } from './measure.ts'
import type { BenchPlatform } from './platform.ts'

const warmups = 40
const logins = 200

/**
 * Does the beginning of a login say by its time who is there? Asked in turns, so that whatever
 * else the machine does falls on all alike; of such times the least says most.
 */
export async function benchLogins(
  { file }: BenchPlatform,
  say: (text: string) => void,
): Promise<void> {
  const { baseUrl, orgId, administrator } = file
  const begin = async (username: string) => {
    const response = await fetch(`${baseUrl}/auth/login/init`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ orgId, username }),
    })
    await response.text()
    if (response.status !== 200) throw new Error(`A login began with ${response.status}.`)
  }
  let count = 0
  const names: Readonly<Record<string, () => string>> = {
    'of a user': () => administrator.username,
    'of nobody, under one name': () => 'nobody@example.test',
    'of nobody, under ever new names': () => `nobody-${(count += 1)}@example.test`,
  }
  const times = new Map<string, number[]>(Object.keys(names).map((name) => [name, []]))
  for (let i = -warmups; i < logins; i++)
    for (const [name, next] of Object.entries(names)) {
      const { ms } = await timed(() => begin(next()))
      if (i >= 0) times.get(name)?.push(ms)
    }
  say(heading('The beginning of a login, milliseconds'))
  for (const [name, each] of times) say(line(name, each))
}
