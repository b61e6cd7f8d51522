import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { verifyEd25519 } from '@quorate/authority/ed25519'
import { readManifest } from '@quorate/authority/manifest'
import { decodeEvidence } from '@quorate/authority/step'
import { streamCodec } from '@quorate/authority/stream'
import { fromHex } from '@quorate/core/bytes'
import { decode } from '@quorate/core/codec'
import { rulesFor } from '@quorate/judge/rules'
import { governedResolver } from '../../approvals/governed.ts'
import { startApprovalWorker } from '../../approvals/worker.ts'
import { readChains } from '../../chain/chains.ts'
import { openCoordinator } from '../../coordinator/coordinator.ts'
import { openDatabase } from '../../database/database.ts'
import { openLinks } from '../../link/links.ts'
import { noOpinions } from '../../facts/file.ts'
import { startMoneyWorkers } from '../../money.ts'
import { lineOf } from '../../testing/said.ts'
import { outgoingResolver } from '../resolver.ts'

/** A server with its workers and nothing else, for tests that kill it. Its one argument is this. */
export type MoneyServerParts = {
  readonly databaseUrl: string
  readonly linkPort: number
  readonly manifestFile: string
  readonly tlsKeyFile: string
  readonly tlsCertFile: string
  readonly caFile: string
  readonly nodes: string
  /** Decisions that approvers send as soon as signers are there, in hex. */
  readonly decisions?: readonly {
    readonly organization: string
    readonly stream: string
    readonly evidence: string
  }[]
}

async function main(parts: MoneyServerParts): Promise<void> {
  const say = (context: object, message: string) =>
    void process.stdout.write(`${lineOf(context, message)}\n`)
  const log = { info: say, warn: say, error: say }
  const manifest = readManifest(new Uint8Array(readFileSync(parts.manifestFile)), verifyEd25519)
  const database = openDatabase(parts.databaseUrl, (err) => say({ err }, 'database'))
  const links = await openLinks({
    host: '127.0.0.1',
    port: parts.linkPort,
    manifest,
    keyPem: readFileSync(parts.tlsKeyFile, 'utf8'),
    certificatePem: readFileSync(parts.tlsCertFile, 'utf8'),
    authorityPem: readFileSync(parts.caFile, 'utf8'),
    log,
  })
  const coordinator = openCoordinator({ database, links, manifest, log })
  const resume = async () => {
    await coordinator.resume()
    for (const { organization, stream, evidence } of parts.decisions ?? [])
      await coordinator.settle({
        ...{ kind: 'decision', organization: fromHex(organization) },
        stream: decode(streamCodec, fromHex(stream)),
        evidence: decodeEvidence(fromHex(evidence)),
      })
  }
  links.onConnect(() => {
    if (links.connected().length === manifest.quorum)
      resume().catch((err: unknown) => say({ err }, 'resume'))
  })
  const chains = readChains(parts.nodes)
  const [now, life] = [Date.now, new Uint8Array(randomBytes(16))]
  const rules = rulesFor(manifest)
  const { wake } = startMoneyWorkers({
    ...{ database, coordinator, chains, opine: noOpinions, rules, log, now },
  })
  const deps = { database, log: coordinator, rules, report: log, now, life }
  const resolvers = [governedResolver(deps), outgoingResolver({ database, wake, now })]
  startApprovalWorker({ ...deps, resolvers })
}

await main(JSON.parse(process.argv[2] ?? '{}') as MoneyServerParts)
