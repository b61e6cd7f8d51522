import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Opinions } from '@quorate/core/outflow'
import { lockOf } from '@quorate/authority/agreement/messages'
import { decodeBody } from '@quorate/authority/body'
import { decodeRecord, encodeRecord, keyTable, recordKey } from '@quorate/authority/records'
import type { Evidence } from '@quorate/authority/step'
import { judgeSources } from './fact-sources.ts'
import { openOwnFacts } from './own-facts.ts'
import { createWallet, type Wallet } from './testing/keys.ts'
import { evmFacts, recipient, transferRequest } from './testing/uses.ts'
import { some, toldAnswer, World } from './testing/world.ts'

const minuteMs = 60_000
const asset = 'EthereumSepolia/Native'
const thief = `0x${'66'.repeat(20)}`

/** What follows rests on what came before: one organization, to which things happen in turn. */
describe('prices and screenings that each signer compares with its own', () => {
  const world = new World({ real: [1] })
  let wallet: Wallet
  before(async () => {
    await world.found()
    wallet = await createWallet(world, 'EthereumSepolia')
  })
  after(() => world.close())

  const timeText = (time: number) => new Date(time).toISOString().replace('.000Z', 'Z')
  const price = (dollars: string, at = world.now) => ({
    ...{ asset, currency: 'USD', price: dollars, decimals: 18, source: 'desk', at: timeText(at) },
  })
  const list = (at = world.now) => ({ source: 'own', at: timeText(at), addresses: [thief] })
  const give = (prices: readonly object[], denied?: object) =>
    world.giveFacts(1, { format: 'quorate.facts.1', prices, ...(denied && { denied }) })

  const said = (dollars: bigint): Partial<Opinions> => ({
    prices: [
      {
        ...({ asset, currency: 'USD', micros: dollars * 1_000_000n, decimals: 18 } as const),
        ...{ source: 'server', at: world.now },
      },
    ],
  })
  const clean = (address = recipient): Partial<Opinions> => ({
    screenings: [{ address, isListed: false, source: 'server', at: world.now }],
  })
  const place = () => world.keyPlace(wallet.key.id)
  const pay = (opinions: Partial<Opinions>, nonce = 0n, body: object = {}): Evidence => {
    const facts = { ...evmFacts(nonce), prices: [], screenings: [], ...opinions }
    return transferRequest(world, wallet, { nonce, body, ask: { facts } })
  }
  const draft = (...evidence: readonly Evidence[]) =>
    world.draft(
      place(),
      evidence.map((one) => ({ kind: 'use', evidence: one })),
    )
  const answer = (...evidence: readonly Evidence[]) =>
    world.answer(1, place(), world.propose(place(), draft(...evidence).step))
  const refusal = async (...evidence: readonly Evidence[]) => toldAnswer(await answer(...evidence))
  const settings = (factSources: object) => {
    const body = { settings: { factSources } }
    return world.request({ path: '/orgs/settings', body, change: { method: 'PUT' } })
  }

  it('are believed as long as nobody has said otherwise', async () => {
    await world.certify(place(), draft(pay({ ...said(1n), ...clean(thief) })))
  })

  it('are refused from the moment that this signer has sealed the setting', async () => {
    const drafted = world.draft(world.root, [
      { kind: 'settings', evidence: settings({ prices: 'Signer' }) },
    ])
    const { step } = drafted
    const own = await world.answer(1, world.root, world.propose(world.root, step))
    assert.equal(own.kind, 'vote', toldAnswer(own))
    const others = [2, 3, 4].map((index) => world.vote(index, world.root, step))
    const request = { kind: 'lock', lock: lockOf(some(others)), step } as const
    assert.equal((await world.answer(1, world.root, request)).kind, 'seal')
    assert.match(
      await refusal(pay(said(2_000n), 1n)),
      /no current price of EthereumSepolia\/Native/,
    )
    const certificate = world.certificateBy([2, 3, 4], world.root, step)
    await world.adopt(1, world.root, { certificate, step })
    world.ledger.add(world.root.stream, { step, certificate, writes: drafted.writes })
  })

  it('are a price of its own, of this hour, and near by', async () => {
    const none = /no current price/
    assert.match(await refusal(pay(said(2_000n), 1n)), none)
    give([price('2000', world.now - 61 * minuteMs)])
    assert.match(await refusal(pay(said(2_000n), 1n)), none)
    give([price('2000')])
    assert.match(await refusal(pay(said(1_000n), 1n)), /the price of .* departs/)
    await world.certify(place(), draft(pay(said(2_000n), 1n)))
  })

  it('need none where nothing is said, and nothing but what was agreed', async () => {
    world.giveFacts(1, undefined)
    await world.certify(place(), draft(pay(clean(thief), 2n)))
    await createWallet(world, 'EthereumSepolia')
  })

  it('are refused by the name of their item, wherever in a step they stand', async () => {
    give([price('2000')])
    const first = await answer(pay(said(1_000n), 3n), pay(said(2_000n), 4n))
    const second = await answer(pay(said(2_000n), 3n), pay(said(1_000n), 4n))
    assert.deepEqual(
      [first, second].map((one) => (one.kind === 'refusal' ? [one.reason, one.item] : one.kind)),
      [
        ['not_fresh', 0],
        ['not_fresh', 1],
      ],
    )
  })

  it('are recipients on no list of its own, which is one of today', async () => {
    await world.put('settings', settings({ prices: 'Server', screenings: 'Signer' }))
    const none = /no deny list of its own/
    assert.match(await refusal(pay({ ...said(1n), ...clean() }, 3n)), none)
    give([], list(world.now - 25 * 60 * minuteMs))
    assert.match(await refusal(pay(clean(), 3n)), /deny list is stale/)
    give([], list())
    assert.match(await refusal(pay(clean(thief), 3n, { to: thief })), /is on a signer's own/)
    await world.certify(place(), draft(pay({ ...said(1n), ...clean() }, 3n)))
  })

  it('are judged again when a payment is renewed', async () => {
    const evidence = pay(clean(), 4n)
    await world.certify(place(), draft(evidence))
    world.giveFacts(1, undefined)
    const { step } = world.draft(place(), [{ kind: 'renew', evidence }])
    const renewed = await world.answer(1, place(), world.propose(place(), step))
    assert.match(toldAnswer(renewed), /no deny list of its own/)
  })

  it('matter to no policy where a key is its owner’s, who is held up by nothing then', () => {
    const { read } = world.ledger.reader
    const name = recordKey(keyTable, wallet.key.id)
    const owned = (stream: Parameters<typeof read>[0], key: string) => {
      const value = world.ledger.reader.read(stream, key)
      if (key !== name || value === undefined) return value
      return encodeRecord(keyTable, {
        ...decodeRecord(keyTable, value),
        owner: world.administrator.user,
      })
    }
    const body = decodeBody(draft(pay(clean(), 5n)).step.bytes)
    const asked = { place: place(), body, now: world.now }
    const none = openOwnFacts('', () => assert.fail())
    assert.equal(judgeSources(none, { ...asked, reader: world.ledger.reader }).ok, false)
    assert.deepEqual(judgeSources(none, { ...asked, reader: { read: owned } }), { ok: true })
  })
})
