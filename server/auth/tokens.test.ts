import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, it } from 'node:test'
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose'
import { openTokens } from './tokens.ts'

const pem = () =>
  generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
const bearer = { orgId: 'or-1', userId: 'us-1', username: 'a@b.test' }
const now = Date.UTC(2026, 0, 1)
const life = { from: now, until: now + 60_000 }
const invalid = { code: 'token.invalid' }

describe('a bearer token', () => {
  it('has the claims that official clients look for, and is verified by the key set', async () => {
    const tokens = await openTokens(pem())
    const named = { ...bearer, tokenKind: 'ServiceAccount', tokenId: 'to-1' } as const
    const token = await tokens.issue(named, life)
    const { payload } = await jwtVerify(token, createLocalJWKSet(tokens.keySet), {
      currentDate: new Date(now),
    })
    assert.equal(payload.sub, 'or-1')
    assert.equal(payload.jti, 'to-1')
    assert.equal(payload.exp, now / 1000 + 60)
    assert.equal(payload['https://custom/username'], 'a@b.test')
    const metadata = payload['https://custom/app_metadata']
    const { orgId, userId, tokenKind, tokenId } = named
    assert.deepEqual(metadata, { orgId, userId, tokenKind, tokenId })
    assert.equal(decodeProtectedHeader(token).alg, 'EdDSA')
    assert.deepEqual(await tokens.read(token, now), named)
  })

  it('is nothing after its time, under another key, or in place of a challenge', async () => {
    const tokens = await openTokens(pem())
    const token = await tokens.issue({ ...bearer, tokenKind: 'Token' }, life)
    await assert.rejects(tokens.read(token, life.until), invalid)
    await assert.rejects((await openTokens(pem())).read(token, now), invalid)
    await assert.rejects(tokens.openChallenge(token, now), { code: 'challenge.invalid' })
    const challenge = await tokens.sealChallenge({ preimage: 'AA', salt: '00' }, life)
    await assert.rejects(tokens.read(challenge, now), invalid)
    assert.deepEqual(await tokens.openChallenge(challenge, now), { preimage: 'AA', salt: '00' })
  })

  it('that was good is read again at its time alone, and makes no other one good', async () => {
    const tokens = await openTokens(pem())
    const token = await tokens.issue({ ...bearer, tokenKind: 'Token' }, life)
    const first = await tokens.read(token, now)
    assert.deepEqual(await tokens.read(token, life.until - 1_000), first)
    const end = token.endsWith('AA') ? 'BB' : 'AA'
    await assert.rejects(tokens.read(token.slice(0, -2) + end, now), invalid)
    await assert.rejects(tokens.read(token, life.until), invalid)
    assert.deepEqual(await tokens.read(token, now), first)
  })

  it('is signed by no key but an Ed25519 one', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const other = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    await assert.rejects(openTokens(other), /Not an Ed25519 key/)
  })
})
