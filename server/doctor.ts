import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { examine } from '@quorate/chains/evm/examine'
import { httpNode } from '@quorate/chains/nodes'
import { verifyEd25519 } from '@quorate/authority/ed25519'
import { readManifest } from '@quorate/authority/manifest'
import { type Chain, kindIn, openChains, type Own } from './chain/chains.ts'
import { isInTheClear, readNodes, urlsOf } from './chain/nodes-file.ts'

const usage = `usage: quorate doctor [--manifest <file>] <file> [network ...]
  the file as SERVER_NODES_FILE has it; each node of it, or of these networks, is asked what it can do.
  Networks of your own are in the cluster's manifest, which says what chain they are.`

/**
 * `quorate doctor`: is a node good enough to be trusted with where money is? Nothing is sent and
 * nothing is changed. Nodes are told apart by their place in the file: addresses may carry keys.
 *
 * @returns the exit code: 1 when money should not rest on one of them
 */
async function doctorCommand(
  args: readonly string[],
  print: (line: string) => void,
): Promise<number> {
  const [option, manifest = '', ...others] = args
  const isNamed = option === '--manifest'
  const [file, ...wanted] = isNamed ? others : args
  if (file === undefined || file.startsWith('--')) {
    print(usage)
    return 2
  }
  const own = isNamed ? ownIn(manifest) : []
  const nodes = readNodes(readFileSync(file, 'utf8'), kindIn(own))
  const { find } = openChains(nodes, undefined, own)
  const urlsAt = (id: string) => urlsOf(nodes.get(id) ?? {})
  const isMissing = (id: string) => urlsAt(id).length === 0
  const looked = wanted.length > 0 ? wanted : [...nodes.keys()]
  // Words alone are how a chain is taken away: no mistake, unless it was asked for by its name.
  let worst = wanted.some(isMissing) ? 1 : 0
  for (const id of new Set(looked)) {
    if (isMissing(id)) {
      print(`${id} has no node in this file`)
      continue
    }
    const { network, traits } = find(id)
    const title = own.some((one) => one.id === id) ? `${id} (${network.name})` : id
    const looks: Look[] = []
    for (const [at, url] of urlsAt(id).entries())
      looks.push(await look({ network, traits, url, title: `${title}, node ${at + 1}` }, print))
    worst = Math.max(worst, ...looks.map(({ code }) => code))
    printTracing(looks, nodes.get(id)?.agree ?? 1, (line) => print(`${title}\n${line}`))
  }
  return worst
}

/** What was found at one node. */
type Look = { readonly code: number; readonly traces: boolean }

/** Each by itself may be good: it is together that they have to tell what contracts pay on. */
function printTracing(looks: readonly Look[], agree: number, print: (line: string) => void): void {
  const tracing = looks.filter(({ traces }) => traces).length
  if (tracing === 0 || tracing >= agree) return
  const all = `${tracing} of ${looks.length} nodes, where ${agree} have to agree`
  print(`  poor traces: ${all}: payments within transactions are seen by balances alone`)
}

/** @throws Error for a manifest that no process would start with */
function ownIn(manifestFile: string): Own {
  return readManifest(new Uint8Array(readFileSync(manifestFile)), verifyEd25519).networks
}

async function look(
  node: Pick<Chain, 'network' | 'traits'> & { readonly url: string; readonly title: string },
  print: (line: string) => void,
): Promise<Look> {
  const { network, traits, url, title } = node
  const options = { url, network: network.id }
  print(title)
  if (isInTheClear(url))
    print('  poor address: http on another machine: who is on the way can change what it says')
  const findings = await examine({
    ...{ network, isLegacy: traits.isLegacy, rpc: httpNode(options), sleep, now: Date.now },
  })
  for (const { what, verdict, told } of findings) print(`  ${verdict.padEnd(4)} ${what}: ${told}`)
  return {
    code: findings.some(({ verdict }) => verdict === 'bad') ? 1 : 0,
    traces: findings.some(({ what, verdict }) => what === 'traces' && verdict === 'good'),
  }
}

try {
  const print = (line: string) => process.stdout.write(`${line}\n`)
  process.exitCode = await doctorCommand(process.argv.slice(2), print)
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : 'Cannot read the file.'}\n`)
  process.exitCode = 1
}
