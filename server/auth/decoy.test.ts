import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { defaultSettings, type Settings } from '@quorate/authority/settings'
import { decoysFor } from './decoy.ts'

const orgId = 'or-1'
const withPasskeys: Settings = {
  ...defaultSettings,
  relyingParties: [{ id: 'example.com', origins: ['https://example.com'] }],
}
const keyed = (fill: number) => ({ keyFor: () => new Uint8Array(32).fill(fill) })
const tokens = keyed(1)
const names = Array.from({ length: 1_024 }, (_, i) => `user-${i}@example.com`)
const of = (username: string, settings = withPasskeys) =>
  decoysFor(tokens, { orgId, username }, settings)
const kindsOf = (username: string, settings = withPasskeys) =>
  of(username, settings)
    .map(({ kind }) => kind)
    .join(' ')

/** How many of a hundred names have each. */
function shares(values: readonly string[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1
  return Object.fromEntries(
    Object.entries(counts).map(([value, count]) => [value, (100 * count) / values.length]),
  )
}

describe('the credentials of somebody who is not there', () => {
  it('are the same whenever and however his name is written, and no one else’s', () => {
    assert.deepEqual(of(' Nobody@Example.com'), of('nobody@example.com'))
    const ids = names.flatMap((name) => of(name).map(({ credId }) => credId))
    assert.equal(new Set(ids).size, ids.length)
    const elsewhere = decoysFor(tokens, { orgId: 'or-2', username: 'a@b.c' }, withPasskeys)
    assert.notDeepEqual(elsewhere, of('a@b.c'))
  })

  it('are told by a secret: who has another one finds others', () => {
    const others = (username: string) =>
      decoysFor(keyed(2), { orgId, username }, withPasskeys)
        .map(({ kind }) => kind)
        .join(' ')
    const differing = names.filter((name) => kindsOf(name) !== others(name))
    assert.ok(differing.length > names.length / 3)
  })

  it('are as many and of such kinds as people have', () => {
    const found = shares(names.map((name) => kindsOf(name)))
    assert.deepEqual(Object.keys(found).toSorted(), [
      ...['Fido2', 'Fido2 Fido2', 'Fido2 Fido2 Fido2', 'Fido2 Key', 'Key'],
    ])
    const isNear = (kinds: string, share: number) =>
      assert.ok(Math.abs((found[kinds] ?? 0) - share) < 4, `${kinds}: ${found[kinds]}`)
    isNear('Fido2', 59)
    isNear('Fido2 Fido2', 25)
    isNear('Fido2 Key', 6)
  })

  it('have ids of the lengths that authenticators give', () => {
    const lengths = (kind: string) =>
      names.flatMap((name) =>
        of(name).flatMap((one) =>
          one.kind === kind ? [String(Buffer.from(one.credId, 'base64url').length)] : [],
        ),
      )
    const found = shares(lengths('Fido2'))
    assert.deepEqual(Object.keys(found), ['16', '20', '32', '64'])
    for (const share of Object.values(found)) assert.ok(share > 5 && share < 45)
    assert.deepEqual(Object.keys(shares(lengths('Key'))), ['32'])
  })

  it('are keys alone where no passkeys are used', () => {
    const found = shares(names.map((name) => kindsOf(name, defaultSettings)))
    assert.deepEqual(Object.keys(found).toSorted(), ['Key', 'Key Key'])
  })
})
