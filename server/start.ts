import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { FastifyInstance } from 'fastify'
import { verifyEd25519, verifyEd25519By } from '@quorate/authority/ed25519'
import { networksOf } from '@quorate/judge/networks'
import { rulesFor } from '@quorate/judge/rules'
import { readManifest, type Manifest } from '@quorate/authority/manifest'
import { toHex } from '@quorate/core/bytes'
import * as libsodium from '@quorate/threshold/public/ed25519'
import { startApprovalWorker } from './approvals/worker.ts'
import { readAgreements } from './agreements/read.ts'
import { authenticateWith } from './auth/authenticate.ts'
import { openTokens } from './auth/tokens.ts'
import { readListings } from './assets/file.ts'
import { keepListings } from './assets/listed.ts'
import { kindIn, openChains, type Chains, type OnDistrust } from './chain/chains.ts'
import { isInTheClear, readNodes, urlsOf } from './chain/nodes-file.ts'
import { type Coordinator, openCoordinator } from './coordinator/coordinator.ts'
import { type Database, openDatabase } from './database/database.ts'
import { migrate } from './database/migrate.ts'
import { buildHttp } from './http/app.ts'
import { openKeptAnswers } from './http/kept-answers.ts'
import { openFactFile } from './facts/file.ts'
import { identityRoutes, resolversOf, resumeIdentity, type IdentityDeps } from './identity.ts'
import { openLinks } from './link/links.ts'
import type { Log } from './log.ts'
import { openCarrier } from './mail/carrier.ts'
import { startMailWorker } from './mail/worker.ts'
import { readAuthorities } from './net/authorities.ts'
import { openIssuers } from './oidc/issuers.ts'
import { applyRoots } from './orgs/apply.ts'
import { outgoingResolver } from './transfers/resolver.ts'
import { moneyRoutes, openMoney, startMoneyWorkers } from './money.ts'
import { servePages } from './pages/serve.ts'
import { openQuota, recount } from './usage/quota.ts'
import type { ServerSettings } from './settings.ts'
import { startSignatureWorker, waitingIn } from './signatures/resume.ts'
import { originsOf } from './settings/origins.ts'
import { openReceivers } from './webhooks/receivers.ts'
import { startWebhookWorker } from './webhooks/worker.ts'

export type RunningServer = {
  /** Takes no new requests, finishes those that are there, and closes everything. */
  stop(): Promise<void>
}

/** So that no two lives of servers ever bear one name. */
const lifeBytes = 16

const unappliedIn = (log: Log) => (err: unknown, organization: Uint8Array) =>
  log.error({ err, organization: toHex(organization) }, 'an organization could not be applied')

/** @throws Error saying what is missing or wrong */
export async function startServer(settings: ServerSettings, log: Log): Promise<RunningServer> {
  verifyEd25519By(libsodium.verifyEd25519)
  const manifest = readManifest(new Uint8Array(readFileSync(settings.manifestFile)), verifyEd25519)
  networksOf(manifest)
  const database = openDatabase(settings.databaseUrl, (error) =>
    log.warn({ err: error }, 'an idle database connection broke'),
  )
  await migrate(database)
  await keepListings(database, listingsOf(settings, manifest))
  const links = await openLinks({
    host: settings.linkHost,
    port: settings.linkPort,
    manifest,
    keyPem: readFileSync(settings.tlsKeyFile, 'utf8'),
    certificatePem: readFileSync(settings.tlsCertFile, 'utf8'),
    authorityPem: readFileSync(settings.tlsCaFile, 'utf8'),
    log,
  })
  const coordinator = openCoordinator({
    ...{ database, links, manifest, log },
    keyPool: settings.keyPool,
  })
  const unapplied = unappliedIn(log)
  await applyRoots(database, unapplied)
  await recount(database, Date.now())
  const chains = chainsOf(settings, manifest, log)
  const deps = await identityDeps(settings, { coordinator, database, manifest, chains, log })
  const { opine, rules } = deps
  const working = { database, coordinator, chains, opine, rules, log, now: Date.now }
  const workers = startMoneyWorkers(working)
  const { quota, life } = deps
  const money = { ...working, quota, life, wake: workers.wake }
  const resolvers = [...resolversOf(deps), outgoingResolver(money)]
  const approvals = startApprovalWorker({ ...deps, log: coordinator, report: log, resolvers })
  const signatures = startSignatureWorker({ ...deps, report: log })
  const { carrier, mailbox } = openCarrier(settings.mailFile)
  const setupToken = readFileSync(settings.setupTokenFile, 'utf8').trim()
  const app = buildHttp({
    routes: [...identityRoutes(deps, resolvers), ...moneyRoutes(money)],
    authenticate: authenticateWith({ ...deps, setupToken }),
    allowsOrigin: originsOf(database, settings.corsOrigins),
    keepAnswer: openKeptAnswers({ database, now: Date.now }),
    log,
  })
  serveHealth(app, coordinator, database)
  servePages(app, mailbox)
  await app.listen({ host: settings.host, port: settings.port })
  const mail = startMailWorker({
    ...{ database, carrier, log, now: Date.now },
    pagesUrl: settings.publicUrl,
  })
  const webhooks = startWebhookWorker({ ...deps, log })
  const resume = async () => {
    await coordinator.resume()
    await resumeIdentity(deps, { root: unapplied, signature: waitingIn(log) })
  }
  links.onConnect(resumeOnce(resume, () => links.connected().length >= manifest.quorum, log))
  log.info({ port: settings.port, linkPort: links.port }, 'serving')
  return {
    stop: async () => {
      await app.close()
      const running = [workers, approvals, signatures, mail, webhooks]
      await Promise.all([...running.map((one) => one.stop()), coordinator.close()])
      await links.close()
      await database.destroy()
    },
  }
}

function listingsOf({ assetsFile }: ServerSettings, { networks }: Manifest) {
  const kindOf = kindIn(networks)
  const assets = assetsFile === '' ? '{}' : readFileSync(assetsFile, 'utf8')
  return readListings(assets, (id) => kindOf(id) !== undefined)
}

function chainsOf({ nodesFile }: ServerSettings, { networks }: Manifest, log: Log): Chains {
  const onDistrust: OnDistrust = (event) => log.warn(event, 'a node is not asked for a while')
  const nodes = readNodes(readFileSync(nodesFile, 'utf8'), kindIn(networks))
  for (const [network, named] of nodes)
    for (const [at, url] of urlsOf(named).entries())
      if (isInTheClear(url))
        log.warn({ network, node: at + 1 }, 'a distant node is asked over http')
  for (const { id: network } of networks)
    if (urlsOf(nodes.get(network) ?? {}).length === 0)
      log.warn({ network }, 'a network of the manifest has no node: nothing is paid there')
  return openChains(nodes, onDistrust, networks)
}

type Assembled = {
  readonly coordinator: Coordinator
  readonly database: Database
  readonly manifest: Manifest
  readonly chains: Chains
  readonly log: Log
}

async function identityDeps(
  settings: ServerSettings,
  { coordinator, database, manifest, chains, log }: Assembled,
): Promise<IdentityDeps> {
  return {
    database,
    log: coordinator,
    report: log,
    tokens: await openTokens(readFileSync(settings.tokenKeyFile, 'utf8')),
    now: Date.now,
    life: new Uint8Array(randomBytes(lifeBytes)),
    agreements: readAgreements(settings.agreementsFile),
    issuers: openIssuers({ now: Date.now }),
    receivers: openReceivers({
      networks: settings.webhookNetworks,
      authorities: readAuthorities(settings.webhookAuthoritiesFile),
    }),
    createKey: coordinator.createKey,
    sign: coordinator.sign,
    manifestFile: new Uint8Array(readFileSync(settings.manifestFile)),
    manifestHash: manifest.hash,
    manifest,
    rules: rulesFor(manifest),
    opine: openFactFile(settings.factsFile, (context, message) => log.warn(context, message)),
    quota: openQuota(settings.monthlySignatures === 0 ? undefined : settings.monthlySignatures),
    ...openMoney({ database, chains, log: coordinator }),
  }
}

/** As soon as enough signers are there to end what an earlier life has begun. */
function resumeOnce(resume: () => Promise<void>, isTime: () => boolean, log: Log): () => void {
  let isDone = false
  return () => {
    if (isDone || !isTime()) return
    isDone = true
    resume().catch((error) => log.error({ err: error }, 'nothing was resumed'))
  }
}

/** By name. Without a database nothing is known of them, and the answer says so by leaving them out. */
async function faultsOf(coordinator: Pick<Coordinator, 'status' | 'faults'>) {
  const report = await coordinator.faults().catch(() => undefined)
  const ids = coordinator.status().map(({ id }) => id)
  const named = (signer: number) => ids[signer - 1] ?? String(signer)
  return (
    report && {
      burnedPairs: report.burned.map(({ pair, organizations }) => ({
        signers: pair.map(named),
        organizations,
      })),
      proposedForBan: report.proposed.map(named),
    }
  )
}

/** 200 only when everything that signs and stores is there. */
export function serveHealth(
  app: FastifyInstance,
  coordinator: Pick<Coordinator, 'status' | 'faults' | 'clock'>,
  database: Database,
): void {
  app.get('/health', async (_request, reply) => {
    const signers = coordinator.status().map(({ id, connected }) => ({ id, connected }))
    const [faults, clock] = await Promise.all([faultsOf(coordinator), coordinator.clock()])
    const isStored = await database
      .selectFrom('stream_leases')
      .select('until')
      .limit(1)
      .execute()
      .then(
        () => true,
        () => false,
      )
    const isTimely = clock !== 'ahead' && clock !== 'behind'
    const isWell = isStored && isTimely && signers.every(({ connected }) => connected)
    return reply
      .code(isWell ? 200 : 503)
      .header('cache-control', 'no-store')
      .send({ status: isWell ? 'ok' : 'degraded', signers, clock, ...faults })
  })
}
