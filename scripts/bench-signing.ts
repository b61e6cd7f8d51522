import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { simpleFetch } from '@dfns/sdk/utils/fetch.js'
import { actionFor } from './bench/challenge.ts'
import { machine, rateOf, spreadOf, timed, timesOf } from './bench/measure.ts'
import { startBenchPlatform, type BenchPlatform } from './bench/platform.ts'
import { hottest } from './bench/profile.ts'
import { watchProcessors } from './bench/processor.ts'

/** Three to four minutes on two busy cores. */
const usual = { signatures: 512, burst: 1_000 }
type Sizes = {
  signatures: number
  burst: number
  profile: string | undefined
  /** One of the two alone. */
  scheme: string | undefined
  /** So many at once, instead of one after the other. */
  callers: readonly number[]
}
const usage =
  'Usage: npm run bench:signing -- [--signatures 512] [--burst 1000] [--scheme ECDSA|EdDSA] [--callers 64] [--profile <folder>]'

const crowds = [1, 8, 64]
/** The first ones compile the code of every process. */
const warmups = 30
const curves = [
  { name: 'ECDSA secp256k1', scheme: 'ECDSA', curve: 'secp256k1' },
  { name: 'EdDSA ed25519', scheme: 'EdDSA', curve: 'ed25519' },
] as const

/**
 * `npm run bench:signing`: `POST /keys/{id}/signatures` on a whole platform with everything on disk
 * and every check made, by itself and with its challenge, through the official client.
 */
export async function main(stopSignal: AbortSignal): Promise<number> {
  const sizes = readSizes(process.argv.slice(2))
  if (sizes === undefined) {
    console.error(usage)
    return 2
  }
  const say = (text: string) => console.log(text)
  say(`${machine()}\nServer, four signers, PostgreSQL, Ethereum and this client share the machine.`)
  const { profile } = sizes
  if (profile !== undefined) mkdirSync(profile, { recursive: true })
  const platform = await startBenchPlatform(stopSignal, profile)
  try {
    for (const curve of curves)
      if ((sizes.scheme ?? curve.scheme) === curve.scheme)
        await benchCurve(platform, curve, sizes, say)
    say(`\nAt the end: ${machine()}`)
  } finally {
    await platform.stop()
  }
  for (const name of profile === undefined ? [] : ['server', 'signer-1']) {
    say(`\nWhere the processor time of ${name} went`)
    const file = join(profile ?? '', `${name}.cpuprofile`)
    for (const text of hottest(readFileSync(file, 'utf8'))) say(text)
  }
  return 0
}

async function benchCurve(
  platform: BenchPlatform,
  { name, scheme, curve }: (typeof curves)[number],
  { signatures, burst, callers }: Sizes,
  say: (text: string) => void,
): Promise<void> {
  const keys = await keysOf(platform, { scheme, curve })
  const sign = (keyId: string) => () =>
    platform.sdk.keys.generateSignature({ keyId, body: newBody(scheme) })
  await timesOf(warmups, sign(keys[0] ?? ''))
  say(head(name))
  for (const crowd of callers) {
    const each = Math.ceil(signatures / crowd)
    const some = keys.slice(0, crowd)
    const spent = watchProcessors(platform.processes)
    const whole = await timesAtOnce(some.map((key) => ({ each, work: sign(key) })))
    say(line(`${crowd} at once, with init and action`, whole))
    say(spent(each * crowd))
    const ready = await Promise.all(some.map((key) => signedActions(platform, key, scheme, each)))
    const ask = (calls: Call[]) => () => (calls.pop() ?? missing)()
    const last = await timesAtOnce(ready.map((calls) => ({ each, work: ask(calls) })))
    say(line('the last call alone', last))
  }
  if (scheme !== 'ECDSA' || burst === 0) return
  const each = Math.ceil(burst / keys.length)
  const rate = await rateOf(each, keys.map(sign))
  const count = each * keys.length
  say(`  a burst of ${count}: ${(count / rate).toFixed(1)} s`)
}

type Call = () => Promise<unknown>
type Timed = { readonly times: readonly number[]; readonly rate: number }

/** All of them at once, each the same thing again and again. */
async function timesAtOnce(
  workers: readonly { readonly each: number; readonly work: Call }[],
): Promise<Timed> {
  const { ms, value } = await timed(() =>
    Promise.all(workers.map(({ each, work }) => timesOf(each, work))),
  )
  const times = value.flat()
  return { times, rate: (times.length * 1000) / ms }
}

async function keysOf(
  { sdk }: BenchPlatform,
  body: { readonly scheme: 'ECDSA' | 'EdDSA'; readonly curve: 'secp256k1' | 'ed25519' },
): Promise<readonly string[]> {
  const made: string[] = []
  for (let i = 0; i < Math.max(...crowds); i++) made.push((await sdk.keys.createKey({ body })).id)
  return made
}

/** Requests that are signed already, so that only the last of the three calls is left of each. */
async function signedActions(
  platform: BenchPlatform,
  keyId: string,
  scheme: 'ECDSA' | 'EdDSA',
  count: number,
): Promise<Call[]> {
  const { baseUrl, orgId, serviceAccount } = platform.file
  const apiOptions = { baseUrl, orgId, authToken: serviceAccount.authToken }
  const path = `/keys/${keyId}/signatures`
  const made: Call[] = []
  for (let i = 0; i < count; i++) {
    const body = newBody(scheme)
    const action = await actionFor(platform, path, JSON.stringify(body))
    const headers = { 'x-dfns-useraction': action }
    made.push(() => simpleFetch(path, { method: 'POST', body, headers, apiOptions }))
  }
  return made
}

let messages = 0

/** A key of no chain signs hashes with ECDSA and messages with Ed25519. */
function newBody(scheme: 'ECDSA' | 'EdDSA') {
  const message = Buffer.from(`message ${(messages += 1)} of a benchmark`)
  return scheme === 'EdDSA'
    ? ({ kind: 'Message', message: `0x${message.toString('hex')}` } as const)
    : ({
        kind: 'Hash',
        hash: `0x${createHash('sha256').update(message).digest('hex')}`,
      } as const)
}

function missing(): never {
  throw new Error('There is no key to sign with.')
}

const nameWidth = 46
const columns = ['p50', 'p95', 'p99', 'a second']

function head(name: string): string {
  return `\n${`${name}, milliseconds`.padEnd(nameWidth)}${columns.map((one) => one.padStart(9)).join('')}`
}

function line(name: string, { times, rate }: Timed): string {
  const { median, p95, p99 } = spreadOf(times)
  const values = [median, p95, p99, rate]
  return `  ${name}`.padEnd(nameWidth) + values.map((one) => one.toFixed(1).padStart(9)).join('')
}

function readSizes(args: readonly string[]): Sizes | undefined {
  const sizes: Sizes = { ...usual, profile: undefined, scheme: undefined, callers: crowds }
  for (let i = 0; i < args.length; i += 2) {
    const [name, value = ''] = [args[i], args[i + 1]]
    const count = Number(value)
    if (name === '--profile' && value !== '') sizes.profile = resolve(value)
    else if (name === '--scheme' && curves.some(({ scheme }) => scheme === value))
      sizes.scheme = value
    else if (!Number.isSafeInteger(count) || count < 0 || value === '') return undefined
    else if (name === '--callers' && crowds.includes(count)) sizes.callers = [count]
    else if (name === '--signatures' && count > 0) sizes.signatures = count
    else if (name === '--burst') sizes.burst = count
    else return undefined
  }
  return sizes
}
