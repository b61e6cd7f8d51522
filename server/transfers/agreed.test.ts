import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { decodeFacts, encodeFacts } from '@quorate/effects/facts'
import { skewMsMax } from '@quorate/authority/step'
import { openCoordinator } from '../coordinator/coordinator.ts'
import type { UseAsk } from '../coordinator/uses.ts'
import { away, knowing, openDying, unknowing } from '../coordinator/testing/locked.ts'
import { openForgetful, until } from '../coordinator/testing/platform.ts'
import type { Links } from '../link/links.ts'
import { feeSponsorName } from '../sponsorships/sponsor.ts'
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

  async function preparedSponsorship(): Promise<Outgoing> {
    const { name } = await makeSponsor(treasury)
    const body = payment({ feeSponsorId: name })
    const asked = await stepTo(treasury, await request(treasury, wallet, { body }), 'signed')
    const sent = (await paidFor(treasury, asked)) ?? assert.fail()
    return stepTo(treasury, sent, 'prepared')
  }

  async function useOf(row: Outgoing): Promise<UseAsk> {
    const { organization, key, bid, facts } = row
    if (row.kind !== 'sponsorship') return { organization, key, evidence: evidenceOf(row) }
    const asked = await sponsoredOf(treasury.database, row)
    return { organization, key, kind: 'sponsor', bid, evidence: evidenceOf({ ...asked, facts }) }
  }

  async function agreeUnkept(row: Outgoing): Promise<void> {
    const { organization } = row
    await assert.rejects(openForgetful(treasury.platform).sign(await useOf(row)))
    assert.equal(await treasury.platform.coordinator.stepOf(organization, row.request), undefined)
  }

  function put({ id }: Outgoing, values: Partial<Outgoing>) {
    return treasury.database.updateTable('outgoing').set(values).where('id', '=', id).execute()
  }

  /** Dearer than what was signed for, so that the rules of the server itself refuse it. */
  function tooDear(row: Outgoing): Uint8Array {
    const facts = decodeFacts(writtenFacts(row))
    assert.ok(facts.family === 'evm' || facts.family === 'sponsorship')
    return encodeFacts({ ...facts, maxFeePerGas: facts.maxFeePerGas * 10n ** 9n })
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

  /** A server that reaches these signers alone. */
  function reaching(links: Partial<Links>) {
    const { database, platform } = treasury
    const { manifest } = platform
    const all = { ...platform.links, ...links }
    return openCoordinator({ database, links: all, manifest, log: silent })
  }

  it('waits for its signers before it ends, and keeps nobody from the desk', async () => {
    const row = await prepared()
    await agreeUnkept(row)
    const coordinator = reaching({ connected: () => [1] })
    for (let looks = 0; looks < 2; looks++) {
      const { state, slot, waiting } = await stepped(row, { ...late(row), coordinator })
      assert.deepEqual([state, slot], ['requested', null])
      assert.match(waiting ?? '', /^signers unavailable/)
    }
    assert.deepEqual(await slotsOf(row), [])
    assert.equal((await stepped(row, late(row))).state, 'prepared')
    await isSigned(row, late(row))
  })

  async function slotsOf({ request }: Outgoing) {
    const { database } = treasury
    return database.selectFrom('slots').select('slot').where('request', '=', request).execute()
  }

  /** One signer, which is away by then, has a lock on it that nobody else has seen. */
  async function lockUnseen(row: Outgoing) {
    const dying = openDying(treasury.platform)
    const since = Date.now()
    dying.coordinator.sign(await useOf(row)).catch(() => undefined)
    await until(dying.isLocked)
    await until(() => Date.now() > since + skewMsMax + 1_000)
    return { ...treasury.deps, coordinator: reaching(away(treasury.platform, knowing)) }
  }

  it('may be known to one that is away: it ends when the next one of its wallet has its nonce', async () => {
    for (const make of [prepared, preparedSponsorship]) {
      const row = await make()
      const few = await lockUnseen(row)
      const lateFew = { ...few, now: late(row).now }
      const aside = await stepped(row, lateFew)
      assert.deepEqual([aside.state, aside.slot], ['requested', null])
      assert.match(aside.waiting ?? '', /^signers unavailable/)
      const next =
        row.kind === 'sponsorship'
          ? await another(row)
          : await request(treasury, wallet, { body: payment() })
      const taken = await stepTo({ ...treasury, deps: few }, next, 'signed')
      assert.equal(taken.slot, row.slot)
      assert.equal((await stepped(row, lateFew)).state, 'expired')
      wallet = await makeWallet(treasury)
    }
  })

  /** What the same sponsor is to send for another request. */
  async function another(row: Outgoing): Promise<Outgoing> {
    const feeSponsorId = feeSponsorName(row.fee_sponsor ?? assert.fail())
    const body = payment({ feeSponsorId })
    const asked = await stepTo(treasury, await request(treasury, wallet, { body }), 'signed')
    return (await paidFor(treasury, asked)) ?? assert.fail()
  }

  it('may be known to one that is away: it is signed when that is back, and the next one has the next nonce', async () => {
    const row = await prepared()
    const few = await lockUnseen(row)
    await stepped(row, { ...few, now: late(row).now })
    const next = await stepTo(
      treasury,
      await request(treasury, wallet, { body: payment() }),
      'prepared',
    )
    assert.equal(next.slot, row.slot)
    // Without one of the others, that one's word is among those that count.
    const coordinator = reaching(away(treasury.platform, unknowing))
    const heard = { ...treasury, deps: { ...treasury.deps, coordinator } }
    const { slot } = await stepTo(heard, next, 'signed')
    assert.equal(slot, (row.slot ?? 0) + 1)
    assert.equal((await stepped(row, late(row))).state, 'prepared')
    await isSigned(row, late(row))
    assert.notEqual((await reread(treasury, row)).cost, null)
  })

  it('is signed where it has lost its nonce since, and its time is over or its money gone', async () => {
    const row = await prepared()
    await agreeUnkept(row)
    await put(row, { state: 'requested', slot: null, cost: null })
    assert.equal((await stepped(row, late(row))).state, 'prepared')
    await isSigned(row, late(row))

    wallet = await makeWallet(treasury)
    const poor = await prepared()
    await agreeUnkept(poor)
    await put(poor, { state: 'slotted', cost: null })
    await treasury.rpc('anvil_setBalance', [poor.address, '0x0'])
    assert.equal((await stepped(poor)).state, 'prepared')
    await isSigned(poor)
  })

  it('is not proposed by a worker that may have lost the row', async () => {
    const { name } = await makeSponsor(treasury)
    const sponsored = () => prepared(payment({ feeSponsorId: name }))
    for (const make of [prepared, sponsored, preparedSponsorship]) {
      const row = await make()
      const { state, waiting } = await stepped(row, { ...treasury.deps, isHeld: () => false })
      assert.deepEqual([state, waiting], ['prepared', 'another server has it by now'])
      const { organization, request: named } = row
      assert.equal(await treasury.platform.coordinator.stepOf(organization, named), undefined)
      assert.equal((await stepped(row, { ...treasury.deps, isHeld: () => true })).state, 'signed')
      wallet = await makeWallet(treasury)
    }
  })

  it('ends where it has lost its nonce since, once no slow server can have it agreed on', async () => {
    const row = await prepared()
    await put(row, { state: 'requested', slot: null, cost: null })
    const at = (time: number) => ({ ...treasury.deps, now: () => time })
    const { signBefore } = preimageOf(row)
    const { state, waiting } = await stepped(row, at(signBefore + 2 * skewMsMax))
    assert.deepEqual([state, waiting], ['requested', 'until no signer can agree on it any more'])
    assert.equal((await stepped(row, at(signBefore + 2 * skewMsMax + 2))).state, 'expired')
  })

  it('is signed, though what is made of it later would be refused', async () => {
    const row = await prepared()
    await agreeUnkept(row)
    await put(row, { facts: tooDear(row) })
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

    wallet = await makeWallet(treasury)
    const back = await prepared()
    await agreeUnkept(back)
    await put(back, { state: 'requested', slot: null, cost: null })
    await endLeases(treasury)
    assert.equal((await lane.ask(back, 'abort')).status, 409)
    assert.equal((await stepTo(treasury, back, 'signed')).slot, back.slot)
    await lane.close()
  })

  it('is sent by a fee sponsor, though its time is over by then, and leaves no gap', async () => {
    const row = await preparedSponsorship()
    await agreeUnkept(row)
    await isSigned(row, late(row))
  })

  it('is signed by its account, though its time is over by then', async () => {
    const { name } = await makeSponsor(treasury)
    const row = await prepared(payment({ feeSponsorId: name }))
    await agreeUnkept(row)
    await isSigned(row, late(row))
  })

  it('keeps its nonce where another server has it agreed on while this one looks whose that is', async () => {
    const { coordinator } = treasury.deps
    const { sign } = treasury.platform.coordinator
    for (const make of [prepared, preparedSponsorship]) {
      const row = await make()
      const use = await useOf(row)
      await put(row, { facts: tooDear(row) })
      let looks = 0
      const stepOf: typeof coordinator.stepOf = async (organization, request) => {
        const found = await coordinator.stepOf(organization, request)
        if (++looks === 2) await sign(use)
        return found
      }
      const deps = { ...treasury.deps, coordinator: { ...coordinator, stepOf } }
      const { state, slot } = await stepped(row, deps)
      assert.deepEqual([looks, state, slot], [2, 'prepared', row.slot])
      await put(row, { facts: row.facts })
      await isSigned(row)
      wallet = await makeWallet(treasury)
    }
  })

  it('is what is sent, though a slow server has it agreed on when it has been prepared for another nonce', async () => {
    const { database, platform } = treasury
    for (const make of [prepared, preparedSponsorship]) {
      const row = await make()
      const { network, address, request } = row
      const use = await useOf(row)
      const slot = (row.slot ?? 0) + 1
      await put(row, { state: 'slotted', slot, facts: null })
      await database.deleteFrom('slots').where('request', '=', request).execute()
      await database.insertInto('slots').values({ network, address, slot, request }).execute()
      const other = await stepTo(treasury, row, 'prepared')
      const { signatures, digests } = await platform.coordinator.sign(use)
      const signed = await stepped(row)
      assert.deepEqual(
        [signed.state, signed.slot, signed.facts, signed.cost],
        ['signed', row.slot, row.facts, row.cost],
        signed.waiting ?? '',
      )
      assert.notDeepEqual(other.facts, row.facts)
      assert.deepEqual([signatures.length, digests.length], [1, 1])
      const held = database.selectFrom('slots').select('slot').where('request', '=', request)
      assert.deepEqual(await held.execute(), [])
      wallet = await makeWallet(treasury)
    }
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
