import assert from 'node:assert/strict'
import { createPublicKey, randomBytes, verify } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { concat, toBase64url } from '@quorate/core/bytes'
import { Failure } from '@quorate/core/failure'
import type { Refusal } from '@quorate/authority/agreement/exchange'
import { decodeBody } from '@quorate/authority/body'
import { factsOf } from '@quorate/authority/reduce/registration-wallets'
import { userTable } from '@quorate/authority/records'
import { requestHash } from '@quorate/authority/request'
import { keyStream, rootOf } from '@quorate/authority/stream'
import { encodeFacts } from '@quorate/effects/facts'
import { verifySignature } from '@quorate/threshold/public/verify'
import { registration } from '@quorate/signer/testing/newcomers'
import { signedRequest, type Person } from '@quorate/signer/testing/requests'
import type { Call } from '@quorate/wire/link'
import { openDatabase } from '../database/database.ts'
import { openCoordinator, type Coordinator, type Signed } from './coordinator.ts'
import { Faults } from './faults.ts'
import { openPairs } from './pairs.ts'
import {
  accountAsk,
  ask,
  type Company,
  found,
  hashAsk,
  hire,
  keyAsk,
  type Key,
  makeKey,
  messageAsk,
} from './testing/company.ts'
import { cutOff, lacks, type Platform, startPlatform, until } from './testing/platform.ts'

const silent = { warn: () => undefined, error: () => undefined }
/** A deadline of a round, and as much again for a machine that is busy. */
const oneMissMs = 2_000

describe('the coordinator, with four signer processes', () => {
  let platform: Platform
  let coordinator: Coordinator
  let company: Company
  let organization: Uint8Array
  let bot: Person
  let key: Key
  before(async () => {
    platform = await startPlatform()
    coordinator = platform.coordinator
    company = await found(coordinator, platform.manifest.hash)
    organization = company.organization
    bot = await hire(coordinator, company)
    key = await makeKey(coordinator, company, keyAsk(company, bot, 'EdDSA'))
  })
  after(() => platform.stop())

  const message = () => new Uint8Array(randomBytes(50))
  const signWith = (by: Coordinator, evidence = messageAsk(company, bot, key.id, message())) =>
    by.sign({ organization, key: key.id, evidence })
  const timed = async (run: () => Promise<unknown>): Promise<number> => {
    const from = performance.now()
    await run()
    return performance.now() - from
  }
  const anotherLife = (links = platform.links, clock = Date.now) => {
    const { database, manifest } = platform
    return openCoordinator({ database, links, manifest, log: silent, clock })
  }

  it('makes signatures that OpenSSL verifies', async () => {
    const said = message()
    const signed = await signWith(coordinator, messageAsk(company, bot, key.id, said))
    assert.ok(isSigned(key.publicKey, said, signed))
    assert.ok(!isSigned(key.publicKey, message(), signed))
  })

  it('signs with ECDSA keys, whose pairs of signers it sets up once', async () => {
    const made = await makeKey(coordinator, company, keyAsk(company, bot, 'ECDSA'))
    const pairs = await platform.database.selectFrom('signer_pairs').selectAll().execute()
    assert.equal(pairs.length, 6)
    for (let i = 0; i < 4; i++) {
      const hash = message().slice(0, 32)
      const evidence = hashAsk(company, bot, made.id, hash)
      const { signatures } = await coordinator.sign({ organization, key: made.id, evidence })
      const [first] = signatures
      assert.ok(first?.scheme === 'ECDSA')
      const { r, s, recid } = first
      assert.ok(verifySignature('ECDSA', 'secp256k1', made.publicKey, hash, concat(r, s)))
      assert.ok(recid === 0 || recid === 1)
    }
  })

  it('sets up anew what a server has parted, and once for all who ask', async () => {
    const made = await makeKey(coordinator, company, keyAsk(company, bot, 'ECDSA'))
    const { database, manifest, links } = platform
    const sign = () => {
      const evidence = hashAsk(company, bot, made.id, message().slice(0, 32))
      return coordinator.sign({ organization, key: made.id, evidence })
    }
    await sign()
    let opened = 0
    let isCutting = true
    const call: typeof links.call = async (signer, call, deadlineMs) => {
      const session = call.kind === 'session' ? call.session : undefined
      if (session?.kind === 'pair') opened++
      const [last] = session?.kind === 'advance' ? session.packets : []
      const isLast = last?.header.protocol === 'pair' && last.header.round === 3
      // The one with the lower number comes to the end, the other one does not.
      if (isCutting && isLast && last.header.from < signer) return 'gone'
      return links.call(signer, call, deadlineMs)
    }
    const said = { database, log: silent }
    const faults = new Faults({ ...said, threshold: manifest.threshold, clock: Date.now })
    const pairs = openPairs({ ...said, links: { ...links, call }, manifest, faults })
    const all = [1, 2, 3].flatMap((a) => [2, 3, 4].filter((b) => b > a).map((b) => [a, b] as const))
    for (const pair of all)
      await assert.rejects(pairs.setUp(organization, pair, performance.now()), {
        code: 'signing.failed',
      })
    for (let i = 0; i < 3; i++) assert.equal((await sign()).signatures.length, 1)
    isCutting = false
    opened = 0
    const since = performance.now()
    for (let i = 0; i < 3; i++) await pairs.setUp(organization, [1, 2], since)
    assert.equal(opened, 2)
    await pairs.setUp(organization, [1, 2], performance.now())
    assert.equal(opened, 4)
  })

  it('gives the same request the same signature, and the same settlement', async () => {
    const evidence = messageAsk(company, bot, key.id, message())
    const [first, second] = await Promise.all([
      signWith(coordinator, evidence),
      signWith(coordinator, evidence),
    ])
    const third = await signWith(anotherLife(), evidence)
    assert.deepEqual([second, third], [first, first])

    const account = accountAsk(company)
    const ask = { organization, kind: 'serviceAccount', evidence: account } as const
    const settled = await coordinator.settle(ask)
    const again = await coordinator.settle(ask)
    assert.deepEqual(again, { ...settled, knownAt: again.knownAt })
    assert.ok(settled.ids.user)
    assert.equal(
      (await coordinator.find(organization, userTable, settled.ids.user))?.kind,
      'serviceAccount',
    )
  })

  it('puts what is asked at once into few steps, and drops only the item that is refused', async () => {
    const before = await coordinator.head(organization)
    const good = Array.from({ length: 12 }, () => accountAsk(company))
    const bad = { ...accountAsk(company), assertions: [] }
    const all = [...good.slice(0, 6), bad, ...good.slice(6)]
    const outcomes = await Promise.allSettled(
      all.map((evidence) => coordinator.settle({ organization, kind: 'serviceAccount', evidence })),
    )
    const refused = outcomes
      .map(({ status }, i) => (status === 'rejected' ? i : -1))
      .filter((i) => i >= 0)
    assert.deepEqual(refused, [6])
    await assert.rejects(
      coordinator.settle({ organization, kind: 'serviceAccount', evidence: bad }),
      new Failure('request.refused', { reason: 'nobody has signed' }),
    )
    const head = await coordinator.head(organization)
    assert.equal(head?.seq, (before?.seq ?? 0) + 1)
  })

  it('refuses the use of a key that there is not, and of a request that is not allowed', async () => {
    const evidence = messageAsk(company, bot, key.id, message())
    const stranger = new Uint8Array(32)
    await assert.rejects(coordinator.sign({ organization, key: stranger, evidence }), {
      code: 'key.not_found',
    })
    await assert.rejects(signWith(coordinator, { ...evidence, payload: '{}' }), {
      code: 'request.refused',
    })
  })

  it('signs on while any one signer is frozen, and loses one deadline at most', async () => {
    for (const frozen of [1, 2, 3, 4]) {
      platform.signer(frozen).signal('SIGSTOP')
      const times: number[] = []
      for (let i = 0; i < 6; i++) times.push(await timed(() => signWith(coordinator)))
      platform.signer(frozen).signal('SIGCONT')
      assert.ok(Math.max(...times) < oneMissMs, `${times}`)
      assert.ok(times.filter((ms) => ms > 900).length <= 1, `${times}`)
      const place = { organization, stream: keyStream(key.id) }
      const head = await coordinator.head(organization, place.stream)
      await until(async () => (await lacks(platform.links, frozen, place)) === (head?.seq ?? 0) + 1)
    }
  })

  it('signs on while a signer is dead, and takes it along when it is back', async () => {
    const dead = platform.signer(2)
    await dead.end()
    await platform.connected(3)
    await hire(coordinator, company)
    for (let i = 0; i < 3; i++) assert.ok((await timed(() => signWith(coordinator))) < oneMissMs)
    dead.start()
    await platform.connected(4)
    for (const stream of [rootOf(organization), keyStream(key.id)]) {
      const head = await coordinator.head(organization, stream)
      const place = { organization, stream }
      await until(async () => (await lacks(platform.links, 2, place)) === (head?.seq ?? 0) + 1)
    }
  })

  it('makes no key while a signer is missing, says which, and makes it of the same request later', async () => {
    const dead = platform.signer(3)
    await dead.end()
    await platform.connected(3)
    const evidence = keyAsk(company, bot, 'EdDSA')
    await assert.rejects(
      coordinator.createKey({ organization, evidence }),
      new Failure('signers.unavailable', { missing: ['signer-3'] }),
    )
    dead.start()
    await platform.connected(4)
    const made = await makeKey(coordinator, company, evidence)
    const said = message()
    const ask = messageAsk(company, bot, made.id, said)
    const signed = await coordinator.sign({ organization, key: made.id, evidence: ask })
    assert.ok(isSigned(made.publicKey, said, signed))
  })

  it('says who is missing when too few are there to decide', async () => {
    await Promise.all([platform.signer(1).end(), platform.signer(4).end()])
    await platform.connected(2)
    await assert.rejects(
      signWith(coordinator),
      new Failure('signers.unavailable', { missing: ['signer-1', 'signer-4'] }),
    )
    for (const index of [1, 4]) platform.signer(index).start()
    await platform.connected(4)
  })

  it('ends in another life what was certified but not signed, at the same place', async () => {
    const links = cutOff(platform.links, isLastRound)
    const said = message()
    const evidence = messageAsk(company, bot, key.id, said)
    signWith(anotherLife(links), evidence).catch(() => undefined)
    const request = requestHash(evidence.preimage)
    await until(async () => (await coordinator.stepOf(organization, request)) !== undefined)
    const standing = await coordinator.stepOf(organization, request)
    assert.ok(standing)

    const signed = await signWith(anotherLife(), evidence)
    assert.ok(isSigned(key.publicKey, said, signed))
    assert.deepEqual([signed.seq, signed.step], [standing.step.seq, standing.step.hash])
    const head = await coordinator.head(organization, keyStream(key.id))
    assert.equal(head?.seq, standing.step.seq)
  })

  it('renews a use whose time is over, with the same digests', async () => {
    const links = cutOff(platform.links, isLastRound)
    const said = message()
    const evidence = messageAsk(company, bot, key.id, said)
    signWith(anotherLife(links), evidence).catch(() => undefined)
    const request = requestHash(evidence.preimage)
    await until(async () => (await coordinator.stepOf(organization, request)) !== undefined)
    const first = await coordinator.stepOf(organization, request)
    let asked = 0
    // For its look at burned pairs, for its draft, which finds that the request stands, and for the
    // look at the window. A renewal that is drafted in the future is refused and drafted anew.
    const afterAMinute = () => Date.now() + (asked++ < 4 ? 61_000 : 0)
    const signed = await signWith(anotherLife(platform.links, afterAMinute), evidence)
    assert.ok(isSigned(key.publicKey, said, signed))
    assert.equal(signed.seq, (first?.step.seq ?? 0) + 1)
    const kinds = [first, await coordinator.stepOf(organization, request)].map(
      (standing) => standing && decodeBody(standing.step.body).step.items[0]?.operation,
    )
    assert.deepEqual(
      kinds.map((operation) => operation?.kind),
      ['use', 'renew'],
    )
    const [use, renew] = kinds
    assert.ok(use?.kind === 'use' && renew?.kind === 'renew')
    assert.deepEqual(renew.digests, use.digests)
  })

  it('gives a newcomer the same keys when another life ends what one has begun', async () => {
    const body = { email: 'end-user@example.test', kind: 'EndUser' }
    const enrolling = ask(company, bot, { path: '/auth/registration/delegated', body })
    const enrolled = await coordinator.settle({ organization, kind: 'user', evidence: enrolling })
    const user = enrolled.ids.user ?? assert.fail('nobody is enrolled')
    const asked = registration({ organization, now: Date.now() }, user, ['KeyEdDSA', 'KeyEdDSA'])
    const keyOf = async (by: Coordinator, index: number) =>
      (await by.createKey({ organization, evidence: asked, index })).certificate
    const first = await keyOf(coordinator, 0)
    const next = anotherLife()
    const made = [await keyOf(next, 0), await keyOf(next, 1)]
    assert.deepEqual(made[0], first)
    assert.notDeepEqual(made[1], first)
    await assert.rejects(keyOf(next, 2), { code: 'request.refused' })
    const evidence = { ...asked, facts: factsOf(made) }
    const settled = await next.settle({ organization, kind: 'registration', evidence })
    assert.ok(settled.operation.kind === 'registration')
    assert.equal(settled.operation.wallets.length, 2)
    const again = await coordinator.settle({ organization, kind: 'registration', evidence })
    assert.deepEqual(again, { ...settled, knownAt: again.knownAt })
    for (const [index, certificate] of made.entries())
      assert.deepEqual(await keyOf(coordinator, index), certificate)
  })

  it('ends in another life what was proposed and never sent', async () => {
    const place = { organization, stream: rootOf(organization) }
    const before = await coordinator.head(organization)
    const evidence = accountAsk(company)
    const dying = anotherLife(cutOff(platform.links, () => true))
    dying.settle({ organization, kind: 'serviceAccount', evidence }).catch(() => undefined)
    await until(async () => (await proposals(platform)) > 0)
    await anotherLife().resume()
    const head = await coordinator.head(organization)
    assert.equal(head?.seq, (before?.seq ?? 0) + 1)
    assert.ok(await coordinator.stepOf(organization, requestHash(evidence.preimage)))
    assert.equal(await proposals(platform), 0)
    await until(async () => (await lacks(platform.links, 1, place)) === (head?.seq ?? 0) + 1)
  })

  it('never brings back what signers have refused, whatever they would say of it a moment later', async () => {
    const put = (factSources: object) => {
      const [path, body] = ['/orgs/settings', { settings: { factSources } }]
      const change = { method: 'PUT' }
      const { administrator } = company
      const evidence = signedRequest(administrator, { path, body, now: Date.now(), change })
      return coordinator.settle({ organization, kind: 'settings', evidence })
    }
    // No signer here has a file of its own.
    const price = {
      ...({ asset: 'EthereumSepolia/Native', currency: 'USD', micros: 1n, decimals: 18 } as const),
      ...{ source: 'desk', at: Date.now() - 1_000 },
    }
    const facts = encodeFacts({ family: 'none', prices: [price], screenings: [] })
    // Whether signers have moved on to another ballot by then is a matter of milliseconds.
    for (let time = 0; time < 8; time++) {
      await put({ prices: 'Signer' })
      const refused = { ...messageAsk(company, bot, key.id, message()), facts }
      await assert.rejects(signWith(coordinator, refused), { code: 'request.refused' })
      await put({ prices: 'Server' })
      await signWith(coordinator)
      assert.equal(await coordinator.stepOf(organization, requestHash(refused.preimage)), undefined)
    }
  })

  it('goes past a proposal that has become too old', async () => {
    const before = await coordinator.head(organization)
    const old = accountAsk(company, Date.now() - 20_000)
    const dying = anotherLife(
      cutOff(platform.links, () => true),
      () => Date.now() - 10_000,
    )
    dying.settle({ organization, kind: 'serviceAccount', evidence: old }).catch(() => undefined)
    await until(async () => (await proposals(platform)) > 0)
    const stale = before !== undefined && before.time > Date.now() - 5_000
    const evidence = accountAsk(company)
    const settled = await anotherLife().settle({ organization, kind: 'serviceAccount', evidence })
    assert.ok(stale || settled.certificate.ballot > (before?.certificate.ballot ?? 0))
    const again = await coordinator.settle({ organization, kind: 'serviceAccount', evidence: old })
    assert.ok(again.ids.user)
  })

  it('ends nothing by a clock that is off, says to which side, and goes on when it is right', async () => {
    let off = 0
    const late = anotherLife(platform.links, () => Date.now() + off)
    const hour = 60 * 60_000
    // More than signers take, by what a slow machine may lose on the way, and so much that the rules here take all for expired.
    for (const [by, clock] of [
      [20_000, 'ahead'],
      [hour, 'ahead'],
      [-hour, 'behind'],
    ] as const) {
      const use = messageAsk(company, bot, key.id, message())
      const account = accountAsk(company)
      const birth = keyAsk(company, bot, 'EdDSA')
      const settle = () => late.settle({ organization, kind: 'serviceAccount', evidence: account })
      off = by
      const wrong = new Failure('clock.wrong', { clock })
      await assert.rejects(signWith(late, use), wrong)
      await assert.rejects(settle(), wrong)
      if (by === hour) await assert.rejects(makeKey(late, company, birth), wrong)
      assert.equal(await late.clock(), clock)
      off = 0
      assert.equal(await late.clock(), 'right')
      await signWith(late, use)
      await settle()
    }
    assert.equal(await proposals(platform), 0)
  })

  it('believes the signers that refuse, where the clock leaps while they are asked', async () => {
    let asked = 0
    // What they say when they are asked for the time is what this clock shows, as it was then.
    const links = {
      ...platform.links,
      call: async (signer: number, call: Call, ms: number) => {
        const reply = await platform.links.call(signer, call, ms)
        if (call.kind === 'agree') asked += 1
        const isPong = typeof reply !== 'string' && reply.kind === 'pong'
        return isPong ? { ...reply, time: Date.now() + 20_000 } : reply
      },
    }
    const early = anotherLife(links, () => Date.now() + 20_000)
    await assert.rejects(signWith(early), new Failure('clock.wrong', { clock: 'ahead' }))
    assert.ok(asked > 0)
  })

  it('is not held up by one signer that says of every step that it is not now', async () => {
    for (const reason of ['early', 'late', 'not_fresh'] as const) {
      const lying = anotherLife({
        ...platform.links,
        call: async (signer, call, ms) => {
          const isAsked = signer === 1 && call.kind === 'agree' && call.request.kind === 'propose'
          if (signer === 1 && call.kind === 'ping') return { kind: 'pong', time: 0 }
          if (!isAsked) return platform.links.call(signer, call, ms)
          const answer = { kind: 'refusal', reason, item: undefined, detail: 'no' } as const
          return { kind: 'agree', answer, session: undefined }
        },
      })
      for (let i = 0; i < 4; i++) await signWith(lying)
      assert.equal(await lying.clock(), 'right')
    }
  })

  it('ends no request for what signers hold against the step, or one signer against the request', async () => {
    const lies = (liars: readonly number[], item: number | undefined) => {
      const call: typeof platform.links.call = async (signer, asked, ms) => {
        const isAsked = asked.kind === 'agree' && asked.request.kind === 'propose'
        if (!isAsked) return platform.links.call(signer, asked, ms)
        const isLie = liars.includes(signer)
        const said = isLie ? { reason: 'invalid', item } : { reason: 'abstaining', item: undefined }
        const answer = { kind: 'refusal', ...said, detail: 'no' } as Refusal
        return { kind: 'agree', answer, session: undefined }
      }
      return anotherLife({ ...platform.links, call })
    }
    const evidence = messageAsk(company, bot, key.id, message())
    for (const by of [lies([1, 2, 3], undefined), lies([1], 0)])
      await assert.rejects(signWith(by, evidence), { code: 'signing.failed' })
    await assert.rejects(signWith(lies([1, 2], 0), messageAsk(company, bot, key.id, message())), {
      code: 'request.refused',
    })
    await signWith(coordinator, evidence)
  })

  it('lets two servers propose in one stream at once, and both come to their end', async () => {
    const database = openDatabase(platform.databaseUrl, (error) => assert.fail(error))
    const { links, manifest } = platform
    const other = openCoordinator({ database, links, manifest, log: silent })
    const both = [coordinator, other]
    const accounts = Array.from({ length: 8 }, (_, i) =>
      both[i % 2]?.settle({
        organization,
        kind: 'serviceAccount',
        evidence: accountAsk(company),
      }),
    )
    const uses = Array.from({ length: 8 }, (_, i) => signWith(both[i % 2] ?? coordinator))
    const [settled, signed] = [await Promise.all(accounts), await Promise.all(uses)]
    assert.equal(new Set(signed.map(({ seq }) => seq)).size, 8)
    assert.ok(settled.every((one) => one !== undefined))
    await database.destroy()
  })
})

/** The message with which the last round of a signature begins. */
function isLastRound(call: Call): boolean {
  return call.kind === 'agree' && call.stream.kind === 'key' && call.request.kind === 'certificate'
}

async function proposals({ database }: Platform): Promise<number> {
  const rows = await database.selectFrom('proposals').select('seq').execute()
  return rows.length
}

function isSigned(publicKey: Uint8Array, message: Uint8Array, { signatures }: Signed): boolean {
  const [first] = signatures
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: toBase64url(publicKey) }
  return (
    first?.scheme === 'EdDSA' &&
    verify(null, message, createPublicKey({ key: jwk, format: 'jwk' }), first.signature)
  )
}
