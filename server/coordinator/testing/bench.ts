import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { found, hashAsk, hire, keyAsk, makeKey, messageAsk } from './company.ts'
import { startPlatform } from './platform.ts'

/**
 * How long a signature takes from the request to the stored result, with a PostgreSQL, four signer
 * processes and a server on one machine: `node server/coordinator/testing/bench.ts [signatures]`.
 */
const count = Number(process.argv[2] ?? 200)
/** In /proc/[pid]/stat, on every Linux of note. */
const ticksPerSecond = 100

const platform = await startPlatform()
const { coordinator, manifest } = platform
const company = await found(coordinator, manifest.hash)
const { organization } = company
const bot = await hire(coordinator, company)

for (const scheme of ['EdDSA', 'ECDSA'] as const) {
  const key = await makeKey(coordinator, company, keyAsk(company, bot, scheme))
  const sign = async () => {
    const [message, hash] = [new Uint8Array(randomBytes(100)), new Uint8Array(randomBytes(32))]
    const evidence =
      scheme === 'EdDSA'
        ? messageAsk(company, bot, key.id, message)
        : hashAsk(company, bot, key.id, hash)
    const from = performance.now()
    await coordinator.sign({ organization, key: key.id, evidence })
    return performance.now() - from
  }
  for (let i = 0; i < 20; i++) await sign()
  const [server, signers] = [process.cpuUsage(), signerTicks()]
  const times: number[] = []
  for (let i = 0; i < count; i++) times.push(await sign())
  const spent = process.cpuUsage(server)
  const spentBySigners = ((signerTicks() - signers) / ticksPerSecond / 4 / count) * 1000
  const at = (part: number) => times.sort((a, b) => a - b)[Math.floor(part * count)]?.toFixed(1)
  process.stdout.write(
    `${scheme}: least ${at(0)} ms, median ${at(0.5)} ms, nine in ten below ${at(0.9)} ms; ` +
      `processor: server ${((spent.user + spent.system) / 1000 / count).toFixed(1)} ms, ` +
      `each signer ${spentBySigners.toFixed(1)} ms\n`,
  )
}
await platform.stop()

function signerTicks(): number {
  return manifest.signers
    .map((_, i) => platform.signer(i + 1).pid)
    .map((pid) => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [])
    .reduce((sum, fields) => sum + Number(fields[11]) + Number(fields[12]), 0)
}
