import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, beforeEach, describe, it } from 'node:test'
import { requestHash } from '@quorate/authority/request'
import { keyStream } from '@quorate/authority/stream'
import { skewMsMax, type Evidence } from '@quorate/authority/step'
import type { Person } from '@quorate/signer/testing/requests'
import type { Call } from '@quorate/wire/link'
import type { Links } from '../link/links.ts'
import { openCoordinator, type Coordinator } from './coordinator.ts'
import { found, hire, keyAsk, makeKey, messageAsk } from './testing/company.ts'
import type { Company, Key } from './testing/company.ts'
import { away, knowing, lockedByOne, openDying } from './testing/locked.ts'
import { cutOff, openForgetful, startPlatform, until } from './testing/platform.ts'
import type { Platform } from './testing/platform.ts'

const silent = { warn: () => undefined, error: () => undefined }
/** Who has not voted for a step by then never will. */
const tooOldMs = skewMsMax + 1_000

describe('what was proposed and not kept, with four signer processes', () => {
  let platform: Platform
  let company: Company
  let organization: Uint8Array
  let bot: Person
  let key: Key
  before(async () => {
    platform = await startPlatform()
    company = await found(platform.coordinator, platform.manifest.hash)
    organization = company.organization
    bot = await hire(platform.coordinator, company)
  })
  after(() => platform.stop())
  beforeEach(async () => {
    key = await makeKey(platform.coordinator, company, keyAsk(company, bot, 'EdDSA'))
  })

  const use = () => messageAsk(company, bot, key.id, new Uint8Array(randomBytes(50)))
  const sign = (by: Coordinator, evidence: Evidence) =>
    by.sign({ organization, key: key.id, evidence })
  const server = (change: Partial<Links> = {}) => {
    const { database, manifest } = platform
    const links = { ...platform.links, ...change }
    return openCoordinator({ database, links, manifest, log: silent })
  }
  const stands = async ({ preimage }: Evidence) =>
    (await platform.coordinator.stepOf(organization, requestHash(preimage))) !== undefined
  const isOpen = async () => {
    const rows = await platform.database.selectFrom('proposals').select('seq').execute()
    return rows.length > 0
  }
  const without =
    (...missing: readonly number[]): Links['call'] =>
    async (signer, call, ms) =>
      missing.includes(signer) ? 'gone' : platform.links.call(signer, call, ms)
  const connectedBut =
    (...missing: readonly number[]) =>
    () =>
      platform.links.connected().filter((signer) => !missing.includes(signer))

  it('is found to be agreed on, though no server has kept it', async () => {
    const evidence = use()
    await assert.rejects(sign(openForgetful(platform), evidence))
    assert.deepEqual([await stands(evidence), await isOpen()], [false, true])
    await server().conclude(organization, keyStream(key.id))
    assert.deepEqual([await stands(evidence), await isOpen()], [true, false])
    assert.equal((await sign(server(), evidence)).signatures.length, 1)
  })

  it('is found out once by several servers that ask at once', async () => {
    const evidence = use()
    await assert.rejects(sign(openForgetful(platform), evidence))
    const [one, other] = [server(), server()]
    await Promise.all([one, one, other].map((by) => by.conclude(organization, keyStream(key.id))))
    assert.deepEqual([await stands(evidence), await isOpen()], [true, false])
  })

  it('is found to be agreed on where only one that is away has its certificate, and others have never seen it', async () => {
    const evidence = use()
    // Signer 4 hears nothing of it; of the others only signer 1 does in the end.
    const call: Links['call'] = async (signer, asked, ms) => {
      const isLast = asked.kind === 'agree' && asked.request.kind === 'certificate'
      return signer === 4 || (isLast && signer > 1)
        ? 'gone'
        : platform.links.call(signer, asked, ms)
    }
    const links = { ...platform.links, call, connected: connectedBut(4) }
    const since = Date.now()
    await assert.rejects(sign(openForgetful({ ...platform, links }), evidence))
    await until(() => Date.now() > since + tooOldMs)
    const later = server(away(platform, 1))
    await later.conclude(organization, keyStream(key.id))
    assert.deepEqual([await stands(evidence), await isOpen()], [true, false])
  })

  async function leaveLocked(evidence: Evidence): Promise<void> {
    const dying = openDying(platform)
    const since = Date.now()
    sign(dying.coordinator, evidence).catch(() => undefined)
    await until(dying.isLocked)
    await until(() => Date.now() > since + tooOldMs)
  }

  it('is not over as long as one that is away may have locked it, and is agreed on when that is back', async () => {
    const evidence = use()
    await leaveLocked(evidence)
    const few = server(away(platform, knowing))
    await assert.rejects(few.conclude(organization, keyStream(key.id)), {
      code: 'signers.unavailable',
    })
    assert.deepEqual([await stands(evidence), await isOpen()], [false, true])
    // One that is connected, and does not answer, may have it as well.
    const mute = server({ call: without(knowing) })
    await assert.rejects(mute.conclude(organization, keyStream(key.id)), { code: 'signing.failed' })
    await server().conclude(organization, keyStream(key.id))
    assert.deepEqual([await stands(evidence), await isOpen()], [true, false])
  })

  it('is over for good once another request stands in its place, whoever is away', async () => {
    const [evidence, other] = [use(), use()]
    await leaveLocked(evidence)
    const few = server(away(platform, knowing))
    await sign(few, other)
    await few.conclude(organization, keyStream(key.id))
    assert.deepEqual([await stands(evidence), await isOpen()], [false, false])
    await sign(server(), use())
    assert.equal(await stands(evidence), false)
  })

  it('stays open when signers refuse it, two of them fake, after one that is away may have locked it', async () => {
    const evidence = use()
    const locking = lockedByOne(platform)
    const refusal = { kind: 'refusal', reason: 'not_fresh', item: 0, detail: 'frozen' } as const
    const call: Links['call'] = async (signer, asked, ms) => {
      const reply = await locking.call(signer, asked, ms)
      const isAgain =
        asked.kind === 'agree' && asked.request.kind === 'propose' && asked.request.ballot > 0
      if (!isAgain || signer > 2 || typeof reply === 'string') return reply
      return { kind: 'agree', answer: refusal, session: undefined }
    }
    await assert.rejects(sign(server({ call }), evidence), { code: 'request.refused' })
    assert.ok(locking.isLocked())
    assert.deepEqual([await stands(evidence), await isOpen()], [false, true])
    await server().conclude(organization, keyStream(key.id))
    assert.deepEqual([await stands(evidence), await isOpen()], [true, false])
  })

  it('is over for good where signers have not agreed on it and its time is past', async () => {
    const evidence = use()
    const since = Date.now()
    const isProposed = (call: Call) => call.kind === 'agree' && call.stream.kind === 'key'
    sign(server(cutOff(platform.links, isProposed)), evidence).catch(() => undefined)
    await until(isOpen)
    await until(() => Date.now() > since + tooOldMs)
    await server().conclude(organization, keyStream(key.id))
    assert.deepEqual([await stands(evidence), await isOpen()], [false, false])
    await sign(server(), use())
  })

  it('stays open, and says so, as long as too few signers are there', async () => {
    const evidence = use()
    await assert.rejects(sign(openForgetful(platform), evidence))
    const alone = server({ connected: () => [1] })
    await assert.rejects(alone.conclude(organization, keyStream(key.id)), {
      code: 'signers.unavailable',
    })
    assert.deepEqual([await stands(evidence), await isOpen()], [false, true])
    await server().conclude(organization, keyStream(key.id))
    assert.ok(await stands(evidence))
  })

  it('costs nobody a word where nothing was', async () => {
    await sign(platform.coordinator, use())
    const { database } = platform
    // As a server leaves it that proposes what others have had certified a moment before.
    await database
      .insertInto('proposals')
      .values({ ...(await firstStep()), ballot: 0, proposed_at: 0 })
      .execute()
    const asking = server({ call: async () => assert.fail('a signer was asked') })
    await asking.conclude(organization, keyStream(key.id))
  })

  async function firstStep() {
    const head = await platform.coordinator.head(organization, keyStream(key.id))
    assert.ok(head)
    const { seq, hash, body } = head
    const row = platform.database.selectFrom('steps').select('stream').where('hash', '=', hash)
    const { stream } = await row.executeTakeFirstOrThrow()
    return { organization, stream, seq, hash, body }
  }
})
