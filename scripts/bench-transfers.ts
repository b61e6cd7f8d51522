import { mkdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import pg from 'pg'
import { heading, line, machine, rateLine, timed } from './bench/measure.ts'
import { startBenchPlatform, type BenchPlatform } from './bench/platform.ts'
import { watchProcessors } from './bench/processor.ts'
import { hottest } from './bench/profile.ts'
import { watchRequests } from './bench/requests.ts'

/** Four minutes on two busy cores, one of which the births of the wallets' keys take. */
const usual = { transfers: 300, wallets: 100, each: 3, callers: 32 }
type Sizes = { readonly [Name in keyof typeof usual]: number }
const usage = `Usage: npm run bench:transfers -- [${Object.entries(usual)
  .map(([name, count]) => `--${name} ${count}`)
  .join('] [')}] [--profile folder]; 0 wallets or transfers leave a part out.`

const network = 'EthereumSepolia'
/** More than any of these pays. */
const funds = 10n ** 18n
const to = `0x${'77'.repeat(20)}`
/** The first ones compile the code of every process. */
const warmups = 20
/** So that a rate has a spread. */
const rounds = 5
/** Of all that were asked for: two blocks confirm one, and a wallet has sixteen in the pool at most. */
const settledMsMax = 300_000

/**
 * `npm run bench:transfers`: payments through the official client, on a whole platform and a chain
 * with a block a second. How long one is under way is what the server wrote down of it.
 */
export async function main(stopSignal: AbortSignal): Promise<number> {
  const asked = readAsked(process.argv.slice(2))
  if (asked === undefined) {
    console.error(usage)
    return 2
  }
  const { sizes, profileDir } = asked
  const { transfers, wallets, each, callers } = sizes
  console.log(`${machine()}\nServer, four signers, PostgreSQL, Ethereum and this client share it.`)
  if (profileDir !== undefined) mkdirSync(profileDir, { recursive: true })
  const platform = await startBenchPlatform(stopSignal, profileDir)
  const database = new pg.Client({ connectionString: platform.databaseUrl })
  try {
    await database.connect()
    const [first = ''] = await makeWallets(platform, 1)
    await pay(platform, { wallets: [first], count: warmups, callers })
    await settled(database)
    const run = (name: string, from: readonly string[], count: number) =>
      measure(platform, database, { name, wallets: from, count, callers })
    if (transfers > 0) await run('one wallet', [first], transfers)
    if (wallets > 0)
      await run(`${wallets} wallets`, await makeWallets(platform, wallets), wallets * each)
    console.log(`\nAt the end: ${machine()}`)
  } finally {
    await database.end()
    await platform.stop()
  }
  if (profileDir !== undefined) tellProfiles(profileDir)
  return 0
}

async function makeWallets({ sdk, file }: BenchPlatform, count: number): Promise<string[]> {
  const ids: string[] = []
  for (let i = 0; i < count; i++) {
    const { id, address = '' } = await sdk.wallets.createWallet({ body: { network } })
    await fetch(file.devnet.EthereumSepolia.rpcUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        ...{ jsonrpc: '2.0', id: 1, method: 'anvil_setBalance' },
        params: [address, `0x${funds.toString(16)}`],
      }),
    })
    ids.push(id)
  }
  return ids
}

type Payments = {
  readonly wallets: readonly string[]
  readonly count: number
  readonly callers: number
}

/** As many at once as there are callers, of one wallet after the other. */
async function pay({ sdk }: BenchPlatform, { wallets, count, callers }: Payments): Promise<void> {
  let next = 0
  const body = { kind: 'Native', to, amount: '1' } as const
  const caller = async () => {
    while (next < count) {
      const walletId = wallets[(next += 1) % wallets.length] ?? ''
      await sdk.wallets.transferAsset({ walletId, body })
    }
  }
  await Promise.all(Array.from({ length: callers }, caller))
}

async function measure(
  platform: BenchPlatform,
  database: pg.Client,
  payments: Payments & { readonly name: string },
): Promise<void> {
  const { name, callers } = payments
  const count = Math.max(callers, Math.ceil(payments.count / rounds))
  const from = Date.now()
  const rates: number[] = []
  const requests = watchRequests()
  const spent = watchProcessors(platform.processes)
  for (let i = 0; i < rounds; i++) {
    const { ms } = await timed(async () => {
      await pay(platform, { ...payments, count })
      await broadcasted(database)
    })
    rates.push((count * 1000) / ms)
  }
  const spending = spent(count * rounds)
  requests.stop()
  await settled(database)
  const rows = await timesSince(database, from)
  if (rows.length !== count * rounds) throw new Error(`${rows.length} were settled, and not all.`)
  console.log(heading(`${name}, ${callers} callers; milliseconds`))
  const answer = [...requests.times].find(([request]) => request.endsWith('/transfers'))
  console.log(line('request to answer', answer?.[1] ?? []))
  console.log(
    line(
      'request to broadcast',
      rows.map(([sent]) => sent),
    ),
  )
  console.log(
    line(
      'request to confirmed',
      rows.map(([, confirmed]) => confirmed),
    ),
  )
  console.log(rateLine('transfers broadcast', rates))
  console.log(spending)
}

const broadcasted = (database: pg.Client) =>
  untilNone(database, "state not in ('broadcasted', 'included', 'confirmed')")
const settled = (database: pg.Client) => untilNone(database, "state <> 'confirmed'")

async function untilNone(database: pg.Client, where: string): Promise<void> {
  const end = Date.now() + settledMsMax
  for (;;) {
    const { rows } = await database.query(`select state, reason from outgoing where ${where}`)
    if (rows.length === 0) return
    const failed = rows.find(({ reason }) => reason !== null)
    if (failed !== undefined) throw new Error(`A transfer failed: ${failed.reason}`)
    if (Date.now() > end) throw new Error(`${rows.length} transfers were not settled in time.`)
    await sleep(50)
  }
}

/** @returns of each, how long it took to be broadcast, and to be confirmed */
async function timesSince(
  database: pg.Client,
  from: number,
): Promise<readonly (readonly [sent: number, confirmed: number])[]> {
  const { rows } = await database.query(
    `select broadcasted_at - created_at as sent, confirmed_at - created_at as confirmed
     from outgoing where created_at >= $1`,
    [from],
  )
  return rows.map(({ sent, confirmed }) => [Number(sent), Number(confirmed)] as const)
}

function tellProfiles(folder: string): void {
  for (const name of ['server', 'signer-1']) {
    console.log(`\nWhere the processor time of ${name} went`)
    for (const row of hottest(readFileSync(join(folder, `${name}.cpuprofile`), 'utf8')))
      console.log(row)
  }
}

type Asked = { readonly sizes: Sizes; readonly profileDir: string | undefined }

function readAsked(args: readonly string[]): Asked | undefined {
  const option = (count: number) => ({ type: 'string', default: String(count) }) as const
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        transfers: option(usual.transfers),
        wallets: option(usual.wallets),
        each: option(usual.each),
        callers: option(usual.callers),
        profile: { type: 'string' },
      },
    })
    const { profile, ...given } = values
    const { transfers, wallets, each, callers } = given
    const sizes: Sizes = {
      ...{ transfers: Number(transfers), wallets: Number(wallets) },
      ...{ each: Number(each), callers: Number(callers) },
    }
    const isRight =
      Object.values(sizes).every((size) => Number.isSafeInteger(size) && size >= 0) &&
      sizes.each > 0 &&
      sizes.callers > 0
    const profileDir = profile === undefined ? undefined : resolve(profile)
    return isRight ? { sizes, profileDir } : undefined
  } catch {
    return undefined
  }
}
