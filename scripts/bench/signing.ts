import type { Signables } from './keys.ts'
import { heading, line, rateLine, rateOf, timesOf } from './measure.ts'
import type { BenchPlatform } from './platform.ts'
import { watchProcessors } from './processor.ts'
import { watchRequests } from './requests.ts'

/** The first ones compile the code of every process. */
const warmups = 15
const rounds = 5

export type Sizes = { readonly signatures: number; readonly inFlight: number }

/** Signatures through the official client, from its call to its answer. */
export async function benchSigning(
  platform: BenchPlatform,
  { keys, wallets }: Signables,
  { signatures, inFlight }: Sizes,
  say: (text: string) => void,
): Promise<void> {
  const kinds = [
    { name: 'EdDSA message', signers: keys },
    { name: 'ECDSA message of a wallet', signers: wallets },
  ]
  say(heading('Signatures, one after the other, milliseconds'))
  for (const { name, signers } of kinds)
    if (signers[0]) await oneByOne(platform, { name, sign: signers[0], signatures }, say)
  say(`\nSignatures, ${inFlight} in flight, each on a key of its own`)
  for (const { name, signers } of kinds)
    await atOnce(platform, { name, signers: signers.slice(0, inFlight), signatures }, say)
}

async function oneByOne(
  { processes }: BenchPlatform,
  ask: {
    readonly name: string
    readonly sign: () => Promise<unknown>
    readonly signatures: number
  },
  say: (text: string) => void,
): Promise<void> {
  await timesOf(warmups, ask.sign)
  const spent = watchProcessors(processes)
  const requests = watchRequests()
  const times = await timesOf(ask.signatures, ask.sign)
  requests.stop()
  say(line(ask.name, times))
  for (const [name, values] of requests.times) say(line(`  ${name}`, values))
  say(spent(ask.signatures))
}

async function atOnce(
  { processes }: BenchPlatform,
  ask: {
    readonly name: string
    readonly signers: readonly (() => Promise<unknown>)[]
    readonly signatures: number
  },
  say: (text: string) => void,
): Promise<void> {
  const { name, signers, signatures } = ask
  const each = Math.max(1, Math.ceil((signatures * 2) / rounds / signers.length))
  const spent = watchProcessors(processes)
  const rates: number[] = []
  for (let i = 0; i < rounds; i++) rates.push(await rateOf(each, signers))
  say(rateLine(name, rates))
  say(spent(rounds * each * signers.length))
}
