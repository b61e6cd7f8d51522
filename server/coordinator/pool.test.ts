import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { Failure } from '@quorate/core/failure'
import { pooledMs, readBirth } from '@quorate/authority/key-certificate'
import type { Call } from '@quorate/wire/link'
import type { Links } from '../link/links.ts'
import { type Coordinator, openCoordinator } from './coordinator.ts'
import { ask, found, hire, keyAsk, makeKey, messageAsk, type Company } from './testing/company.ts'
import { type Platform, startPlatform, until } from './testing/platform.ts'

const size = 4
/** Calls for births, so that more than the first look finds a signer silent. */
const silentMax = 2 * size * 4

describe('keys that are born ahead of need', () => {
  let platform: Platform
  let coordinator: Coordinator
  let company: Company
  let bot: Awaited<ReturnType<typeof hire>>
  const lives: Coordinator[] = []
  /** Another server on the same database, or the same one after it was killed. */
  const life = (keyPool = size, links = platform.links) => {
    const { database, manifest } = platform
    const say = () => undefined
    const log = { info: say, warn: say, error: say }
    const made = openCoordinator({ database, links, manifest, log, keyPool })
    lives.push(made)
    return made
  }
  before(async () => {
    platform = await startPlatform()
    company = await found(platform.coordinator, platform.manifest.hash)
    bot = await hire(platform.coordinator, company)
    coordinator = life()
  })
  after(async () => {
    for (const one of lives) await one.close()
    await platform.stop()
  })

  const isBirth = (call: Call) => call.kind === 'session' && call.session.kind === 'pool'
  const watched = (births: string[]): Links => ({
    ...platform.links,
    call: (signer, call, deadlineMs) => {
      if (isBirth(call)) births.push(String(signer))
      return platform.links.call(signer, call, deadlineMs)
    },
  })
  const rows = () => platform.database.selectFrom('pooled_keys').select('certificate').execute()
  const isFull = () => until(async () => (await rows()).length >= size)
  /** The births beside one that has failed are not lost, and so few are missing then that none follow. */
  const isWellFilled = () => until(async () => (await rows()).length > size / 2)
  /** No birth of an earlier life is under way that would bring one back. */
  const emptied = async () => {
    for (const one of lives) await one.close()
    await platform.database.deleteFrom('pooled_keys').execute()
  }
  const create = (by: Coordinator, evidence = keyAsk(company, bot, 'EdDSA')) =>
    by.createKey({ organization: company.organization, evidence })
  const kindOf = ({ certificate }: { readonly certificate: Uint8Array }) =>
    readBirth(certificate).kind
  const signs = async (key: Awaited<ReturnType<typeof makeKey>>) => {
    const evidence = messageAsk(company, bot, key.id, new Uint8Array([1, 2, 3]))
    const { organization } = company
    const { signatures } = await coordinator.sign({ organization, key: key.id, evidence })
    assert.equal(signatures.length, 1)
  }

  it('are none until somebody has made a key of that kind, and then as many as are set', async () => {
    assert.deepEqual(await rows(), [])
    assert.equal(kindOf(await create(coordinator)), 'asked')
    await isFull()
    assert.equal((await rows()).length, size)
    assert.deepEqual(new Set((await rows()).map(kindOf)), new Set(['pooled']))
  })

  it('serve whoever asks, sign, and are made anew when half of them are gone', async () => {
    for (let i = 0; i < size; i++) {
      const evidence = keyAsk(company, bot, 'EdDSA')
      assert.equal(kindOf(await create(coordinator, evidence)), 'pooled')
      await signs(await makeKey(coordinator, company, evidence))
      if (i === size - 1) await isFull()
    }
  })

  it('serve while a signer is down, and no others are born until it is back', async () => {
    await isFull()
    await platform.signer(3).end()
    await platform.connected(3)
    for (let i = 0; i < size; i++)
      await signs(await makeKey(coordinator, company, keyAsk(company, bot, 'EdDSA')))
    await assert.rejects(
      create(coordinator),
      new Failure('signers.unavailable', { missing: ['signer-3'] }),
    )
    platform.signer(3).start()
    await platform.connected(4)
    await isFull()
  })

  it('are promised to one request for ever, by whichever server, however it ended', async () => {
    await isFull()
    const evidence = keyAsk(company, bot, 'EdDSA')
    const other = life()
    const [one, two] = await Promise.all([create(coordinator, evidence), create(other, evidence)])
    assert.equal(kindOf(one), 'pooled')
    assert.deepEqual(two.certificate, one.certificate)
    const waiting = (await rows()).map(({ certificate }) => Buffer.from(certificate))
    assert.ok(waiting.every((row) => !row.equals(one.certificate)))
    assert.deepEqual((await create(life(0), evidence)).certificate, one.certificate)
    const asked = Array.from({ length: size - 1 }, () =>
      create(life(), keyAsk(company, bot, 'EdDSA')),
    )
    const made = (await Promise.all(asked)).map(({ certificate }) =>
      Buffer.from(certificate).toString('hex'),
    )
    const all = [...made, Buffer.from(one.certificate).toString('hex')]
    assert.equal(new Set(all).size, size)
    await signs(await makeKey(life(), company, evidence))
  })

  it('are born again after a restart that finds none, and nobody has to ask first', async () => {
    await isFull()
    await emptied()
    await life().resume()
    await isFull()
  })

  it('are not for those whom nobody has asked for since a key would have ended', async () => {
    const { database } = platform
    await database
      .updateTable('pooled_kinds')
      .set({ wanted_at: Date.now() - pooledMs })
      .execute()
    const calls: string[] = []
    await emptied()
    const late = life(size, watched(calls))
    await late.resume()
    await late.close()
    assert.deepEqual([calls, await rows()], [[], []])
    assert.equal(kindOf(await create(life())), 'asked')
    await isFull()
  })

  it('are tried again when a signer comes back before it is known that a birth has failed', async () => {
    await isWellFilled()
    await emptied()
    const listeners: Parameters<Links['onConnect']>[0][] = []
    let isFirst = true
    const links: Links = {
      ...platform.links,
      onConnect: (listener) => void listeners.push(listener),
      call: (signer, call, deadlineMs) => {
        if (!isFirst || !isBirth(call)) return platform.links.call(signer, call, deadlineMs)
        isFirst = false
        for (const listener of listeners) listener(signer)
        return Promise.resolve('gone')
      },
    }
    await life(size, links).resume()
    await isWellFilled()
    assert.equal(isFirst, false)
  })

  it('are tried again when a signer has been silent and never lost its link', async () => {
    await isWellFilled()
    await emptied()
    const silent = { count: 0 }
    const links: Links = {
      ...platform.links,
      onConnect: () => undefined,
      call: async (signer, call, deadlineMs) => {
        if (silent.count >= silentMax || !isBirth(call))
          return platform.links.call(signer, call, deadlineMs)
        silent.count += 1
        return 'timeout'
      },
    }
    await life(size, links).resume()
    await isWellFilled()
    assert.equal(silent.count, silentMax)
  })

  it('are of the kind that is asked for', async () => {
    await isWellFilled()
    const evidence = ask(company, bot, {
      path: '/keys',
      body: { scheme: 'ECDSA', curve: 'secp256k1' },
    })
    assert.equal(kindOf(await create(coordinator, evidence)), 'asked')
  })
})
