import assert from 'node:assert/strict'
import { generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { rulesFor } from '@quorate/judge/rules'
import { openDatabase, type Database } from '../database/database.ts'
import { buildHttp } from '../http/app.ts'
import { openKeptAnswers } from '../http/kept-answers.ts'
import { leaseApprovals } from '../approvals/lease.ts'
import { work } from '../approvals/work.ts'
import { identityRoutes, resolversOf, type IdentityDeps } from '../identity.ts'
import { authenticateWith } from '../auth/authenticate.ts'
import { openTokens, type Tokens } from '../auth/tokens.ts'
import { openOutward } from '../net/outward.ts'
import { openIssuers } from '../oidc/issuers.ts'
import { rebuildDatabase, type Rebuilt } from '../orgs/rebuild.ts'
import { originsOf } from '../settings/origins.ts'
import { openReceivers } from '../webhooks/receivers.ts'
import { openQuota } from '../usage/quota.ts'
import { noOpinions } from '../facts/file.ts'
import { createServerDatabase } from './database.ts'
import { assertUnderstood } from './said.ts'
import { Solo } from './solo.ts'

export const setupToken = 'setup-token-of-a-test'
export type TestPlatform = {
  readonly baseUrl: string
  /** As `cli/bootstrap` finds it: with the cluster's manifest in it. */
  readonly dataDir: string
  readonly database: Database
  readonly databaseUrl: string
  readonly solo: Solo
  readonly tokens: Tokens
  readonly deps: IdentityDeps
  /** Milliseconds by which the server's clock is ahead. */
  readonly clock: { ahead: number }
  /** What the server has not understood itself; a test that provokes it takes it out. */
  readonly unexpected: unknown[]
  /** The same platform again, as after a restart of its server. */
  restart(): Promise<string>
  /** Everything that is left to do for approvals, as the worker of a server does it. */
  workApprovals(): Promise<void>
  /** The rows of its database against what its log comes to. */
  rebuild(options?: { readonly write: boolean }): Promise<Rebuilt>
  /** @throws where anything unexpected is left */
  close(): Promise<void>
}

/** More than any test opens. */
const approvalsMax = 100

/** The real server's routes on a real database; only the signers are one process. */
export async function startTestPlatform(
  given: Partial<Pick<IdentityDeps, 'agreements' | 'opine' | 'receivers' | 'quoteMaxFee'>> & {
    readonly monthlySignatures?: number
  } = {},
): Promise<TestPlatform> {
  const home = await createServerDatabase()
  const unexpected: unknown[] = []
  const database = openDatabase(home.url, (error) => unexpected.push(error))
  const note = (context: unknown) => unexpected.push(context)
  const solo = new Solo(database)
  const clock = { ahead: 0 }
  const now = () => Date.now() + clock.ahead
  const tokens = await openTokens(pemOf(generateKeyPairSync('ed25519').privateKey))
  const folder = mkdtempSync(join(tmpdir(), 'quorate-identity-'))
  const dataDir = dataDirIn(folder, solo.cluster.file)
  const newLife = () => new Uint8Array(randomBytes(16))
  const deps: IdentityDeps = {
    ...{ database, tokens, now, log: solo, life: newLife() },
    report: { error: note },
    agreements: given.agreements ?? [],
    createKey: solo.createKey,
    sign: solo.sign,
    opine: given.opine ?? noOpinions,
    quota: openQuota(given.monthlySignatures),
    manifestFile: solo.cluster.file,
    manifestHash: solo.cluster.manifest.hash,
    manifest: solo.cluster.manifest,
    rules: rulesFor(solo.cluster.manifest),
    issuers: openIssuers({ fetch: openOutward({ networks: ['127.0.0.0/8'] }), now }),
    receivers: given.receivers ?? openReceivers({ networks: ['127.0.0.0/8'] }),
    quoteMaxFee: given.quoteMaxFee ?? (async () => undefined),
    takesWallets: () => true,
    observeFacts: async () => assert.fail('no test here leaves anything to the chain'),
  }
  const listen = async (life = deps.life) => {
    const app = buildHttp({
      routes: identityRoutes({ ...deps, life }),
      authenticate: authenticateWith({ ...deps, setupToken }),
      allowsOrigin: originsOf(database, ['https://console.example']),
      keepAnswer: openKeptAnswers({ database, now }),
      log: { error: (context) => unexpected.push(context) },
    })
    await app.listen({ port: 0, host: '127.0.0.1' })
    const { port } = app.server.address() as AddressInfo
    return { app, baseUrl: `http://127.0.0.1:${port}` }
  }
  let running = await listen()
  return {
    ...{ baseUrl: running.baseUrl, dataDir, database, solo, tokens, deps, clock, unexpected },
    restart: async () => {
      await running.app.close()
      running = await listen(newLife())
      return running.baseUrl
    },
    databaseUrl: home.url,
    workApprovals: async () => {
      const report = { warn: note, error: note }
      const working = { ...deps, report, resolvers: resolversOf(deps) }
      for (let i = 0; i < approvalsMax; i++) {
        const [row] = await leaseApprovals(database, 1, now())
        if (row === undefined) return
        await work(working, row)
      }
      assert.fail('there is always more to do')
    },
    rebuild: (options = { write: false }) =>
      rebuildDatabase(home.url, rulesFor(solo.cluster.manifest), options),
    close: async () => {
      await running.app.close()
      await database.destroy()
      await home.drop()
      rmSync(folder, { recursive: true, force: true })
      assertUnderstood(unexpected)
    },
  }
}

/** For another bootstrap on the same platform. */
export function newDataDir({ dataDir, solo }: TestPlatform): string {
  return dataDirIn(dirname(dataDir), solo.cluster.file)
}

function dataDirIn(folder: string, manifest: Uint8Array): string {
  const dataDir = mkdtempSync(join(folder, 'data-'))
  mkdirSync(join(dataDir, 'cluster'))
  writeFileSync(join(dataDir, 'cluster', 'manifest'), manifest)
  return dataDir
}

function pemOf(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString()
}
