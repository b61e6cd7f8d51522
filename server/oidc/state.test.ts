import assert from 'node:assert/strict'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { isFailure } from '@quorate/core/failure'
import type { TestDatabase } from '@quorate/scripts/test-database'
import { type Database, openDatabase } from '../database/database.ts'
import { newErrand, openErrand, sealErrand, stateKeyOf, useErrand } from './state.ts'
import { createServerDatabase } from '../testing/database.ts'

const pem = () =>
  generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
const tokenKey = pem()
const key = stateKeyOf(tokenKey)
const now = Date.UTC(2026, 0, 1)
const invalid = { code: 'identity_token.invalid' }
const errand = () =>
  newErrand(
    {
      organization: new Uint8Array(randomBytes(32)),
      issuer: 'https://idp.example.com',
      clientId: 'quorate',
      redirectUri: 'https://wallet.example.com/signed-in',
    },
    now,
  )

describe('a state', () => {
  it('brings back what was sent along, within ten minutes', async () => {
    const sent = errand()
    const state = await sealErrand(key, sent)
    assert.deepEqual(await openErrand(key, state, now), sent)
    assert.deepEqual(await openErrand(stateKeyOf(tokenKey), state, now + 599_999), sent)
    await assert.rejects(openErrand(key, state, now + 600_000), invalid)
  })

  it('tells its bearer nothing', async () => {
    const sent = errand()
    const state = await sealErrand(key, sent)
    const seen = state.split('.').map((part) => Buffer.from(part, 'base64url').toString('latin1'))
    for (const secret of [sent.nonce, sent.codeVerifier, sent.clientId, sent.issuer])
      assert.ok(![state, ...seen].some((part) => part.includes(secret)))
    assert.notEqual(await sealErrand(key, sent), state)
  })

  it('is nothing when it was changed, made under another key, or made up', async () => {
    const state = await sealErrand(key, errand())
    await assert.rejects(openErrand(stateKeyOf(pem()), state, now), invalid)
    const [header, none, iv, text = '', mark = ''] = state.split('.')
    const flip = (part: string) => `${part.startsWith('A') ? 'B' : 'A'}${part.slice(1)}`
    const changed = [
      [header, none, iv, flip(text), mark].join('.'),
      [header, none, iv, text, flip(mark)].join('.'),
      [header, none, iv, text, mark.slice(0, 16)].join('.'),
    ]
    for (const one of [...changed, '', 'a', 'a.b.c.d.e'])
      await assert.rejects(openErrand(key, one, now), invalid)
    await assert.rejects(openErrand(key, 'a'.repeat(8_193), now), (error) => {
      assert.ok(isFailure(error, 'identity_token.invalid') && error.cause instanceof Error)
      assert.equal(error.cause.message, 'too long')
      return true
    })
  })

  it('has a nonce and a verifier that nobody can guess, of the form that providers take', () => {
    const [one, two] = [errand(), errand()]
    for (const secret of [one.nonce, one.codeVerifier, two.nonce, two.codeVerifier])
      assert.match(secret, /^[A-Za-z0-9_-]{43}$/)
    assert.equal(new Set([one.nonce, one.codeVerifier, two.nonce, two.codeVerifier]).size, 4)
  })

  it('has a key that is not the key of tokens', () => {
    assert.throws(() => stateKeyOf('no key'))
    assert.equal(key.length, 32)
    assert.notDeepEqual(stateKeyOf(pem()), key)
  })
})

describe('an errand', () => {
  let home: TestDatabase
  let database: Database
  before(async () => {
    home = await createServerDatabase()
    database = openDatabase(home.url, (error) => assert.fail(error))
  })
  after(async () => {
    await database.destroy()
    await home.drop()
  })

  it('is used once, however many come at once', async () => {
    const sent = errand()
    const all = await Promise.allSettled(
      Array.from({ length: 8 }, () => useErrand(database, sent, now)),
    )
    assert.equal(all.filter(({ status }) => status === 'fulfilled').length, 1)
    await assert.rejects(useErrand(database, sent, now), invalid)
    await useErrand(database, errand(), now)
  })

  it('is used once, in whatever way its state is written', async () => {
    const state = await sealErrand(key, errand())
    await useErrand(database, await openErrand(key, state, now), now)
    // Bits beyond the last byte: another text, and in a lenient reader the same state.
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    const last = alphabet.indexOf(state.slice(-1))
    const twin = `${state.slice(0, -1)}${alphabet[last ^ 1]}`
    const again = async () => useErrand(database, await openErrand(key, twin, now), now)
    await assert.rejects(again(), invalid)
  })

  it('is forgotten when its state is too old to come again, and not before', async () => {
    const old = errand()
    await useErrand(database, old, now)
    const isKept = async () => {
      const rows = await database
        .selectFrom('oidc_states')
        .select('hash')
        .where('organization', '=', old.organization)
        .execute()
      return rows.length === 1
    }
    const later = (at: number) => useErrand(database, { ...errand(), expiresAt: at + 1 }, at)
    await later(old.expiresAt - 1)
    assert.ok(await isKept())
    await later(old.expiresAt)
    assert.ok(!(await isKept()))
    await assert.rejects(openErrand(key, await sealErrand(key, old), old.expiresAt), invalid)
  })

  it('is kept as a hash', async () => {
    const sent = errand()
    await useErrand(database, sent, now)
    const rows = await database.selectFrom('oidc_states').select('hash').execute()
    for (const { hash } of rows) {
      const kept = Buffer.from(hash)
      for (const text of [kept.toString('latin1'), kept.toString('base64url')])
        assert.ok(!sent.nonce.includes(text.slice(0, 8)))
    }
  })
})
