import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { decodeFacts, encodeFacts } from '@quorate/effects/facts'
import { skewMsMax } from '@quorate/authority/step'
import { openCoordinator } from '../coordinator/coordinator.ts'
import type { UseAsk } from '../coordinator/uses.ts'
import { openForgetful } from '../coordinator/testing/platform.ts'
import { deployAccount, makeSponsor, paidFor } from '../sponsorships/testing/sponsor.ts'
import { sponsoredOf } from '../sponsorships/find.ts'
import type { WalletRow } from '../wallets/find.ts'
import { evidenceOf, preimageOf, writtenFacts } from './reading.ts'
import type { Outgoing } from './tables.ts'
import { openLane } from './testing/lane.ts'
import { endLeases, makeWallet, payment, request, reread } from './testing/treasury.ts'
import { startTreasury, step, stepTo, type Treasury } from './testing/treasury.ts'

const silent = { warn: () => undefined, error: () => undefined }
const minute = 60_000

describe('what signers have agreed on, and no server has kept', () => {
  let treasury: Treasury
  let wallet: WalletRow
  before(async () => {
    treasury = await startTreasury()
    await deployAccount(treasury)
  })
  after(() => treasury.stop())
  beforeEach(async () => {
    wallet = await makeWallet(treasury)
  })

  async function prepared(body = payment()): Promise<Outgoing> {
    return stepTo(treasury, await request(treasury, wallet, { body }), 'prepared')
  }

  async function agreeUnkept(row: Outgoing, more: Partial<UseAsk> = {}): Promise<void> {
    const { organization, key } = row
    const evidence = more.evidence ?? evidenceOf(row)
    const asked = openForgetful(treasury.platform).sign({ organization, key, evidence, ...more })
    await assert.rejects(asked)
    assert.equal(await treasury.platform.coordinator.stepOf(organization, row.request), undefined)
  }

  function put({ id }: Outgoing, values: Partial<Outgoing>) {
    return treasury.database.updateTable('outgoing').set(values).where('id', '=', id).execute()
  }

  /** A minute after its time is over, for this server alone. */
  const late = ({ execute_before }: Outgoing) => ({
    ...treasury.deps,
    now: () => execute_before + minute,
  })

  async function stepped(row: Outgoing, deps = treasury.deps): Promise<Outgoing> {
    await step({ ...treasury, deps }, row)
    return reread(treasury, row)
  }

  async function isSigned(row: Outgoing, deps = treasury.deps): Promise<void> {
    const { state, slot, reason, waiting } = await stepped(row, deps)
    assert.deepEqual([state, slot], ['signed', row.slot], `${reason ?? waiting}`)
  }

  it('is signed, though its time is over by then, and keeps its nonce', async () => {
    const row = await prepared()
    await agreeUnkept(row)
    await isSigned(row, late(row))
    assert.equal((await prepared()).slot, (row.slot ?? 0) + 1)
  })

  it('waits for its signers before it ends', async () => {
    const { database, platform } = treasury
    const { links, manifest } = platform
    const row = await prepared()
    await agreeUnkept(row)
    const few = { ...links, connected: () => [1] }
    const coordinator = openCoordinator({ database, links: few, manifest, log: silent })
    const { state, waiting } = await stepped(row, { ...late(row), coordinator })
    assert.equal(state, 'prepared')
    assert.match(waiting ?? '', /^signers unavailable/)
    await isSigned(row, late(row))
  })

  it('is signed, though what is made of it later would be refused', async () => {
    const row = await prepared()
    await agreeUnkept(row)
    const facts = decodeFacts(writtenFacts(row))
    assert.ok(facts.family === 'evm')
    // Dearer than what was signed for, so that the rules of the server itself refuse it.
    await put(row, {
      facts: encodeFacts({ ...facts, maxFeePerGas: facts.maxFeePerGas * 10n ** 9n }),
    })
    const { state, slot } = await stepped(row)
    assert.deepEqual([state, slot], ['prepared', row.slot])
    await put(row, { facts: row.facts })
    await isSigned(row)
  })

  it('is not given up', async () => {
    const lane = openLane(treasury)
    const row = await prepared()
    await agreeUnkept(row)
    await endLeases(treasury)
    assert.equal((await lane.ask(row, 'abort')).status, 409)
    await isSigned(row)
    await lane.close()
  })

  it('is sent by a fee sponsor, though its time is over by then, and leaves no gap', async () => {
    const { name } = await makeSponsor(treasury)
    const body = payment({ feeSponsorId: name })
    const asked = await stepTo(treasury, await request(treasury, wallet, { body }), 'signed')
    const sent = (await paidFor(treasury, asked)) ?? assert.fail()
    const row = await stepTo(treasury, sent, 'prepared')
    const original = await sponsoredOf(treasury.database, row)
    const evidence = { ...evidenceOf({ ...original, facts: row.facts }) }
    await agreeUnkept(row, { kind: 'sponsor', bid: row.bid, evidence })
    await isSigned(row, late(row))
  })

  it('is signed by its account, though its time is over by then', async () => {
    const { name } = await makeSponsor(treasury)
    const row = await prepared(payment({ feeSponsorId: name }))
    await agreeUnkept(row)
    await isSigned(row, late(row))
  })

  it('may yet come, as long as a slow server with another clock can have it agreed on', async () => {
    const row = await prepared()
    const { signBefore } = preimageOf(row)
    const at = (time: number) => ({ ...treasury.deps, now: () => time })
    const { state, waiting } = await stepped(row, at(signBefore + 2 * skewMsMax))
    assert.deepEqual([state, waiting], ['prepared', 'until no signer can agree on it any more'])
    const over = await stepped(row, at(signBefore + 2 * skewMsMax + 2))
    assert.deepEqual([over.state, over.slot], ['expired', null])
    assert.equal((await prepared()).slot, row.slot)
  })
})
