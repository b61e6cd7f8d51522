import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { concat, equalBytes } from '@quorate/core/bytes'
import { decode, encode } from '@quorate/core/codec'
import { isFailure } from '@quorate/core/failure'
import { decodePartial, encodePartial } from '../dh/proof.ts'
import { seeded } from '../ecdsa/testing/parties.ts'
import { readAnswer } from '../frost/aggregate.ts'
import { readCommitments } from '../frost/commitments.ts'
import type { Group } from '../group/group.ts'
import { groupOf } from '../group/groups.ts'
import { spansOf } from './attacks.ts'
import { courseOf, type Game, type Message, saidIn } from './game.ts'
import { dhGame } from './games/dh.ts'
import { disputeGame, dkgGame } from './games/dkg.ts'
import { ecdsaGame } from './games/ecdsa.ts'
import { pairGame } from './games/pair.ts'
import { ed25519Kind, schnorrGame, taprootKind } from './games/schnorr.ts'

const size = { n: 3, t: 2, corrupt: [2] }
const dkg = { ...size, group: 'ed25519' } as const
/** Of each message. */
const runs = 60

describe('the decoder of every message', () => {
  const samples = [
    ...samplesOf(dkgGame(dkg)),
    ...samplesOf(disputeGame(dkg, 'dealer')),
    ...samplesOf(pairGame()),
    ...samplesOf(ecdsaGame({ ...size, curve: 'secp256k1' })),
    ...samplesOf(ecdsaGame({ ...size, curve: 'stark' })),
    ...samplesOf(schnorrGame(ed25519Kind, size)),
    ...samplesOf(schnorrGame(taprootKind('plain', undefined), size)),
    ...samplesOf(dhGame(size)),
  ]

  for (const { name, message, body } of samples) {
    it(`takes ${name} of its own length alone`, () => {
      assert.ok(isTaken(message, body))
      for (const at of cutsOf(body.length)) assert.ok(!isTaken(message, body.slice(0, at)))
      for (const more of [1, 32, 1 << 16])
        assert.ok(!isTaken(message, new Uint8Array([...body, ...new Uint8Array(more)])))
    })

    it(`takes ${name} in one form, whatever bytes it is given`, () => {
      const random = seeded(`bytes for ${name}`)
      for (let run = 0; run < runs; run++) {
        const changed = scrambled(body, random)
        // What is taken is written back as it was: no value has two encodings.
        if (isTaken(message, changed))
          assert.ok(equalBytes(encode(message.codec, decode(message.codec, changed)), changed))
      }
    })

    it(`refuses a count or a length in ${name} before there is room for it`, () => {
      for (const { form, start, end } of spansOf(message, body)) {
        if (form !== 'integer') continue
        const before = process.memoryUsage()
        const most = body.map((byte, i) => (i >= start && i < end ? 0xff : byte))
        assert.ok(!isTaken(message, most) || end - start === 1)
        const { arrayBuffers, heapTotal } = process.memoryUsage()
        // Two to the 32 entries would be four gigabytes at the least.
        assert.ok(arrayBuffers + heapTotal - before.arrayBuffers - before.heapTotal < 1 << 28)
      }
    })
  }
})

/** What is read without a codec: points and numbers one behind the other, by the code that signs. */
describe('the reader of every message that is points and numbers alone', () => {
  const [ed25519, secp256k1] = [groupOf('ed25519'), groupOf('secp256k1')]
  const commitment = (group: Group) => (bytes: Uint8Array) => {
    const read = readCommitments(group, [1], new Map([[1, bytes]]))
    const [found] = read.ok ? read.list : []
    return found && concat(group.encode(found.hiding), group.encode(found.binding))
  }
  const answer = (group: Group) => (bytes: Uint8Array) => {
    const found = readAnswer(group, bytes)
    return found && concat(found.R, group.scalarToBytes(found.share))
  }
  const secret = (group: Group) => (bytes: Uint8Array) =>
    group.secrets.isResidue(bytes) ? bytes : undefined
  const partial = (bytes: Uint8Array) => {
    const read = decodePartial(bytes)
    if (read === undefined) return undefined
    const { challenge, response } = read.proof
    return encodePartial(read.result, { challenge, response: secp256k1.scalarToBytes(response) })
  }
  const [frost, taproot] = [ed25519Kind, taprootKind('plain', undefined)].map((kind) =>
    bodiesOf(schnorrGame(kind, size)),
  )
  const readers = [
    ['commitment of FROST', commitment(ed25519), frost?.get('commitment')],
    ['share of FROST', answer(ed25519), frost?.get('share')],
    ['commitment of Taproot', commitment(secp256k1), taproot?.get('commitment')],
    ['share of Taproot', answer(secp256k1), taproot?.get('share')],
    ['partial of DH', partial, bodiesOf(dhGame(size)).get('partial')],
    ['share of a deal', secret(ed25519), bodiesOf(dkgGame(dkg)).get('share')],
  ] as const

  for (const [name, read, body] of readers)
    it(`takes a ${name} of its own length alone, in one form, whatever bytes it is given`, () => {
      assert.ok(body)
      assert.deepEqual(read(body), body)
      for (const at of cutsOf(body.length)) assert.equal(read(body.slice(0, at)), undefined)
      for (const more of [1, 32, 1 << 16])
        assert.equal(read(concat(body, new Uint8Array(more))), undefined)
      const random = seeded(`bytes for a ${name}`)
      for (let run = 0; run < runs; run++) {
        const changed = scrambled(body, random)
        const taken = read(changed)
        if (taken !== undefined) assert.deepEqual(taken, changed)
      }
    })

  it('is of every message whose fields have no format and no length', () => {
    const named = new Set(readers.map(([name]) => name.replace(/ of .*/, '')))
    const games = [dkgGame(dkg), disputeGame(dkg, 'dealer'), pairGame(), dhGame(size)]
    const others = [ecdsaGame({ ...size, curve: 'secp256k1' }), schnorrGame(ed25519Kind, size)]
    const plain = [...games, ...others].flatMap(({ messages }) =>
      Object.entries(messages).flatMap(([name, { fields }]) =>
        Object.values(fields).every(({ kind }) => kind === 'point' || kind === 'scalar')
          ? [name]
          : [],
      ),
    )
    assert.deepEqual(new Set(plain), named)
  })
})

function bodiesOf<State>(game: Game<State>): ReadonlyMap<string, Uint8Array> {
  return new Map(saidIn(game, courseOf(game)).map((said) => [game.nameOf(said), said.body]))
}

type Sample = { readonly name: string; readonly message: Message; readonly body: Uint8Array }

function samplesOf<State>(game: Game<State>): readonly Sample[] {
  const samples = new Map<string, Sample>()
  for (const delivery of saidIn(game, courseOf(game))) {
    const name = game.nameOf(delivery)
    const message = game.messages[name]
    assert.ok(message)
    // Of a union every variant is a form of its own.
    const form = spansOf(message, delivery.body)[1]?.path.split('.')[0] ?? ''
    const { body } = delivery
    samples.set(`${name} ${form}`, { name: `${name} of ${game.name} (${form})`, message, body })
  }
  return [...samples.values()]
}

function isTaken({ codec }: Message, bytes: Uint8Array): boolean {
  try {
    decode(codec, bytes)
    return true
  } catch (error) {
    assert.ok(isFailure(error, 'bytes.malformed'), `throws something else: ${String(error)}`)
    return false
  }
}

/** Every length of the first hundred, and some of the rest. */
function cutsOf(length: number): readonly number[] {
  const cuts = Array.from({ length: Math.min(length, 100) }, (_, i) => i)
  for (let at = 100; at < length; at += Math.ceil(length / 20)) cuts.push(at)
  return [...cuts, length - 1]
}

/** Some bytes of it changed, mostly near its beginning, where counts and names are. */
function scrambled(body: Uint8Array, random: (size: number) => Uint8Array): Uint8Array {
  const out = body.slice()
  const [count = 0, near = 0] = random(2)
  for (let i = 0; i <= count % 4; i++) {
    const [high = 0, low = 0, byte = 0] = random(3)
    const within = near & 1 ? Math.min(out.length, 64) : out.length
    out[((high << 8) | low) % within] = byte
  }
  return out
}
