import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import * as dkgMessages from '../dkg/messages.ts'
import { messagesOf } from '../ecdsa/messages.ts'
import { pairMessages } from '../ecdsa/pair-setup.ts'
import { ecdsaSizes, pairSizes } from '../ecdsa/sizes.ts'
import { groupOf } from '../group/groups.ts'
import { dhSizes, dkgSizes, frostSizes, taprootSizes } from '../public/sizes.ts'
import { pathOf, spansOf } from './attacks.ts'
import { courseOf, type Delivery, type Game, type Rules, saidIn } from './game.ts'
import { dhGame } from './games/dh.ts'
import { disputeGame, dkgGame } from './games/dkg.ts'
import { ecdsaGame } from './games/ecdsa.ts'
import { pairGame } from './games/pair.ts'
import { ed25519Kind, schnorrGame, taprootKind } from './games/schnorr.ts'
import { totalOf } from './main.ts'
import { type Count, endsOfFixed } from './run.ts'
import { settings } from './settings.ts'

const size = { n: 3, t: 2, corrupt: [2] }
const dkg = { ...size, group: 'secp256k1' } as const
const ecdsa = { ...size, curve: 'secp256k1' } as const

describe('what the harness knows', () => {
  // All games of a protocol together say each of its messages, with each of their fields.
  const protocols: Readonly<Record<string, readonly Session[]>> = {
    'key generation': [
      sessionOf(dkgGame(dkg)),
      sessionOf(disputeGame(dkg, 'dealer')),
      sessionOf(disputeGame(dkg, 'accuser')),
    ],
    'pair setup': [sessionOf(pairGame())],
    ECDSA: [sessionOf(ecdsaGame(ecdsa))],
    'ECDSA on the Stark curve': [sessionOf(ecdsaGame({ ...ecdsa, curve: 'stark' }))],
    FROST: [sessionOf(schnorrGame(ed25519Kind, size))],
    Taproot: [sessionOf(schnorrGame(taprootKind('plain', undefined), size))],
    DH: [sessionOf(dhGame(size))],
  }
  for (const [protocol, games] of Object.entries(protocols))
    it(`is every field of every message of ${protocol}, and none besides`, () => {
      const seen = new Set(
        games.flatMap(({ rules, said }) => said.flatMap((one) => fieldsOf(rules, one))),
      )
      const known = games
        .slice(0, 1)
        .flatMap(({ rules }) =>
          Object.entries(rules.messages).flatMap(([name, { fields }]) =>
            Object.keys(fields).map((field) => `${name}.${field}`),
          ),
        )
      assert.deepEqual([...seen].toSorted(), known.toSorted())
    })

  it('is every message that has a codec', () => {
    const named = Object.keys(dkgMessages).filter((name) => name.endsWith('Codec'))
    // A share is 32 bytes and has no codec.
    const dkgNames = [...named.map((name) => name.replace('Codec', '')), 'share']
    assert.deepEqual(Object.keys(dkgGame(dkg).messages).toSorted(), dkgNames.toSorted())
    for (const curve of ['secp256k1', 'stark'] as const)
      assert.deepEqual(
        Object.keys(ecdsaGame({ ...ecdsa, curve }).messages),
        Object.keys(messagesOf(curve)),
      )
    const pairCodecs = Object.values(pairGame().messages).map(({ codec }) => codec)
    assert.deepEqual(pairCodecs, [...pairMessages])
  })

  it('is every message that has a size, byte by byte', () => {
    const { signature: _, ...frost } = frostSizes
    const { signature: __, ...taproot } = taprootSizes
    const { partial } = dhSizes
    const { complaintMax: ___, settlementMax: ____, ...born } = dkgSizes('secp256k1', size)
    assert.deepEqual(sizesIn(schnorrGame(ed25519Kind, size)), frost)
    assert.deepEqual(sizesIn(schnorrGame(taprootKind('plain', undefined), size)), taproot)
    assert.deepEqual(sizesIn(dhGame(size)), { partial })
    assert.deepEqual(sizesIn(dkgGame(dkg)), born)
    assert.deepEqual(sizesIn(ecdsaGame(ecdsa)), ecdsaSizes('secp256k1', 2))
    assert.deepEqual(Object.values(sizesIn(pairGame())), [...pairSizes])
  })
})

describe('corrupt parties', () => {
  const counts: Count[] = []
  after(() => console.log(totalOf(counts)))

  for (const setting of settings({ all: false }))
    it(`get no bad key or signature, and are named or burned: ${setting.name}`, () => {
      const count = setting.run({ everything: false })
      counts.push(count)
      assert.deepEqual(count.slips, [])
    })
})

describe('what is said of a falsified message', () => {
  const secp256k1 = groupOf('secp256k1')
  const corrupt = [2]
  const endsIn: Readonly<Record<string, (name: string) => ReturnType<typeof endsOfFixed>>> = {
    'key generation': (name) =>
      endsOfFixed({ game: dkgGame(dkg, name), group: secp256k1, corrupt, oneOf: 6 }),
    ECDSA: (name) => {
      const game = ecdsaGame(ecdsa, { name, epoch: name })
      return endsOfFixed({ game, group: secp256k1, corrupt, oneOf: 6 })
    },
  }
  for (const [protocol, ends] of Object.entries(endsIn))
    it(`does not depend on the secrets that it met: ${protocol}`, () => {
      const [one, other] = [ends('one'), ends('other')]
      assert.ok(one.size > 10)
      assert.deepEqual(one, other)
    })
})

type Session = { readonly rules: Rules; readonly said: readonly Delivery[] }

function sessionOf<State>(game: Game<State>): Session {
  return { rules: game, said: saidIn(game, courseOf(game)) }
}

function fieldsOf(rules: Rules, delivery: Delivery): readonly string[] {
  const name = rules.nameOf(delivery)
  const message = rules.messages[name]
  assert.ok(message)
  return spansOf(message, delivery.body).map((span) => `${name}.${pathOf(span)}`)
}

function sizesIn<State>(game: Game<State>): Readonly<Record<string, number>> {
  const { said } = sessionOf(game)
  return Object.fromEntries(said.map((one) => [game.nameOf(one), one.body.length]))
}
