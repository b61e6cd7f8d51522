import { spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { benchLogins } from './bench/login.ts'
import { heading, line, machine, rateLine, rateOf, timesOf } from './bench/measure.ts'
import { startBenchPlatform, type BenchPlatform } from './bench/platform.ts'
import { watchProcessors } from './bench/processor.ts'
import { watchRequests } from './bench/requests.ts'

const checkout = dirname(dirname(fileURLToPath(import.meta.url)))
const warmups = 20
const rounds = 3
/** How many ask at once, as the figure is wanted for one and for a crowd. */
const crowd = 32
const calls = 120
const callsInCrowd = 10

/**
 * `npm run bench:auth`: what a signed request costs: its challenge, its signature, the call itself
 * as an entry that comes into force; and what the rules cost in one signer and in a replay. Two
 * minutes on two idle cores, four on busy ones.
 */
export async function main(stopSignal: AbortSignal): Promise<number> {
  const say = (text: string) => console.log(text)
  say(machine())
  say('\nThe rules alone, in one judge')
  const rules = join(checkout, 'client', 'bench.ts')
  if (spawnSync(process.execPath, [rules], { stdio: 'inherit' }).status !== 0) return 1
  say('\nServer, four signers, PostgreSQL and this client share the machine.')
  const platform = await startBenchPlatform(stopSignal)
  try {
    await benchCalls(platform, say)
    await benchLogins(platform, say)
    say(`\nAt the end: ${machine()}`)
    return 0
  } finally {
    await platform.stop()
  }
}

async function benchCalls(
  { sdk, processes }: BenchPlatform,
  say: (text: string) => void,
): Promise<void> {
  let count = 0
  const call = () =>
    sdk.permissions.createPermission({
      body: { name: `permission ${(count += 1)}`, operations: ['Wallets:Read'] },
    })
  await timesOf(warmups, call)
  const requests = watchRequests()
  const spent = watchProcessors(processes)
  const times = await timesOf(calls, call)
  requests.stop()
  say(heading('One caller: init, sign, signed call; milliseconds'))
  say(line('all three requests', times))
  for (const [name, values] of requests.times) say(line(`  ${name}`, values))
  say(spent(calls))
  const rates: number[] = []
  for (let i = 0; i < rounds; i++) rates.push(await rateOf(calls / rounds / 4, [call]))
  say(rateLine('calls, one caller', rates))
  const crowdTimes: number[] = []
  const crowdRates: number[] = []
  for (let i = 0; i < rounds; i++) {
    const from = performance.now()
    const each = await Promise.all(Array.from({ length: crowd }, () => timesOf(callsInCrowd, call)))
    crowdRates.push((crowd * callsInCrowd * 1000) / (performance.now() - from))
    crowdTimes.push(...each.flat())
  }
  say(heading(`${crowd} callers at once, milliseconds`))
  say(line('all three requests', crowdTimes))
  say(rateLine(`calls, ${crowd} callers`, crowdRates))
}
