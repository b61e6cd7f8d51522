import { mkdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import pg from 'pg'
import { heading, line, machine, timed } from './bench/measure.ts'
import { hottest } from './bench/profile.ts'
import { startBenchPlatform, type BenchPlatform } from './bench/platform.ts'
import { watchProcessors } from './bench/processor.ts'

/** Some four minutes on two cores, most of which the births take. */
const usual = 1_000
const usage = 'Usage: npm run bench:wallets -- [--wallets 1000] [--down] [--profile folder]'
/** Up to 64 of them share a step of the root stream. */
const atOnce = 64
/** Of each run, so that its rate has a spread. */
const parts = 5
/** What a server may keep ready of one kind. */
const poolMax = 5_000
const network = 'EthereumSepolia'

/**
 * `npm run bench:wallets`: wallets through the official client, on keys that were born ahead of need,
 * with all signers and with one that is silent, or with `--down` this alone. What the births take is
 * told beside. More than half the pool are made in portions, and between two of them it is filled: a
 * server begins that when half of it is gone.
 */
export async function main(stopSignal: AbortSignal): Promise<number> {
  const asked = readAsked(process.argv.slice(2))
  if (asked === undefined) {
    console.error(usage)
    return 2
  }
  console.log(`${machine()}\nServer, four signers, PostgreSQL and this client share the machine.`)
  const total = parts * atOnce * Math.max(1, Math.round(asked.wallets / parts / atOnce))
  const [half, portions] = halvesOf(total)
  if (asked.profileDir !== undefined) mkdirSync(asked.profileDir, { recursive: true })
  const platform = await startBenchPlatform(stopSignal, asked.profileDir, 2 * half + spare)
  try {
    const kinds = asked.isDown ? [oneSilent] : [allThere, oneSilent]
    for (const { name, around } of kinds)
      for (let i = 0; i < portions; i++) {
        // It leaves so few that a server fills its pool.
        await create(platform)
        await fill(platform, 2 * half)
        await around(platform, () =>
          run(platform, { name: `${name}${part(i, portions)}`, wallets: half }),
        )
      }
    console.log(`\nAt the end: ${machine()}`)
  } finally {
    await platform.stop()
  }
  if (asked.profileDir !== undefined) tellProfiles(asked.profileDir)
  return 0
}

/** With them a run of half a pool leaves more than half, so that no births are under way in it. */
const spare = 2

/** As many wallets as half a pool serves, and how often. */
function halvesOf(total: number): readonly [half: number, portions: number] {
  const most = Math.floor((poolMax - spare) / 2 / parts / atOnce) * parts * atOnce
  const portions = Math.ceil(total / most)
  return [Math.ceil(total / portions / parts / atOnce) * parts * atOnce, portions]
}

const part = (index: number, of: number) => (of === 1 ? '' : ` (${index + 1} of ${of})`)

type Around = (platform: BenchPlatform, work: () => Promise<void>) => Promise<void>
type Kind = { readonly name: string; readonly around: Around }

const allThere: Kind = { name: 'all signers', around: (_, work) => work() }
const oneSilent: Kind = {
  name: 'one signer silent',
  around: async ({ signerPids: [silent] }, work) => {
    if (silent === undefined) throw new Error('There is no signer.')
    process.kill(silent, 'SIGSTOP')
    try {
      await work()
    } finally {
      process.kill(silent, 'SIGCONT')
    }
  },
}

const create = ({ sdk }: BenchPlatform) => sdk.wallets.createWallet({ body: { network } })

async function run(
  platform: BenchPlatform,
  { name, wallets }: { readonly name: string; readonly wallets: number },
): Promise<void> {
  const each = wallets / parts / atOnce
  const [rates, times]: [number[], number[]] = [[], []]
  const spent = watchProcessors(platform.processes)
  for (let part = 0; part < parts; part++) {
    const { ms } = await timed(() =>
      Promise.all(
        Array.from({ length: atOnce }, async () => {
          for (let i = 0; i < each; i++) times.push((await timed(() => create(platform))).ms)
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

function tellProfiles(folder: string): void {
  for (const name of ['server', 'signer-1']) {
    console.log(`\nWhere the processor time of ${name} went`)
    for (const row of hottest(readFileSync(join(folder, `${name}.cpuprofile`), 'utf8')))
      console.log(row)
  }
}

type Asked = {
  readonly wallets: number
  readonly isDown: boolean
  readonly profileDir: string | undefined
}

function readAsked(args: readonly string[]): Asked | undefined {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        wallets: { type: 'string', default: String(usual) },
        down: { type: 'boolean', default: false },
        profile: { type: 'string' },
      },
    })
    const wallets = Number(values.wallets)
    const isSize = Number.isSafeInteger(wallets) && wallets > 0
    const profileDir = values.profile === undefined ? undefined : resolve(values.profile)
    return isSize ? { wallets, isDown: values.down, profileDir } : undefined
  } catch {
    return undefined
  }
}
