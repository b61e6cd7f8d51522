import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { machine, rateOf, spreadOf, timesOf } from './bench/measure.ts'
import { startBenchPlatform, type BenchPlatform } from './bench/platform.ts'
import { hottest } from './bench/profile.ts'
import { watchProcessors } from './bench/processor.ts'
import { watchRequests } from './bench/requests.ts'

/** Three to four minutes on two busy cores. */
const usual = { signatures: 256, burst: 1_000 }
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
  'Usage: npm run bench:signing -- [--signatures 256] [--burst 1000] [--scheme ECDSA|EdDSA] [--callers 64] [--profile <folder>]'

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
  const sign = await signables(platform, { scheme, curve })
  await timesOf(warmups, sign[0] ?? missing)
  say(head(name))
  for (const crowd of callers) {
    const workers = sign.slice(0, crowd)
    const requests = watchRequests()
    const spent = watchProcessors(platform.processes)
    const each = Math.ceil(signatures / crowd)
    const begun = performance.now()
    const times = await Promise.all(workers.map((work) => timesOf(each, work)))
    const rate = (each * crowd * 1000) / (performance.now() - begun)
    requests.stop()
    say(line(`${crowd} at once, with init and action`, times.flat(), rate))
    const last = [...requests.times].find(([request]) => request.endsWith('/signatures'))
    say(line('the last call alone', last?.[1] ?? []))
    say(spent(each * crowd))
  }
  if (scheme !== 'ECDSA' || burst === 0) return
  const each = Math.ceil(burst / sign.length)
  const rate = await rateOf(each, sign)
  const count = each * sign.length
  say(`  a burst of ${count}: ${(count / rate).toFixed(1)} s`)
}

async function signables(
  { sdk }: BenchPlatform,
  body: { readonly scheme: 'ECDSA' | 'EdDSA'; readonly curve: 'secp256k1' | 'ed25519' },
): Promise<readonly (() => Promise<unknown>)[]> {
  const made: (() => Promise<unknown>)[] = []
  for (let i = 0; i < Math.max(...crowds); i++) {
    const { id: keyId } = await sdk.keys.createKey({ body })
    made.push(() => sdk.keys.generateSignature({ keyId, body: newBody(body.scheme) }))
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

function line(name: string, times: readonly number[], rate?: number): string {
  const { median, p95, p99 } = spreadOf(times)
  const values = [median, p95, p99, ...(rate === undefined ? [] : [rate])]
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
