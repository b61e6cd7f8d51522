import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { sql } from 'kysely'
import { decodeBody } from '@quorate/authority/body'
import { keyStream, streamCodec } from '@quorate/authority/stream'
import { fromHex } from '@quorate/core/bytes'
import { encode } from '@quorate/core/codec'
import { Failure } from '@quorate/core/failure'
import { rulesFor } from '@quorate/judge/rules'
import type { Person } from '@quorate/signer/testing/requests'
import { openCoordinator } from '../coordinator/coordinator.ts'
import {
  type Company,
  found,
  hire,
  type Key,
  keyAsk,
  makeKey,
  messageAsk,
} from '../coordinator/testing/company.ts'
import { type Platform, startPlatform } from '../coordinator/testing/platform.ts'
import { type Database, openDatabase } from '../database/database.ts'
import { createServerDatabase } from '../testing/database.ts'
import { enterSteps } from './enter-steps.ts'

const program = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const signers = [1, 2, 3, 4]

describe('steps that a server has lost', () => {
  const folder = mkdtempSync(join(tmpdir(), 'quorate-steps-'))
  const fileOf = (index: number) => join(folder, `of-${index}`)
  const files = signers.map(fileOf)
  const [first = ''] = files
  let platform: Platform
  let company: Company
  let bot: Person
  let key: Key
  before(async () => {
    platform = await startPlatform()
    const { coordinator, manifest } = platform
    company = await found(coordinator, manifest.hash)
    bot = await hire(coordinator, company)
    key = await makeKey(coordinator, company, keyAsk(company, bot, 'EdDSA'))
    for (let i = 0; i < 3; i++) await sign()
    assert.match(stepsOf(1).stderr, /locked/)
    await Promise.all(signers.map((index) => platform.signer(index).end()))
    await platform.connected(0)
    for (const index of signers) {
      const { status, stdout } = stepsOf(index)
      assert.equal(status, 0)
      assert.match(stdout, /^[0-9]+ steps in /)
      assert.equal(statSync(fileOf(index)).mode & 0o077, 0)
      platform.signer(index).start()
    }
    await platform.connected(signers.length)
  })
  after(async () => {
    await platform.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  /** By a server that has just been started. */
  const sign = () => {
    const { database, links, manifest } = platform
    const log = { warn: () => undefined, error: () => undefined }
    const { organization } = company
    const said = new Uint8Array(randomBytes(50))
    return openCoordinator({ database, links, manifest, log }).sign({
      ...{ organization, key: key.id },
      evidence: messageAsk(company, bot, key.id, said),
    })
  }
  const rules = () => rulesFor(platform.manifest)
  const isBehind = (error: unknown) =>
    error instanceof Failure && JSON.stringify(error.context).includes('behind that of the signers')

  const stepsOf = (index: number) => {
    const store = platform.cluster.signers[index - 1]?.storeFile ?? assert.fail()
    return spawnSync(process.execPath, [program('../../signer/steps.ts'), store, fileOf(index)], {
      encoding: 'utf8',
    })
  }

  const tables = ['steps', 'records', 'request_places'] as const
  const rowsOf = (database: Database) =>
    Promise.all(
      tables.map(async (table) => {
        const { rows } = await sql`select * from ${sql.table(table)} order by organization, stream,
          seq, 4`.execute(database)
        return rows
      }),
    )
  const stepsIn = async (database: Database) => (await rowsOf(database))[0]?.length ?? 0

  it('come back whole into an empty database', async () => {
    const home = await createServerDatabase()
    const database = openDatabase(home.url, (error) => assert.fail(error))
    try {
      let missing = 0
      for (const file of files) {
        const entered = await enterSteps(home.url, rules(), file, { write: true })
        assert.deepEqual(entered.faults, [])
        missing += entered.missing
      }
      assert.equal(missing, await stepsIn(platform.database))
      assert.deepEqual(await rowsOf(database), await rowsOf(platform.database))
    } finally {
      await database.destroy()
      await home.drop()
    }
  })

  it('come back from the stores of signers, into a database that stands still without them', async () => {
    const { database, databaseUrl } = platform
    const stream = encode(streamCodec, keyStream(key.id))
    const before = await stepsIn(database)
    // As a database is that was restored to a moment before the last two.
    for (const table of tables)
      await sql`delete from ${sql.table(table)} where stream = ${stream} and seq >= 1`.execute(
        database,
      )
    await assert.rejects(sign(), isBehind)
    const runs = (file: string, ...more: readonly string[]) =>
      spawnSync(process.execPath, [program('../rebuild.ts'), '--from', file, ...more], {
        encoding: 'utf8',
        env: {
          ...process.env,
          SERVER_DATABASE_URL: databaseUrl,
          SERVER_MANIFEST_FILE: platform.cluster.manifestFile,
        },
      })
    const told = runs(first)
    assert.equal(told.status, 1)
    assert.match(told.stdout, /^[0-9]+ steps were there, [12] are missing\n$/)
    assert.equal(await stepsIn(database), before - 2)
    for (const file of files) assert.equal(runs(file, '--write').status, 0)
    assert.equal(await stepsIn(database), before)
    assert.equal(runs(first).status, 0)
    assert.match(runs(first).stdout, /, 0 are missing\n$/)
    assert.deepEqual(
      [runs('').status, runs('--write').status, runs(first, '--all').status],
      [2, 2, 2],
    )
    await sign()
  })

  it('are not entered where no quorum has sealed them, nor behind a gap, nor from what is no step', async () => {
    const home = await createServerDatabase()
    const file = join(folder, 'forged')
    const lines = readFileSync(first, 'utf8').trim().split('\n')
    const certificates = lines.map((line) => String(JSON.parse(line).step.certificate))
    const swapped = lines.map((line, i) => {
      const { step } = JSON.parse(line)
      return JSON.stringify({
        step: { ...step, certificate: certificates[(i + 1) % lines.length] },
      })
    })
    const enter = async (text: readonly string[]) => {
      writeFileSync(file, text.join('\n'))
      return enterSteps(home.url, rules(), file, { write: true })
    }
    try {
      const forged = await enter(swapped)
      assert.equal(forged.missing, 0)
      assert.match(forged.faults.join(), /root\/[0-9a-f]{64} 0: no quorum of the signers/)
      const isGenesis = (line: string) => {
        const { step } = decodeBody(fromHex(JSON.parse(line).step.body))
        return step.stream.kind === 'root' && step.seq === 0
      }
      const headless = await enter(lines.filter((line) => !isGenesis(line)))
      assert.equal(headless.missing, 0)
      assert.match(headless.faults.join(), /the step before it is missing/)
      await assert.rejects(
        enter(['{"format":"quorate/log/1"}', '{"step":{}}']),
        /line 2 of the file/,
      )
      assert.deepEqual(await enter(['{"format":"quorate/log/1"}', '{"signature":{}}']), {
        ...{ steps: 0, missing: 0 },
        faults: [],
      })
    } finally {
      await home.drop()
    }
  })
})
