import { fileURLToPath } from 'node:url'
import { until } from '../../coordinator/testing/platform.ts'
import { startMortal, type Mortal } from '../../testing/mortal.ts'
import { openBrake, type Brake, type Write } from '../../testing/brake.ts'
import type { MoneyServerParts } from './money-server.ts'
import { makeWallet, network, startTreasury, type Treasury } from './treasury.ts'

/** A wallet on a chain with a block a second, whose signers dial servers that are killed. */
export async function startMortals() {
  const treasury = await startTreasury()
  const wallet = await makeWallet(treasury)
  await treasury.rpc('evm_setIntervalMining', [1])
  const servers = openKilledServers(treasury, await openBrake(treasury.database))
  await treasury.platform.links.close()
  const stop = async () => {
    await servers.kill()
    await treasury.stop()
  }
  return { treasury, wallet, servers, stop }
}

export type Mortals = Awaited<ReturnType<typeof startMortals>>

/** Servers that die: each as a process of its own, at the write that is named. */
export function openKilledServers(treasury: Treasury, brake: Brake) {
  let server: Mortal | undefined

  function start(decisions: MoneyServerParts['decisions'] = []): void {
    const { cluster, links, databaseUrl } = treasury.platform
    const parts: MoneyServerParts = {
      databaseUrl,
      linkPort: links.port,
      manifestFile: cluster.manifestFile,
      tlsKeyFile: cluster.server.tlsKeyFile,
      tlsCertFile: cluster.server.tlsCertFile,
      caFile: cluster.caFile,
      nodes: JSON.stringify({ [network]: { rpcUrl: treasury.node.rpcUrl, confirmations: 2 } }),
      decisions,
    }
    const file = fileURLToPath(new URL('money-server.ts', import.meta.url))
    server = startMortal([file, JSON.stringify(parts)])
  }

  /** What nothing excuses is a line of the treasury, which fails at its end. */
  async function kill(): Promise<void> {
    treasury.lines.push(...((await server?.kill()) ?? []))
    server = undefined
  }

  return {
    start,
    kill,
    /** One that lives until it is about to make this write. */
    async dieAt(write: Write, decisions: MoneyServerParts['decisions'] = []): Promise<void> {
      await brake.set(write)
      start(decisions)
      await until(() => brake.isReached(), 60_000)
      await kill()
      await brake.release(write)
    },
  }
}
