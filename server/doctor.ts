import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Network } from '@quorate/chains/adapter'
import { examine } from '@quorate/chains/evm/examine'
import { askBatch, httpNode } from '@quorate/chains/nodes'
import { networkNamed } from './chain/chains.ts'
import { isNetwork, readNodes, urlsOf } from './chain/nodes-file.ts'

const usage = `usage: quorate doctor <file> [network ...]
  the file as SERVER_NODES_FILE has it; each node of it, or of these networks, is asked what it can do`

/**
 * `quorate doctor`: is a node good enough to be trusted with where money is? Nothing is sent and
 * nothing is changed. Nodes are told apart by their place in the file: addresses may carry keys.
 *
 * @returns the exit code: 1 when money should not rest on one of them
 */
async function doctorCommand(
  [file, ...wanted]: readonly string[],
  print: (line: string) => void,
): Promise<number> {
  if (file === undefined) {
    print(usage)
    return 2
  }
  const nodes = readNodes(readFileSync(file, 'utf8'), isNetwork)
  const missing = wanted.filter((id) => !nodes.has(id))
  for (const id of missing) print(`${id} has no node in this file`)
  let worst = missing.length > 0 ? 1 : 0
  for (const [id, node] of nodes) {
    if (wanted.length > 0 && !wanted.includes(id)) continue
    const { confirmations, ...urls } = node
    const known = networkNamed(id)
    const network = { ...known, confirmationsFinal: confirmations ?? known.confirmationsFinal }
    for (const [at, url] of urlsOf(urls).entries())
      worst = Math.max(worst, await look({ network, url, place: at + 1 }, print))
  }
  return worst
}

async function look(
  node: { readonly network: Network; readonly url: string; readonly place: number },
  print: (line: string) => void,
): Promise<number> {
  const { network, url, place } = node
  const options = { url, network: network.id }
  print(`${network.id}, node ${place}`)
  const findings = await examine({
    ...{ network, rpc: httpNode(options), sleep, now: Date.now },
    batch: (size) => askBatch(options, size),
  })
  for (const { what, verdict, told } of findings) print(`  ${verdict.padEnd(4)} ${what}: ${told}`)
  return findings.some(({ verdict }) => verdict === 'bad') ? 1 : 0
}

try {
  const print = (line: string) => process.stdout.write(`${line}\n`)
  process.exitCode = await doctorCommand(process.argv.slice(2), print)
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : 'Cannot read the file.'}\n`)
  process.exitCode = 1
}
