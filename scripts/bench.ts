import { benchChallenge } from './bench/challenge.ts'
import { benchKeys } from './bench/keys.ts'
import { benchLists } from './bench/lists.ts'
import { machine } from './bench/measure.ts'
import { startBenchPlatform } from './bench/platform.ts'
import { benchSigning } from './bench/signing.ts'

/** Two minutes on two busy cores. A million rows take two to three minutes more to fill. */
const usual = { signatures: 60, challenges: 100, inFlight: 8, rows: 200_000 }
type Sizes = typeof usual
const usage = `Usage: npm run bench -- [${Object.entries(usual)
  .map(([name, count]) => `--${name} ${count}`)
  .join('] [')}]; 0 leaves a part out.`

/** `npm run bench`: how long things take. It fails only when something does not work at all. */
export async function main(stopSignal: AbortSignal): Promise<number> {
  const sizes = readSizes(process.argv.slice(2))
  if (sizes === undefined) {
    console.error(usage)
    return 2
  }
  const say = (text: string) => console.log(text)
  say(`${machine()}\nServer, four signers, PostgreSQL, Ethereum and this client share the machine.`)
  const platform = await startBenchPlatform(stopSignal)
  try {
    const { signatures, challenges, inFlight, rows } = sizes
    if (signatures > 0) {
      const signables = await benchKeys(platform, inFlight, say)
      await benchSigning(platform, signables, { signatures, inFlight }, say)
    }
    if (challenges > 0) await benchChallenge(platform, { challenges, inFlight }, say)
    if (rows > 0) await benchLists(platform, rows, say)
    say(`\nAt the end: ${machine()}`)
    return 0
  } finally {
    await platform.stop()
  }
}

function readSizes(args: string[]): Sizes | undefined {
  const sizes: Sizes = { ...usual }
  for (let i = 0; i < args.length; i += 2) {
    const [, name] = /^--(\w+)$/.exec(args[i] ?? '') ?? []
    const count = Number(args[i + 1])
    if (!isSize(name) || !Number.isSafeInteger(count) || count < 0) return undefined
    sizes[name] = count
  }
  return sizes.inFlight > 0 ? sizes : undefined
}

function isSize(name: string | undefined): name is keyof Sizes {
  return name !== undefined && Object.hasOwn(usual, name)
}
