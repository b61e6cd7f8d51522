import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import type { Call } from '@quorate/wire/link'
import type { Answered, Links } from '../link/links.ts'
import { openCoordinator } from './coordinator.ts'
import { answersForMiss, keepSeats, missesMax, tardyMs } from './seats.ts'
import { type Company, found, hashAsk, hire, type Key, keyAsk, makeKey } from './testing/company.ts'
import { type Platform, startPlatform } from './testing/platform.ts'

const connected = [1, 2, 3, 4]
const enough = 3

describe('seats', () => {
  it('go to those aboard and to as many others as are needed', () => {
    const seats = keepSeats(2)
    for (let i = 0; i < 30; i++) {
      const chosen = seats.choose({ connected, enough, aboard: [2, 4] })
      assert.deepEqual(chosen?.slice(0, 2), [2, 4])
      assert.ok(chosen?.[2] === 1 || chosen?.[2] === 3)
    }
  })

  it('are for everybody when too few are connected', () => {
    assert.equal(keepSeats(2).choose({ connected: [1, 2], enough, aboard: [] }), undefined)
  })

  it('are not left to one that is late again and again, until it may try once more', () => {
    let now = 1_000
    const seats = keepSeats(2, () => now)
    const isTardy = () => seats.choose({ connected, enough, aboard: [1, 2] }) === undefined
    for (let i = 0; i < missesMax; i++) seats.missed(1)
    assert.ok(!isTardy())
    seats.missed(1)
    assert.ok(isTardy())
    const others = seats.choose({ connected, enough, aboard: [] })
    assert.deepEqual([...(others ?? [])].sort(), [2, 3, 4])
    now += tardyMs
    assert.ok(!isTardy())
    seats.missed(1)
    assert.ok(isTardy())
  })

  it('stay with one that answers in time nearly always', () => {
    const seats = keepSeats(2)
    for (let i = 0; i < 20; i++) {
      seats.missed(1)
      for (let k = 0; k < answersForMiss; k++) seats.took(1, 1)
    }
    assert.notEqual(seats.choose({ connected, enough, aboard: [1] }), undefined)
  })
})

type Manner = (answer: () => Promise<Answered>) => Promise<Answered>
const manners: Readonly<Record<string, Manner>> = {
  silent: () => new Promise(() => undefined),
  gone: () => Promise.resolve('gone'),
  busy: () => Promise.resolve({ kind: 'busy' }),
  lying: async (answer) => {
    const reply = await answer()
    if (typeof reply === 'string' || reply.kind !== 'agree' || reply.answer.kind !== 'vote')
      return reply
    const signature = reply.answer.signature.with(0, (reply.answer.signature[0] ?? 0) ^ 1)
    return { ...reply, answer: { ...reply.answer, signature } }
  },
}

describe('a step that is proposed', () => {
  let platform: Platform
  let company: Company
  let key: Key
  let sign: (links: Links) => Promise<void>
  before(async () => {
    platform = await startPlatform()
    const { coordinator, manifest, database } = platform
    company = await found(coordinator, manifest.hash)
    const bot = await hire(coordinator, company)
    key = await makeKey(coordinator, company, keyAsk(company, bot, 'ECDSA'))
    const log = { warn: () => undefined, error: () => undefined }
    sign = async (links) => {
      const evidence = hashAsk(company, bot, key.id, new Uint8Array(randomBytes(32)))
      const by = openCoordinator({ database, links, manifest, log })
      const { organization } = company
      assert.equal((await by.sign({ organization, key: key.id, evidence })).signatures.length, 1)
    }
    for (let i = 0; i < 5; i++) await sign(platform.links)
  })
  after(() => platform.stop())

  /** Who was asked to vote for what, in the order of asking. */
  const watched = (bad: number, manner: Manner) => {
    const asked = new Map<object, number[]>()
    const { links } = platform
    const call = (signer: number, what: Call, deadlineMs: number): Promise<Answered> => {
      const answer = () => links.call(signer, what, deadlineMs)
      if (what.kind !== 'agree' || what.request.kind !== 'propose') return answer()
      asked.set(what.request, [...(asked.get(what.request) ?? []), signer])
      return signer === bad ? manner(answer) : answer()
    }
    return { links: { ...links, call }, asked }
  }

  for (const [name, manner] of Object.entries(manners))
    it(`goes to the one left out as well when one of the first is ${name}`, async () => {
      for (let i = 0; i < 40; i++) {
        const { links, asked } = watched(2, manner)
        await sign(links)
        const [first = []] = asked.values()
        if (!first.slice(0, enough).includes(2)) continue
        assert.deepEqual([...first].sort(), connected)
        return
      }
      assert.fail('it was never among the first')
    })
})
