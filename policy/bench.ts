import { cpus, loadavg } from 'node:os'
import { activityFrom, momentFrom, namedPolicyFrom, numbersFrom } from './testing/generate.ts'
import { evaluate } from './evaluate.ts'
import { decodePolicy, encodePolicy } from './format.ts'

const sizes = [1, 100, 1_000]
const secondsUsual = 2
/** Others are drawn for the same size, so that no branch is always taken. */
const cases = 64

/** @returns an exit code; the first argument says how many seconds each size is measured */
export async function main(): Promise<number> {
  const seconds = Number(process.argv[2] ?? secondsUsual)
  const say = (text: string) => process.stdout.write(`${text}\n`)
  say(`${cpus().length} × ${cpus()[0]?.model}, load ${loadavg()[0]?.toFixed(1)}`)
  say('policies   evaluations/s   policies/s   decodings/s of all of them')
  for (const size of sizes) {
    const next = numbersFrom(size)
    const drawn = Array.from({ length: cases }, () => ({
      policies: Array.from({ length: size }, () => namedPolicyFrom(next)),
      activity: activityFrom(next),
      moment: momentFrom(next),
    }))
    const encoded = drawn[0]?.policies.map(({ policy }) => encodePolicy(policy)) ?? []
    const rate = perSecond(seconds, (i) => {
      const one = drawn[i % cases]
      if (one !== undefined) evaluate(one.policies, one.activity, one.moment)
    })
    const decoded = perSecond(seconds, () => encoded.forEach(decodePolicy))
    const columns = [size, rate, rate * size, decoded].map((each) => Math.round(each).toString())
    say(columns.map((text, i) => text.padStart([8, 16, 13, 14][i] ?? 0)).join(''))
  }
  return 0
}

function perSecond(seconds: number, work: (i: number) => void): number {
  const warmups = 100
  for (let i = 0; i < warmups; i++) work(i)
  const begun = performance.now()
  let done = 0
  while (performance.now() - begun < seconds * 1_000) work(done++)
  return (done * 1_000) / (performance.now() - begun)
}
