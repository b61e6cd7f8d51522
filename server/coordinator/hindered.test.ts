import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { isFailure } from '@quorate/core/failure'
import type { Links } from '../link/links.ts'
import { type Coordinator, openCoordinator } from './coordinator.ts'
import { answerMsMax } from './signing.ts'
import {
  type Company,
  found,
  hashAsk,
  hire,
  type Key,
  keyAsk,
  makeKey,
  messageAsk,
} from './testing/company.ts'
import {
  accusing,
  banning,
  busyForEver,
  late,
  type Manner,
  rubbish,
  silenceMs,
  silent,
  slow,
  withManners,
} from './testing/gone-bad.ts'
import { type Platform, startPlatform } from './testing/platform.ts'
import { attemptsMax } from './when-free.ts'

type Scheme = 'EdDSA' | 'ECDSA'
const schemes = ['EdDSA', 'ECDSA'] as const
const manners = { silent, slow, rubbish, accusing, busyForEver, banning }
/** On the busiest of machines; a third of one silence. */
const msMax = silenceMs / 3

describe('a coordinator whose signers hinder it', () => {
  let platform: Platform
  let company: Company
  let keys: Readonly<Record<Scheme, Key>>
  let sign: (coordinator: Coordinator, scheme: Scheme) => Promise<number>
  before(async () => {
    platform = await startPlatform()
    const { coordinator, manifest } = platform
    company = await found(coordinator, manifest.hash)
    const bot = await hire(coordinator, company)
    const make = (scheme: Scheme) => makeKey(coordinator, company, keyAsk(company, bot, scheme))
    keys = { EdDSA: await make('EdDSA'), ECDSA: await make('ECDSA') }
    sign = async (by, scheme) => {
      const asks = { EdDSA: messageAsk, ECDSA: hashAsk }
      const { organization } = company
      const { id: key } = keys[scheme]
      const evidence = asks[scheme](company, bot, key, new Uint8Array(randomBytes(32)))
      const from = performance.now()
      const { signatures } = await by.sign({ organization, key, evidence })
      assert.equal(signatures.length, 1)
      return performance.now() - from
    }
    for (const scheme of schemes) for (let i = 0; i < 5; i++) await sign(coordinator, scheme)
  })
  after(() => platform.stop())

  const open = (links: Links, lines: string[] = []) => {
    const say = (context: object, message: string) =>
      void lines.push(`${message} ${JSON.stringify(context)}`)
    const { database, manifest } = platform
    return openCoordinator({ database, links, manifest, log: { warn: say, error: say } })
  }

  /** Servers that know nothing of the signers yet: until the bad ones were among the first asked. */
  async function holds(bad: ReadonlyMap<number, Manner>, scheme: Scheme): Promise<number> {
    // Accusations outlast a server, and every case here is to begin without any.
    await platform.database.deleteFrom('accusations').execute()
    let met = 0
    const counted = new Map(
      [...bad].map(([signer, manner]): [number, Manner] => [
        signer,
        (answer, about) => {
          met += 1
          return manner(answer, about)
        },
      ]),
    )
    const links = withManners(platform.links, counted)
    let worst = 0
    for (let i = 0; i < 40 && met < 2; i++) worst = Math.max(worst, await sign(open(links), scheme))
    assert.ok(met > 0, 'nobody has met it')
    return worst
  }

  for (const [name, manner] of Object.entries(manners))
    it(`signs without waiting when one is ${name}`, async (test) => {
      for (const scheme of schemes) {
        const worst = await holds(new Map([[2, manner]]), scheme)
        test.diagnostic(`${scheme}: ${Math.round(worst)} ms at worst`)
        assert.ok(worst < msMax)
      }
    })

  for (const [one, other] of [
    ['silent', 'silent'],
    ['silent', 'slow'],
    ['rubbish', 'accusing'],
    ['busyForEver', 'silent'],
    ['accusing', 'silent'],
  ] as const)
    it(`signs without waiting when one is ${one} and another ${other}`, async (test) => {
      const bad = new Map([
        [2, manners[one]],
        [4, manners[other]],
      ])
      const worst = await holds(bad, 'ECDSA')
      test.diagnostic(`${Math.round(worst)} ms at worst`)
      assert.ok(worst < msMax)
    })

  it('waits for a late one where there is no other', async () => {
    const bad = new Map<number, Manner>([
      [1, rubbish],
      [2, rubbish],
      [3, late],
    ])
    const rounds = 2
    const worst = await sign(open(withManners(platform.links, bad)), 'EdDSA')
    assert.ok(worst > 0.9 * rounds * answerMsMax)
  })

  it('waits for a busy one where there is no other, and does not hold it against it', async () => {
    let turnedAway = 0
    const busyAtFirst: Manner = async (answer) => {
      if (turnedAway >= 4) return answer()
      turnedAway += 1
      return { kind: 'session', session: { kind: 'busy' } }
    }
    await platform.database.deleteFrom('accusations').execute()
    const bad = new Map<number, Manner>([
      [1, rubbish],
      [2, rubbish],
      [3, busyAtFirst],
    ])
    const coordinator = open(withManners(platform.links, bad))
    assert.ok((await sign(coordinator, 'EdDSA')) < msMax)
    assert.equal(turnedAway, 4)
    assert.equal(coordinator.status()[2]?.leftOutUntil, undefined)
  })

  it('has a key born and pairs set up by one that is busy at first', async () => {
    const turnedAway = { generate: 0, pair: 0 }
    const busyAtFirst: Manner = async (answer, { asked }) => {
      const { kind } = asked
      if ((kind !== 'generate' && kind !== 'pair') || turnedAway[kind] >= 2) return answer()
      turnedAway[kind] += 1
      return { kind: 'session', session: { kind: 'busy' } }
    }
    const coordinator = open(withManners(platform.links, new Map([[1, busyAtFirst]])))
    const other = await found(coordinator, platform.manifest.hash)
    const bot = await hire(coordinator, other)
    await makeKey(coordinator, other, keyAsk(other, bot, 'ECDSA'))
    assert.deepEqual(turnedAway, { generate: 2, pair: 2 })
    const pairs = await platform.database
      .selectFrom('signer_pairs')
      .select(['low', 'high'])
      .where('organization', '=', other.organization)
      .execute()
    assert.equal(pairs.length, 6)
  })

  it('gives up on one that never has room for a birth', async () => {
    let asked = 0
    const busyForBirths: Manner = async (answer, call) => {
      if (call.asked.kind !== 'generate') return answer()
      asked += 1
      return { kind: 'session', session: { kind: 'busy' } }
    }
    const coordinator = open(withManners(platform.links, new Map([[1, busyForBirths]])))
    const other = await found(coordinator, platform.manifest.hash)
    const bot = await hire(coordinator, other)
    await assert.rejects(makeKey(coordinator, other, keyAsk(other, bot, 'EdDSA')), (error) =>
      isFailure(error, 'signers.unavailable'),
    )
    assert.equal(asked, attemptsMax)
  })

  it('leaves no session behind at those who were in one that others have overtaken', async () => {
    const closed: number[] = []
    const { links } = platform
    const watched: Links = {
      ...links,
      call: (signer, call, deadlineMs) => {
        if (call.kind === 'session' && call.session.kind === 'close') closed.push(signer)
        return links.call(signer, call, deadlineMs)
      },
    }
    for (let i = 0; i < 40 && closed.length === 0; i++)
      await sign(open(withManners(watched, new Map([[2, silent]]))), 'EdDSA')
    assert.ok(closed.includes(2))
  })
})
