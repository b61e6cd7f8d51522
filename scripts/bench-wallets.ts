import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { heading, line, machine, timed } from './bench/measure.ts'
import { startBenchPlatform, type BenchPlatform } from './bench/platform.ts'
import { watchProcessors } from './bench/processor.ts'

/** Some four minutes on two cores, most of which the births take. */
const usual = { wallets: 1_000 }
const usage = 'Usage: npm run bench:wallets -- [--wallets 1000]'
/** Up to 64 of them share a step of the root stream. */
const atOnce = 64
/** Of each run, so that its rate has a spread. */
const parts = 5
/** What a server may keep ready of one kind. */
const poolMax = 5_000
const network = 'EthereumSepolia'

/**
 * `npm run bench:wallets`: wallets through the official client, on keys that were born ahead of need,
 * with all signers and with one that is silent. What the births take is told beside; where more
 * wallets are asked for than the pool holds, it is filled while they are made.
 */
export async function main(stopSignal: AbortSignal): Promise<number> {
  const wallets = readSize(process.argv.slice(2))
  if (wallets === undefined) {
    console.error(usage)
    return 2
  }
  console.log(`${machine()}\nServer, four signers, PostgreSQL and this client share the machine.`)
  const keyPool = Math.min(poolMax, 2 * wallets)
  const platform = await startBenchPlatform(stopSignal, undefined, keyPool)
  try {
    await platform.sdk.wallets.createWallet({ body: { network } })
    await fill(platform, keyPool)
    await run(platform, 'all signers', wallets)
    await fill(platform, Math.min(keyPool, wallets))
    const silent = platform.signerPids[0]
    if (silent === undefined) throw new Error('There is no signer.')
    process.kill(silent, 'SIGSTOP')
    try {
      await run(platform, 'one signer silent', Math.min(keyPool, wallets))
    } finally {
      process.kill(silent, 'SIGCONT')
    }
    console.log(`\nAt the end: ${machine()}`)
  } finally {
    await platform.stop()
  }
  return 0
}

async function run(platform: BenchPlatform, name: string, wallets: number): Promise<void> {
  const { sdk } = platform
  const create = () => sdk.wallets.createWallet({ body: { network } })
  const each = Math.max(1, Math.ceil(wallets / parts / atOnce))
  const [rates, times]: [number[], number[]] = [[], []]
  const spent = watchProcessors(platform.processes)
  for (let part = 0; part < parts; part++) {
    const { ms } = await timed(() =>
      Promise.all(
        Array.from({ length: atOnce }, async () => {
          for (let i = 0; i < each; i++) times.push((await timed(create)).ms)
        }),
      ),
    )
    rates.push((each * atOnce * 1000) / ms)
  }
  console.log(heading(`${name}, ${atOnce} callers`))
  console.log(line('milliseconds of a wallet', times))
  console.log(line('wallets a second', rates))
  console.log(spent(times.length))
}

/** Until so many keys wait. */
async function fill({ databaseUrl }: BenchPlatform, size: number): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    const waiting = async (): Promise<number> =>
      Number((await client.query('select count(*) from pooled_keys')).rows[0].count)
    const before = await waiting()
    const { ms } = await timed(async () => {
      while ((await waiting()) < size) await sleep(250)
    })
    const born = (await waiting()) - before
    if (born > 0)
      console.log(`  ${born} keys were born: ${((born * 1000) / ms).toFixed(1)} a second`)
  } finally {
    await client.end()
  }
}

function readSize(args: readonly string[]): number | undefined {
  if (args.length === 0) return usual.wallets
  const [name, value = ''] = args
  const count = Number(value)
  const isSize =
    name === '--wallets' && args.length === 2 && Number.isSafeInteger(count) && count > 0
  return isSize ? count : undefined
}
