import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { toHex } from '@quorate/core/bytes'
import { getHealth } from '@quorate/api/health'
import { burnPairIn } from '@quorate/signer/testing/burn'
import fastify from 'fastify'
import type { Links } from '../link/links.ts'
import { serveHealth } from '../start.ts'
import { type Coordinator, openCoordinator } from './coordinator.ts'
import { type Company, found, hashAsk, hire, type Key, keyAsk, makeKey } from './testing/company.ts'
import { withLiar } from './testing/gone-bad.ts'
import { type Platform, startPlatform, until } from './testing/platform.ts'

const peersProgram = fileURLToPath(new URL('../../signer/peers.ts', import.meta.url))
const accusationsProgram = fileURLToPath(new URL('../accusations.ts', import.meta.url))
/** Who signs is drawn by lot, and whoever was slow on a busy machine is left out for a while. */
const manyMsMax = 60_000

describe('what signers hold against each other', () => {
  let platform: Platform
  let company: Company
  let key: Key
  let sign: (by: Coordinator) => Promise<void>
  before(async () => {
    platform = await startPlatform()
    const { coordinator, manifest } = platform
    company = await found(coordinator, manifest.hash)
    const bot = await hire(coordinator, company)
    key = await makeKey(coordinator, company, keyAsk(company, bot, 'ECDSA'))
    sign = async (by) => {
      const { organization } = company
      const evidence = hashAsk(company, bot, key.id, new Uint8Array(randomBytes(32)))
      const { signatures } = await by.sign({ organization, key: key.id, evidence })
      assert.equal(signatures.length, 1)
    }
  })
  after(() => platform.stop())

  /** As a server that has just started. */
  const server = (links: Links = platform.links) => {
    const { database, manifest } = platform
    const log = { warn: () => undefined, error: () => undefined }
    return openCoordinator({ database, links, manifest, log })
  }
  /** @param kinds `agree` for the first quorum of a signature, `session` for those that follow */
  const watched = (quorums: string[], kinds = ['agree', 'session']): Links => ({
    ...platform.links,
    call: (signer, call, deadlineMs) => {
      const asked = call.kind === 'ping' ? undefined : call.session
      if (asked?.kind === 'sign' && kinds.includes(call.kind)) quorums.push(String(asked.quorum))
      return platform.links.call(signer, call, deadlineMs)
    },
  })
  const stopped = async (index: number, work: (file: string) => void) => {
    const signer = platform.signer(index)
    await signer.end()
    work(platform.cluster.signers[index - 1]?.storeFile ?? assert.fail())
    signer.start()
    await platform.connected(4)
  }
  async function signUntil(by: Coordinator, isTrue: () => boolean | Promise<boolean>) {
    const until = Date.now() + manyMsMax
    while (Date.now() < until && !(await isTrue())) await sign(by)
    assert.ok(await isTrue(), 'not while signatures were made for long enough')
  }
  /** As everybody reads it. */
  const health = async (by: Coordinator) => {
    const app = fastify()
    serveHealth(app, by, platform.database)
    const answer = await app.inject('/health')
    await app.close()
    assert.equal(answer.statusCode, 200)
    const { burnedPairs, proposedForBan } = Object(getHealth.returns.parse(answer.json()))
    return { burnedPairs, proposedForBan }
  }
  const burned = async (by: Coordinator) => (await by.faults()).burned

  it('keeps a burned pair apart in every life of a server, while all others sign', async () => {
    await stopped(1, (file) => burnPairIn(file, company.organization, 2))
    const first = server()
    await signUntil(first, async () => (await burned(first)).length > 0)
    const expected = [{ pair: [1, 2], organizations: 1 }]
    assert.deepEqual(await burned(first), expected)
    const quorums: string[] = []
    const second = server(watched(quorums))
    await signUntil(second, () => new Set(quorums).size === 5)
    assert.ok(!quorums.includes('1,2'))
    assert.deepEqual(await burned(second), expected)
    const { burnedPairs, proposedForBan } = await health(second)
    assert.deepEqual(burnedPairs, [{ signers: ['signer-1', 'signer-2'], organizations: 1 }])
    assert.deepEqual(proposedForBan, [])
  })

  it('lets it meet again after an operator’s release and a new setup', async () => {
    const { database } = platform
    const forget = () => database.updateTable('burned_pairs').set({ said_at: 0 }).execute()
    await forget()
    const before = server()
    // The minute is over; the signer says no once more.
    await signUntil(before, async () => {
      const rows = await database.selectFrom('burned_pairs').select('said_at').execute()
      return rows.every(({ said_at: saidAt }) => saidAt > 0)
    })
    const organization = toHex(company.organization)
    await stopped(1, (file) => {
      const args = [peersProgram, file, 'release', organization, '2']
      const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
      assert.equal(status, 0, stderr)
    })
    await forget()
    const quorums: string[] = []
    const later = server(watched(quorums))
    await signUntil(later, async () => (await burned(later)).length === 0)
    const rows = await database.selectFrom('burned_pairs').select('low').execute()
    assert.deepEqual(rows, [])
    assert.deepEqual((await health(later)).burnedPairs, [])
  })

  it('proposes to ban whom t others accuse, and nobody sooner, in every life of a server', async () => {
    const accusedBy = (accuser: number) =>
      withLiar(platform.links, accuser, (said, asked) => {
        const isMet =
          asked.kind === 'advance' && asked.packets.some(({ header }) => header.from === 3)
        if (!isMet || said.kind !== 'packet') return said
        const { ceremony } = said
        return { kind: 'aborted', ceremony, reason: 'commitment', culprits: [3], burned: [] }
      })
    const accusers = async () => {
      const rows = await platform.database.selectFrom('accusations').select('accuser').execute()
      return rows.map(({ accuser }) => accuser)
    }
    for (const accuser of [1, 2]) {
      assert.deepEqual((await server().faults()).proposed, [])
      const until = Date.now() + manyMsMax
      while (Date.now() < until && !(await accusers()).includes(accuser))
        await sign(server(accusedBy(accuser)))
    }
    const later = server()
    assert.deepEqual((await later.faults()).proposed, [3])
    const quorums: string[] = []
    const last = server(watched(quorums, ['agree']))
    for (let i = 0; i < 12; i++) await sign(last)
    assert.ok(quorums.length > 0 && quorums.every((quorum) => !quorum.includes('3')))
    assert.deepEqual((await health(last)).proposedForBan, ['signer-3'])
  })

  it('ends for a proposed ban when an operator dismisses what was said, also at a server that runs', async () => {
    const run = (...args: readonly string[]) => {
      const env = { SERVER_DATABASE_URL: platform.databaseUrl }
      const argv = [accusationsProgram, ...args]
      const { status, stdout, stderr } = spawnSync(process.execPath, argv, {
        env,
        encoding: 'utf8',
      })
      assert.equal(stderr, '')
      return { status, lines: stdout.split('\n').slice(0, -1) }
    }
    const running = server()
    assert.deepEqual((await health(running)).proposedForBan, ['signer-3'])
    const listed = run()
    assert.equal(listed.status, 0)
    for (const accuser of [1, 2])
      assert.ok(
        listed.lines.some((line) =>
          line.startsWith(`signer 3: commitment, says signer ${accuser}, 20`),
        ),
      )
    for (const args of [['dismiss'], ['dismiss', '0'], ['dismiss', '3', '4'], ['forgive', '3']])
      assert.equal(run(...args).status, 2)
    assert.deepEqual(run('dismiss', '4'), { status: 1, lines: [] })
    assert.equal(run('dismiss', '3').status, 0)
    assert.deepEqual(run().lines, [])
    await until(async () => (await health(running)).proposedForBan.length === 0)
    const quorums: string[] = []
    const next = server(watched(quorums, ['agree']))
    await signUntil(next, () => quorums.some((quorum) => quorum.includes('3')))
  })
})
