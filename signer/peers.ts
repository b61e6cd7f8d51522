import { existsSync } from 'node:fs'
import { fromHex, toHex } from '@quorate/core/bytes'
import { openMarkedStore } from './store/mark.ts'
import type { Store } from './store/store.ts'

const usage = `usage: quorate peers <store file> [command], with the signer stopped
  (nothing)                      what this signer has against others
  release <organization> <peer>  a burned pair may be set up anew: 64 hex digits, and a number
  ban <peer>                     no session with this signer any more
  unban <peer>`

/**
 * `quorate peers`: an operator's word on what this signer has found out about others.
 * @returns the exit code: 1 if there was nothing to be changed
 */
export function peersCommand(args: readonly string[], print: (line: string) => void): number {
  const [file, name, ...rest] = args
  const work = name === undefined ? list : commandOf(name, rest)
  if (file === undefined || work === undefined) {
    print(usage)
    return 2
  }
  if (!existsSync(file)) throw new Error(`There is no ${file}.`)
  const store = openMarkedStore(file)
  try {
    const lines = store.commit(() => work(store))
    for (const line of lines) print(line)
    return lines.length > 0 || work === list ? 0 : 1
  } finally {
    store.close()
  }
}

type Work = (store: Store) => readonly string[]

function commandOf(name: string, args: readonly string[]): Work | undefined {
  const isPair = name === 'release' && args.length === 2 && /^[0-9a-f]{64}$/.test(args[0] ?? '')
  const number = args.at(-1) ?? ''
  if (!/^[1-9][0-9]?$/.test(number)) return undefined
  const peer = Number(number)
  if (isPair) return (store) => release(store, args[0] ?? '', peer)
  if (args.length !== 1) return undefined
  if (name === 'ban') return (store) => (store.peers.ban(peer), [`signer ${peer} is banned`])
  if (name !== 'unban') return undefined
  return (store) => (store.peers.unban(peer) ? [`signer ${peer} is banned no more`] : [])
}

function release(store: Store, organization: string, peer: number): readonly string[] {
  const isReleased = store.pairs.release({ organization: fromHex(organization), peer })
  return isReleased ? [`the pair with signer ${peer} of ${organization} may be set up anew`] : []
}

function list(store: Store): readonly string[] {
  return [
    ...store.pairs
      .burned()
      .map(({ organization, peer }) => `burned: ${toHex(organization)} with signer ${peer}`),
    ...store.peers.banned().map((peer) => `banned: signer ${peer}`),
    ...store.peers
      .strikes()
      .map(
        ({ peer, reason, count, last }) =>
          `strikes: signer ${peer}, ${reason}: ${count}, the last ${new Date(last).toISOString()}`,
      ),
  ]
}

if (import.meta.main) {
  try {
    const print = (line: string) => process.stdout.write(`${line}\n`)
    process.exitCode = peersCommand(process.argv.slice(2), print)
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : 'Cannot read the store.'}\n`)
    process.exitCode = 1
  }
}
